"""Paths and addresses taken apart as text."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from search import addresses
from search.errors import UsageError
from search.media import Kind, MediaRecord
from search.store.filters import Filter


@pytest.mark.parametrize("text", ["/", "/a", "/a/b.jpg", "/mnt/two words/a.b/c.tar.gz", "/s3:/bucket/x"])
def test_a_path_is_taken_apart_as_pathlib_does(text: str) -> None:
    path = PurePosixPath(text)
    assert not addresses.is_remote(text)
    assert addresses.scheme(text) == ""
    assert list(addresses.parents(text)) == [str(folder) for folder in path.parents]
    assert addresses.name(text) == path.name
    assert addresses.suffix(text) == path.suffix
    assert addresses.parts(text) == path.parts[1:]


def test_an_address_ends_at_its_bucket() -> None:
    text = "s3://bucket/photos/2024/a.JPG"
    assert addresses.is_remote(text)
    assert addresses.scheme(text) == "s3"
    assert list(addresses.parents(text)) == ["s3://bucket/photos/2024", "s3://bucket/photos", "s3://bucket"]
    assert addresses.name(text) == "a.JPG"
    assert addresses.suffix(text) == ".JPG"
    assert addresses.parts(text) == ("bucket", "photos", "2024", "a.JPG")
    assert addresses.parent("s3://bucket") is None
    assert addresses.suffix("s3://bucket.jpg/.hidden") == ""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket//", "s3://bucket"),
        ("S3://Bucket/A/", "s3://Bucket/A"),
        ("s3a://bucket/a", "s3://bucket/a"),
        ("gcs://bucket/ä ö/", "gs://bucket/ä ö"),
        ("/mnt/photos/", "/mnt/photos"),
    ],
)
def test_one_spelling_is_kept(given: str, kept: str) -> None:
    assert addresses.absolute(given) == kept


def test_a_path_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert addresses.absolute(Path("a/b.jpg")) == f"{tmp_path}/a/b.jpg"
    assert addresses.absolute("~/a") == str(Path.home() / "a")
    assert addresses.absolute("./s3:/a") == f"{tmp_path}/s3:/a"


@pytest.mark.parametrize("given", ["s3://", "s3:///key", "s3://b/../c", "s3://b/a//c", "s3://b/./c", "s3://b/a\0b"])
def test_what_names_no_folder_is_refused(given: str) -> None:
    with pytest.raises(UsageError):
        addresses.absolute(given)


@pytest.mark.parametrize(
    ("text", "folder", "inside"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/", True),
        ("s3://b/x", "s3://b", True),
        ("s3://bc/x", "s3://b", False),
    ],
)
def test_below(text: str, folder: str, inside: bool) -> None:
    assert addresses.is_at_or_below(text, folder) is inside


def test_a_record_knows_the_folders_and_words_of_an_address() -> None:
    record = MediaRecord("id", Kind.IMAGE, ("s3://bucket/trips/paris/eiffel-tower.jpg", "/mnt/photos/a.jpg"))
    assert record.folders == (
        "/", "/mnt", "/mnt/photos", "s3://bucket", "s3://bucket/trips", "s3://bucket/trips/paris",
    )  # fmt: skip
    assert record.words == "trips paris eiffel tower jpg mnt photos a"
    assert Filter(path_prefix="s3://bucket/trips").path_prefix in record.folders
