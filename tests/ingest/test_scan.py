"""What a walk finds, leaves out, and survives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.scan.folders import FolderListing, Found, Root, Scan, Unreadable, is_text


def scan(*roots: Path, excludes: tuple[str, ...] = (), home: Path = Path("/nowhere"), **options: object) -> list[Found]:
    wanted = [Root(str(root), str(options.pop("base", root))) for root in roots]
    return list(Scan(wanted, excludes=excludes, home=str(home), **options))  # type: ignore[arg-type]


def names(found: list[Found], root: Path) -> list[str]:
    return [os.path.relpath(path, root) for listing in listings(found) for path, *_ in listing.files]


def listings(found: list[Found]) -> Iterator[FolderListing]:
    return (entry for entry in found if isinstance(entry, FolderListing))


def write(root: Path, *paths: str, text: str = "x") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_lists_folders_in_order_with_size_and_time(tmp_path: Path) -> None:
    write(tmp_path, "b/2.jpg", "b/1.jpg", "a.jpg", "b/c/3.jpg", "d/4.jpg")
    found = scan(tmp_path)
    assert names(found, tmp_path) == ["a.jpg", "b/1.jpg", "b/2.jpg", "b/c/3.jpg", "d/4.jpg"]
    status = (tmp_path / "a.jpg").stat()
    times = (status.st_mtime_ns, status.st_ctime_ns)
    assert next(listings(found)).files == [(str(tmp_path / "a.jpg"), 1, *times, "")]


def test_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    write(tmp_path, ".a.jpg", ".hidden/b.jpg", "c.jpg")
    assert names(scan(tmp_path), tmp_path) == ["c.jpg"]
    assert names(scan(tmp_path / ".hidden"), tmp_path) == [".hidden/b.jpg"], "unless it was named"


def test_leaves_out_the_data_directory(tmp_path: Path) -> None:
    write(tmp_path, "home/previews/a.webp", "b.jpg")
    assert names(scan(tmp_path, home=tmp_path / "home"), tmp_path) == ["b.jpg"]


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ("*.png", ["a.jpg", "raw/c.jpg", "sub/d.jpg", "sub/raw/f.jpg"]),
        ("raw/", ["a.jpg", "b.png", "sub/d.jpg", "sub/e.png"]),
        ("/raw/", ["a.jpg", "b.png", "sub/d.jpg", "sub/e.png", "sub/raw/f.jpg"]),
        ("*.jpg\n!a.jpg\n# a comment\n", ["a.jpg", "b.png", "sub/e.png"]),
        ("sub/**", ["a.jpg", "b.png", "raw/c.jpg"]),
        ("!\n*.jpg", ["b.png", "sub/e.png"]),
    ],
)
def test_ignore_file_has_gitignore_syntax(tmp_path: Path, rules: str, kept: list[str]) -> None:
    write(tmp_path, "a.jpg", "b.png", "raw/c.jpg", "sub/d.jpg", "sub/e.png", "sub/raw/f.jpg")
    write(tmp_path, ".likewiseignore", text=rules)
    assert names(scan(tmp_path), tmp_path) == kept


def test_inner_ignore_file_overrules_outer(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "sub/b.jpg", "sub/c.png")
    write(tmp_path, ".likewiseignore", text="*.jpg")
    write(tmp_path, "sub/.likewiseignore", text="!*.jpg\n*.png")
    assert names(scan(tmp_path), tmp_path) == ["sub/b.jpg"]


def test_ignore_files_of_the_library_count_in_its_subfolders(tmp_path: Path) -> None:
    write(tmp_path, "one/two/a.jpg", "one/two/b.png", "one/two/c.gif")
    write(tmp_path, ".likewiseignore", text="*.png")
    write(tmp_path, "one/.likewiseignore", text="*.gif")
    assert names(scan(tmp_path / "one" / "two", base=tmp_path), tmp_path) == ["one/two/a.jpg"]


def test_excludes_cannot_be_taken_back(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "cache/b.jpg", "deep/cache/c.jpg", "d.tmp.jpg")
    write(tmp_path, ".likewiseignore", text="!cache/\n!*.tmp.jpg")
    assert names(scan(tmp_path, excludes=("cache/", "*.tmp.*")), tmp_path) == ["a.jpg"]


def test_links_lead_nowhere_twice(tmp_path: Path) -> None:
    write(tmp_path, "real/a.jpg", "real/b.jpg")
    outside = tmp_path.parent / "outside"
    write(outside, "c.jpg")
    (tmp_path / "1-loop").symlink_to(tmp_path)
    (tmp_path / "2-twin").symlink_to(tmp_path / "real")
    (tmp_path / "3-out").symlink_to(outside)
    (outside / "back").symlink_to(tmp_path)
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "real" / "a.jpg")
    found = scan(tmp_path)
    assert names(found, tmp_path) == ["link.jpg", "real/a.jpg", "real/b.jpg"]
    assert [entry.path for entry in found if isinstance(entry, Unreadable)] == [str(tmp_path / "3-out")]


def test_links_out_of_what_is_scanned_are_told_and_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    write(inside, "a.jpg", "named.jpg")
    write(outside, "private.jpg", "folder/b.jpg", "a.xmp")
    (inside / "private.jpg").symlink_to(outside / "private.jpg")
    (inside / "folder").symlink_to(outside / "folder")
    (inside / "process").symlink_to("/proc/self")
    (inside / "a.xmp").symlink_to(outside / "a.xmp")
    found = scan(inside)
    assert names(found, inside) == ["a.jpg", "named.jpg"]
    assert next(listings(found)).files[0][-1] == "", "nor is the sidecar read"
    told = {Path(one.path).name: one.detail for one in found if isinstance(one, Unreadable)}
    assert told.keys() == {"private.jpg", "folder", "process", "a.xmp"}
    assert str(outside / "private.jpg") in told["private.jpg"]
    assert names(scan(inside, outside), inside) == [
        "a.jpg",
        "named.jpg",
        "private.jpg",
        "../outside/private.jpg",
        "../outside/folder/b.jpg",
    ], "each where it is, as both are scanned"


def test_a_root_or_named_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    write(outside, "private.jpg")
    root.symlink_to(outside)
    (found,) = scan(root)
    assert isinstance(found, Unreadable)
    named = tmp_path / "named.jpg"
    named.symlink_to(outside / "private.jpg")
    found = scan(named=[str(named)])
    assert [type(one) for one in found] == [Unreadable, FolderListing]
    assert names(found, tmp_path) == []


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    write(tmp_path, "a.jpg")
    assert names(scan(tmp_path), tmp_path) == ["a.jpg"]


def test_nested_roots_are_listed_once(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "sub/b.jpg")
    assert sorted(names(scan(tmp_path / "sub", tmp_path), tmp_path)) == ["a.jpg", "sub/b.jpg"]


def test_names_that_are_no_text_are_told(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg")
    odd = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    Path(os.fsdecode(odd)).write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/dir\xff")).mkdir()
    found = scan(tmp_path)
    assert names(found, tmp_path) == ["a.jpg"]
    told = {entry.path: entry.detail for entry in found if isinstance(entry, Unreadable)}
    assert set(told) == {f"{tmp_path}/caf\\xe9.jpg", f"{tmp_path}/dir\\xff"}
    assert all(is_text(path) and "UTF-8" in detail for path, detail in told.items())


def test_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.jpg", "locked/b.jpg", "z/c.jpg")
    scandir = os.scandir

    def refuse(folder: str) -> Iterator[os.DirEntry[str]]:
        if folder.endswith("locked"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    with monkeypatch.context() as patched:
        patched.setattr("os.scandir", refuse)
        found = scan(tmp_path)
    assert names(found, tmp_path) == ["a.jpg", "z/c.jpg"]
    [told] = [entry for entry in found if isinstance(entry, Unreadable)]
    assert told == Unreadable(str(tmp_path / "locked"), "The folder cannot be read: Permission denied.")


def test_ignore_file_that_cannot_be_read_closes_its_folder(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "private/b.jpg")
    (tmp_path / "private" / ".likewiseignore").mkdir()
    found = scan(tmp_path)
    assert names(found, tmp_path) == ["a.jpg"], "nobody knows what the rules would have kept out"
    assert [entry.path for entry in found if isinstance(entry, Unreadable)] == [str(tmp_path / "private")]


def test_named_files_are_listed_whatever_the_rules(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "b.jpg", ".hidden/c.jpg")
    write(tmp_path, ".likewiseignore", text="b.jpg")
    named = [str(tmp_path / name) for name in ("a.jpg", "b.jpg", ".hidden/c.jpg", "gone.jpg")]
    found = scan(tmp_path, named=named)
    assert names(found, tmp_path) == ["a.jpg", "b.jpg", ".hidden/c.jpg"]
    [alone] = [listing for listing in listings(found) if listing.covers is not None]
    assert alone.covers == {named[2]}
