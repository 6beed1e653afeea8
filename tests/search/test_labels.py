"""Labels from folders and from manifests, and what is wrong with a manifest said in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import NotFoundError, UsageError
from search.labels import read_labels


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_the_first_folder_is_the_label(tmp_path: Path) -> None:
    make(tmp_path, "cat/1.jpg", "cat/old/2.jpg", "dog/3.jpg", "loose.jpg", ".hidden/4.jpg", "dog/.5.jpg")

    assert read_labels(tmp_path) == {
        f"{tmp_path}/cat/1.jpg": "cat",
        f"{tmp_path}/cat/old/2.jpg": "cat",
        f"{tmp_path}/dog/3.jpg": "dog",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_manifest_has_the_last_word(tmp_path: Path, encoding: str) -> None:
    make(tmp_path, "a/1.jpg", "a/2.jpg", "b/ünï, 3.jpg")
    text = 'size,path,label\r\n1,a/1.jpg,kät\r\n1,a/2.jpg,\r\n1,"b/ünï, 3.jpg",dog\r\n'
    (tmp_path / "manifest.csv").write_text(text, encoding)

    assert read_labels(tmp_path) == {f"{tmp_path}/a/1.jpg": "kät", f"{tmp_path}/b/ünï, 3.jpg": "dog"}


def test_a_relative_folder_gives_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "set/cat/1.jpg")
    monkeypatch.chdir(tmp_path / "set")

    assert read_labels(Path("../set")) == {f"{tmp_path}/set/cat/1.jpg": "cat"}


@pytest.mark.parametrize(
    ("content", "error", "named"),
    [
        (b"file,label\na/1.jpg,cat\n", UsageError, "no column 'path'; its columns are file, label"),
        (b"path,class\na/1.jpg,cat\n", UsageError, "no column 'label'"),
        (b"", UsageError, "none"),
        (b"path,label\n\xff\xfe\xff,cat\n", UsageError, "cannot be read"),
        (b"path,label\na/1.jpg,cat\na/2.jpg,cat\na/3.jpg,cat\n", NotFoundError, "2 files .* 'a/2.jpg' first"),
        (b"path,label\na/1.jpg,\n", UsageError, "labelled"),
        (b"path,label\na/1.jpg\n", UsageError, "labelled"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_said(
    tmp_path: Path, content: bytes, error: type[Exception], named: str
) -> None:
    make(tmp_path, "a/1.jpg")
    (tmp_path / "manifest.csv").write_bytes(content)

    with pytest.raises(error, match=named):
        read_labels(tmp_path)


def test_no_folder_and_no_labels_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        read_labels(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="labelled"):
        read_labels(tmp_path)
