"""Tables, patterns and folders that say who took what, and groups of photos that look alike."""

from __future__ import annotations

import numpy as np
import pytest

from search.errors import UsageError
from search.photographers.photos.labels import (
    CsvLine,
    folder_name,
    listed_names,
    pattern_of,
    pseudo_photographers,
    read_table,
)

ADA = (CsvLine(2, "a.jpg", "Ada"),)

TABLES = {
    "plain": b"path,photographer\na.jpg,Ada\n",
    "byte order mark": b"\xef\xbb\xbfpath,photographer\r\na.jpg,Ada\r\n",
    "semicolons": b"path;photographer\na.jpg;Ada\n",
    "tabs": b"path\tphotographer\na.jpg\tAda\n",
    "utf-16": "path,photographer\na.jpg,Ada\n".encode("utf-16"),
    "columns in another order": b"Rating,Photographer,Path\n5,Ada,a.jpg\n",
    "several names for a person": b"path,label,photographer\na.jpg,ada_l,Ada\n",
    "other names of the columns": b"filename,artist\n a.jpg , Ada \n",
    "no line end": b"path,photographer\na.jpg,Ada",
    "empty lines behind": b"path,photographer\na.jpg,Ada\n\n ,\n",
}


@pytest.mark.parametrize("data", TABLES.values(), ids=TABLES)
def test_a_table_is_read_however_a_spreadsheet_wrote_it(data: bytes) -> None:
    table = read_table(data)
    assert table.lines == ADA
    assert table.wrong == {}


def test_quotes_newlines_and_old_encodings() -> None:
    table = read_table('path,photographer\n"a, b.jpg","Lee, Ann"\nü.jpg,José\n'.encode("cp1252"))
    assert table.lines == (CsvLine(2, "a, b.jpg", "Lee, Ann"), CsvLine(3, "ü.jpg", "José"))
    assert read_table(b'path,photographer\n"a\nb.jpg",Ada\nsub\\c.jpg,Bo\n').lines[-1] == CsvLine(4, "sub/c.jpg", "Bo")


def test_lines_that_cannot_be_used_are_told_by_number() -> None:
    table = read_table(b"path,photographer\na.jpg,Ada\nb.jpg\n,Bo\nc.jpg,unknown\nd.jpg,\n[z-a],Bo\n")
    assert table.lines == ADA
    assert {number: f"Line {number}" in text for number, text in table.wrong.items()} == dict.fromkeys(
        range(3, 8), True
    )
    assert table.wrong[3] == "Line 3 has only 1 of 2 columns or more."
    assert "'unknown'" in table.wrong[5]
    assert "'[z-a]' is no pattern" in table.wrong[7]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a.jpg,Ada\n", "Line 1 .*'path'.*a.jpg, Ada"),
        (b"path,path,photographer\n", "one column 'path'"),
        (b'path,photographer\na.jpg,"Ada\n', "Line 2"),
        (b'path,photographer\na.jpg,Ada\n"b.jpg"x,Bo\n', "Line 3"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "Line 1"),
    ],
)
def test_what_is_no_such_table_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_table(data)


PATTERNS = [
    ("/p/*.jpg", "/p/a.jpg", True),
    ("/p/*.jpg", "/p/sub/a.jpg", False),
    ("/p/**/*.jpg", "/p/a.jpg", True),
    ("/p/**/*.jpg", "/p/sub/deep/a.jpg", True),
    ("/p/**", "/p/sub/a.jpg", True),
    ("/p/a?.jpg", "/p/a1.jpg", True),
    ("/p/[ab].jpg", "/p/b.jpg", True),
    ("/p/[!ab].jpg", "/p/b.jpg", False),
    ("/p/a+(1).jpg*", "/p/a+(1).jpg", True),
    ("/p/[.jpg", "/p/[.jpg", True),
    ("s3://bucket/*/x.jpg", "s3://bucket/2019/x.jpg", True),
    ("/p/*a*b.jpg", "/p/xaab-ab.jpg", True),
    ("/p/*a*b.jpg", "/p/a/b.jpg", False),
    ("/p/**/a*/**/b*.jpg", "/p/x/a1/y/z/b2.jpg", True),
    ("/p/**/a*/**/b*.jpg", "/p/a1/b2.jpg", True),
    ("/p/**/a*/**/b*.jpg", "/p/xa1/b2.jpg", False),
    ("/p/**a*b.jpg", "/p/a/x/ab.jpg", True),
    (f"/p/{'*a' * 30}*b", f"/p/{'a' * 200}", False),
    (f"/p/{'**/a/' * 30}b", f"/p/{'a/' * 100}", False),
]


@pytest.mark.parametrize(("glob", "path", "matches"), PATTERNS)
def test_patterns(glob: str, path: str, matches: bool) -> None:
    folder, pattern = pattern_of(glob)
    assert bool(pattern.fullmatch(path)) is matches
    assert path.startswith(f"{folder}/")


FOLDERS = [
    ("/lib/Ada/x.jpg", 1, "Ada"),
    ("/lib/Ada/2019/x.jpg", 1, None),
    ("/lib/Ada/2019/x.jpg", 2, "Ada"),
    ("/lib/Ada/2019/x.jpg", 0, "Ada"),
    ("/lib/Ada/2019/x.jpg", 9, None),
    ("/lib/x.jpg", 1, "lib"),
    ("/lib/x.jpg", 0, None),
    ("/lib/DCIM/100CANON/x.jpg", 1, None),
    ("/lib/DCIM/100CANON/x.jpg", 0, None),
    ("/lib/unknown/x.jpg", 1, None),
    ("/lib/<b>&amp;/x.jpg", 1, "<b>&amp;"),
]


@pytest.mark.parametrize(("path", "depth", "name"), FOLDERS)
def test_folders(path: str, depth: int, name: str | None) -> None:
    assert folder_name(path, "/lib", depth) == name


def test_no_folder_above_the_root_is_a_name() -> None:
    assert folder_name("/media/ada/lib/x.jpg", "/media/ada/lib", 2) is None


def _clouds() -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 58)) * 8
    rows = np.concatenate([centre + rng.normal(size=(n, 58)) for centre, n in zip(centres, (40, 20, 10), strict=True)])
    return (rows * np.logspace(-3, 6, 58)).astype(np.float32)  # one column in ones, another in millions


def test_alike_photos_are_grouped_whatever_the_units() -> None:
    groups = pseudo_photographers(_clouds(), groups=3)
    assert groups == ["Group 01"] * 40 + ["Group 02"] * 20 + ["Group 03"] * 10
    assert pseudo_photographers(_clouds(), groups=3) == groups


def test_photos_without_features_are_in_no_group_and_gaps_are_filled() -> None:
    rows = _clouds()
    rows[0] = np.nan
    rows[1, :5] = np.nan
    rows[:, 7] = np.nan
    groups = pseudo_photographers(rows, groups=3)
    assert groups[0] is None
    assert groups[1] == groups[2] == "Group 01"


def test_no_more_groups_than_there_are_different_photos() -> None:
    black = np.zeros((5, 58), np.float32)
    assert set(pseudo_photographers(black)) == {"Group 01"}
    assert len(set(pseudo_photographers(np.eye(4, 58, dtype=np.float32)))) == 4
    assert pseudo_photographers(np.full((3, 58), np.nan, np.float32)) == [None] * 3


def test_counts_in_words() -> None:
    assert listed_names({"Bo": 3, "Ada": 1200}) == "Ada 1,200, Bo 3"
    assert listed_names({f"P{n}": n for n in range(8)}, most=2) == "P7 7, P6 6 and 6 more"
