"""Libraries in buckets: taken in, taken in again, moved, deleted; and what goes wrong on the way."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import s3fs

from ingest.jobs.progress import JobState
from ingest.scan.folders import FolderListing, Found, Root, Unreadable
from ingest.scan.remote import RemoteScan, list_objects
from search.errors import NotFoundError, UnreadableFileError, UsageError
from search.media import COLLECTIONS, MediaRecord
from search.settings import Settings
from search.store.filters import Filter
from workers.batch.report import Batch, BatchReport, FileRef
from workers.storage.files import FileAccess
from workers.storage.objects import Objects

Counts = Callable[[Any], dict[str, int]]


@pytest.fixture
def desk(make_desk: Callable[..., Any], bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A desk whose runner reads objects as workers do."""
    made = make_desk(decode_timeout=5.0)
    access = FileAccess(made.settings)

    def run(batches: Iterable[Batch]) -> Iterator[BatchReport]:
        for batch in batches:
            made.runner.batches.append(batch)
            yield BatchReport(batch.id, tuple(outcome(batch, file) for file in batch.files))

    def outcome(batch: Batch, file: FileRef) -> Any:
        with access.local(file.path, file.sha256, file.sidecars) as here:
            content = Path(here).read_bytes()
            sidecars = [Path(here).with_name(name).read_text() for name in file.sidecars]
        assert hashlib.sha256(content).hexdigest() == file.sha256
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "read_bytes", lambda path: content)
            patch.setattr(made.runner, "artist_of", lambda path: next(iter(sidecars), None))
            return made.runner._outcome(batch, file)

    monkeypatch.setattr(made.runner, "run", run)
    return made


def records(desk: Any, *, missing: bool = False) -> dict[str, MediaRecord]:
    """Every record by each of its paths."""
    found = {}
    for collection in COLLECTIONS:
        for point in desk.store.scroll(collection, where=Filter(include_missing=missing)):
            record = MediaRecord.from_payload(point.payload)
            found.update(dict.fromkeys(record.paths, record))
    return found


def scan(settings: Settings, *roots: str, base: str = "", **options: Any) -> list[Found]:
    wanted = [Root(root, base or root) for root in roots]
    return list(RemoteScan(wanted, Objects(settings), **{"excludes": (), **options}))


def test_taken_in_and_taken_in_again(desk: Any, bucket: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("trip/a.jpg", "trip/paris/b.jpg", "trip/paris/clip.mp4", "trip/song.mp3", "other/c.jpg"):
        bucket.put(key, key.encode())
    bucket.put("trip/notes.txt", b"words")
    bucket.put("trip/copy.jpg", b"trip/a.jpg")
    first = desk.run("s3://media/trip")
    assert first.state is JobState.DONE
    assert counts(first) == {"embedded": 4, "duplicate": 1, "skipped": 1}
    assert first.library == "trip"
    assert first.roots == ("s3://media/trip",)
    found = records(desk)
    assert sorted(found) == [
        "s3://media/trip/a.jpg",
        "s3://media/trip/copy.jpg",
        "s3://media/trip/paris/b.jpg",
        "s3://media/trip/paris/clip.mp4",
        "s3://media/trip/song.mp3",
    ]
    assert found["s3://media/trip/paris/b.jpg"].folders == ("s3://media", "s3://media/trip", "s3://media/trip/paris")
    assert {file.root for batch in desk.runner.batches for file in batch.files} == {"s3://media/trip"}

    monkeypatch.setattr(FileAccess, "read", lambda access, path, _: pytest.fail(f"read {path}"))
    assert counts(desk.run("s3://media/trip/")) == {"unchanged": 6}


def test_sidecars_are_part_of_the_record(desk: Any, bucket: Any, counts: Counts) -> None:
    for key in ("trip/a.jpg", "trip/b.jpg", "trip/alone.xmp", "trip/@eaDir/c.jpg", "trip/Thumbs.db"):
        bucket.put(key, key.encode())
    bucket.put("trip/a.xmp", b"by a")
    first = desk.run("s3://media/trip")
    assert (first.total, counts(first)) == (2, {"embedded": 2})
    assert "1 folder and 1 file" in first.message
    assert {file.path: file.sidecars for batch in desk.runner.batches for file in batch.files} == {
        "s3://media/trip/a.jpg": ("a.xmp",),
        "s3://media/trip/b.jpg": (),
    }
    assert {path: record.artist for path, record in records(desk).items()} == {
        "s3://media/trip/a.jpg": "by a",
        "s3://media/trip/b.jpg": None,
    }
    assert counts(desk.run("s3://media/trip")) == {"unchanged": 2}
    bucket.put("trip/a.xmp", b"by A")
    bucket.put("trip/b.jpg.xmp", b"by b")
    assert counts(desk.run("s3://media/trip")) == {"embedded": 2}
    assert {path: record.artist for path, record in records(desk).items()} == {
        "s3://media/trip/a.jpg": "by A",
        "s3://media/trip/b.jpg": "by b",
    }
    bucket.delete("trip/a.xmp")
    assert counts(desk.run("s3://media/trip")) == {"embedded": 1, "unchanged": 1}
    assert records(desk)["s3://media/trip/a.jpg"].artist is None


def test_a_rescan_opens_no_object(desk: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("a/b.jpg", b"picture")
    bucket.put("a/c.unknown", b"who knows")
    desk.run("s3://media")
    asked: list[str] = []
    call = s3fs.S3FileSystem._call_s3

    async def noted(self: Any, method: str, *args: Any, **options: Any) -> Any:
        asked.append(method)
        return await call(self, method, *args, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", noted)
    desk.run("s3://media")
    assert set(asked) == {"head_bucket", "list_objects_v2"}
    assert asked.count("list_objects_v2") == 2


def test_moved_changed_and_deleted(desk: Any, bucket: Any, counts: Counts) -> None:
    for number in range(5):
        bucket.put(f"a/{number}.jpg", f"picture {number}".encode())
    desk.run("s3://media/a")
    before = records(desk)
    bucket.put("a/new/0.jpg", b"picture 0")
    bucket.delete("a/0.jpg")
    bucket.put("a/1.jpg", b"picture X")  # of the same size, and within the same second
    bucket.delete("a/2.jpg")
    second = desk.run("s3://media/a")
    assert counts(second) == {"moved": 1, "embedded": 1, "missing": 1, "unchanged": 2}
    after = records(desk)
    assert after["s3://media/a/new/0.jpg"].id == before["s3://media/a/0.jpg"].id
    assert after["s3://media/a/1.jpg"].id != before["s3://media/a/1.jpg"].id
    assert set(after) == {f"s3://media/a/{name}.jpg" for name in ("new/0", "1", "3", "4")}
    assert "s3://media/a/2.jpg" in records(desk, missing=True)


def test_a_bucket_that_is_empty_all_at_once_is_asked_about(desk: Any, bucket: Any) -> None:
    for number in range(3):
        bucket.put(f"a/{number}.jpg", f"picture {number}".encode())
    desk.run("s3://media/a")
    for number in range(3):
        bucket.delete(f"a/{number}.jpg")
    asked = desk.run("s3://media/a")
    assert asked.state is JobState.NEEDS_CONFIRMATION
    assert len(records(desk)) == 3
    assert desk.run("s3://media/a", confirm_missing=True).missing == 3
    assert not records(desk)


def test_a_single_object_and_a_library_of_its_own(desk: Any, bucket: Any) -> None:
    bucket.put("a/one.jpg", b"one")
    bucket.put("a/two.jpg", b"two")
    progress = desk.run("s3://media/a/one.jpg")
    assert (progress.embedded, progress.library) == (1, "a")
    assert set(records(desk)) == {"s3://media/a/one.jpg"}
    assert desk.run("s3://media/a/one.jpg").unchanged == 1


def test_an_object_that_vanishes_before_it_is_read(desk: Any, bucket: Any, counts: Counts) -> None:
    bucket.put("a.jpg", b"stays")
    bucket.put("b.jpg", b"goes")
    read = FileAccess.read

    def gone(access: FileAccess, path: str, beneath: str | None) -> Any:
        bucket.delete("b.jpg")
        return read(access, path, beneath)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileAccess, "read", gone)
        progress = desk.run("s3://media")
    assert progress.state is JobState.DONE
    assert counts(progress)["embedded"] == 1
    assert progress.total == 1


def test_a_bucket_that_goes_silent_hides_nothing(
    desk: Any, bucket: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a/b.jpg", b"picture")
    desk.run("s3://media")
    job = desk.ingest.start(["s3://media"])

    def silent(self: Objects, address: str) -> Any:
        raise OSError(5, "the store gives no answer")

    monkeypatch.setattr(Objects, "listing", silent)
    monkeypatch.setattr(Objects, "facts", silent)
    progress = desk.ingest.run(job)
    assert progress.state is JobState.DONE_WITH_FAILURES
    assert [(failure.path, failure.code) for failure in desk.ingest.failures()] == [("s3://media", "unreadable")]
    assert set(records(desk)) == {"s3://media/a/b.jpg"}


def test_what_cannot_be_a_root(desk: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (
        "file:///etc",
        "file://etc/passwd",
        "http://169.254.169.254/latest",
        "memory://x/y",
        "simplecache::s3://media",
    ):
        with pytest.raises((UsageError, NotFoundError), match=r"not allowed|does not exist|names no bucket"):
            desk.ingest.start([address])
    with pytest.raises(NotFoundError, match="there is no bucket 'nowhere'"):
        desk.ingest.start(["s3://nowhere/a"])
    with pytest.raises(NotFoundError, match="there is no such object"):
        desk.ingest.start(["s3://media/nothing"])
    with pytest.raises(UsageError, match="need gcsfs, which is not installed \\(pip install gcsfs\\)"):
        desk.ingest.start(["gs://bucket/a"])
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(UsageError, match=r"need s3fs, which is not installed \(pip install 'likewise\[s3\]'\)"):
        desk.ingest.start(["s3://media"])


def test_without_credentials(desk: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(UnreadableFileError, match="no credentials are found: set AWS_ACCESS_KEY_ID"):
        desk.ingest.start(["s3://media"])


def test_other_schemes_where_a_setting_says_so(make_desk: Callable[..., Any]) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/shelf/a.jpg", b"in memory")
    desk = make_desk(remote_schemes=("memory",))
    assert desk.ingest._sources.checked("memory://shelf", anywhere=True) == "memory://shelf"
    (listing,) = scan(desk.settings, "memory://shelf")
    assert isinstance(listing, FolderListing)
    assert [(path, size) for path, size, *_ in listing.files] == [("memory://shelf/a.jpg", 9)]
    memory.rm("/shelf", recursive=True)
    with pytest.raises(UsageError, match="not allowed"):
        desk.ingest.start(["s3://media"])


def test_ignore_files_excludes_and_hidden_names(make_settings: Callable[..., Settings], bucket: Any) -> None:
    bucket.put("lib/.likewiseignore", b"*.gif\nprivate/\n")
    bucket.put("lib/sub/.likewiseignore", b"!keep.gif\n")
    hidden = (".hidden.jpg", ".git/e.jpg")
    for key in ("a.jpg", "b.gif", "private/c.jpg", "sub/keep.gif", "sub/d.gif", "tmp/f.jpg", *hidden):
        bucket.put(f"lib/{key}", b"x")
    found = scan(make_settings(), "s3://media/lib", excludes=("tmp/",))
    paths = [path for listing in found if isinstance(listing, FolderListing) for path, *_ in listing.files]
    assert paths == ["s3://media/lib/a.jpg", "s3://media/lib/sub/keep.gif"]
    below = scan(make_settings(), "s3://media/lib/sub", base="s3://media/lib")
    assert [path for listing in below for path, *_ in listing.files] == ["s3://media/lib/sub/keep.gif"]  # type: ignore[union-attr]


def test_a_prefix_of_more_than_one_page(
    make_settings: Callable[..., Settings], bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")  # the server's, which is 1,000 elsewhere
    for number in range(1, 34):
        bucket.put(f"many/{number:05}.jpg", b"x")
    answer = bucket.client.list_objects_v2(Bucket="media", Prefix="many/")
    assert answer["IsTruncated"]
    assert answer["KeyCount"] == 10
    (listing,) = scan(make_settings(), "s3://media/many")
    assert isinstance(listing, FolderListing)
    assert [path for path, *_ in listing.files] == [f"s3://media/many/{number:05}.jpg" for number in range(1, 34)]


def test_odd_keys(make_settings: Callable[..., Settings], bucket: Any) -> None:
    bucket.put("a/", b"")  # what consoles make of "new folder"
    bucket.put("a/ü [1] *?#%20.jpg", b"x")
    bucket.put("a//empty.jpg", b"x")
    bucket.put("a/b", b"an object and a folder")
    bucket.put("a/b/c.jpg", b"x")
    found = scan(make_settings(), "s3://media")
    refused = [each.path for each in found if isinstance(each, Unreadable)]
    paths = [path for each in found if isinstance(each, FolderListing) for path, *_ in each.files]
    assert refused == ["s3://media/a/"]
    assert paths == ["s3://media/a/b", "s3://media/a/ü [1] *?#%20.jpg", "s3://media/a/b/c.jpg"]
    assert Objects(make_settings()).head("s3://media/a/ü [1] *?#%20.jpg", 9) == b"x"


def test_our_own_previews_are_no_media(make_desk: Callable[..., Any], bucket: Any) -> None:
    bucket.put("previews/ab/x.webp", b"preview")
    bucket.put("uploads/y.jpg", b"upload")
    bucket.put("a.jpg", b"picture")
    desk = make_desk(shared="s3://media")
    (listing,) = desk.ingest._sources._scan([Root("s3://media", "s3://media")])
    assert [path for path, *_ in listing.files] == ["s3://media/a.jpg"]
    with pytest.raises(UsageError, match="Likewise's own"):
        desk.ingest.start(["s3://media/previews"])


def test_named_objects(make_settings: Callable[..., Settings], bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("a/b.jpg", b"x")
    listing = list_objects(Objects(make_settings()), "s3://media/a", ["s3://media/a/b.jpg", "s3://media/a/gone.jpg"])
    assert [path for path, *_ in listing.files] == ["s3://media/a/b.jpg"]
    assert listing.covers == {"s3://media/a/b.jpg", "s3://media/a/gone.jpg"}
    monkeypatch.setattr(Objects, "facts", lambda self, address: (_ for _ in ()).throw(OSError(5, "no answer")))
    assert list_objects(Objects(make_settings()), "s3://media/a", ["s3://media/a/b.jpg"]).covers == frozenset()
