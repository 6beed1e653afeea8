"""What other programs keep beside photos is left out, unless it is named, and goes as missing files do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.service import JobProgress, JobState
from ingest.scan import ignore
from ingest.scan.folders import FolderListing, Root, Scan
from ingest.scan.ignore import IgnoreRules
from ingest.scan.remote import _classify, _Kept
from workers.storage.objects import Facts

Counts = Callable[[JobProgress], dict[str, int]]

LEFT_OUT = (
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
    "@EADIR/a.jpg",
    "sub/@eaDir/a.jpg",
    "#recycle/a.jpg",
    "#snapshot/2024/a.jpg",
    "@Recycle/a.jpg",
    "@Recently-Snapshot/a.jpg",
    "@tmp/a.jpg",
    ".@__thumb/a.jpg",
    "@__thumb/a.jpg",
    "$RECYCLE.BIN/S-1-5-21/a.jpg",
    "$Recycle.Bin/a.jpg",
    "RECYCLER/S-1-5-21/a.jpg",
    "System Volume Information/a.jpg",
    "lost+found/a.jpg",
    ".Trash-1000/files/a.jpg",
    ".Trashes/501/a.jpg",
    ".thumbnails/large/a.png",
    ".stversions/a.jpg",
    ".dtrash/files/a.jpg",
    "Catalog Previews.lrdata/0/a.jpg",
    "Mine.photoslibrary/resources/derivatives/0/a.jpg",
    "Mine.photoslibrary/resources/derivatives/masters/0/a.jpg",
    "Mine.photoslibrary/Thumbnails/a.jpg",
    "Mine.aplibrary/Previews/a.jpg",
    "Mine.aplibrary/Thumbnails/a.jpg",
    "Mine.migratedphotolibrary/Thumbnails/a.jpg",
    "Thumbs.db",
    "sub/thumbs.DB",
    "._a.jpg",
)
KEPT = (
    "a.jpg",
    "Mine.aplibrary/Masters/2010/a.jpg",
    "Mine.migratedphotolibrary/Masters/a.jpg",
    "Mine.photoslibrary/originals/0/a.jpg",
    "Mine.photoslibrary/Masters/0/a.jpg",
    "Previews/a.jpg",
    "Thumbnails/a.jpg",
    "eaDir/a.jpg",
    "recycle/a.jpg",
    "resources/derivatives/a.jpg",
    "tmp/a.jpg",
)


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def found(root: Path) -> set[str]:
    scan = Scan([Root(str(root), str(root))], excludes=(), home="/nowhere")
    listings = (each for each in scan if isinstance(each, FolderListing))
    return {file[0][len(str(root)) + 1 :] for listing in listings for file in listing.files}


def test_left_out_and_kept(tmp_path: Path) -> None:
    write(tmp_path, *LEFT_OUT, *KEPT)
    assert found(tmp_path) == set(KEPT)


@pytest.mark.parametrize("name", ["@eaDir", "#recycle", "lost+found"])
def test_a_folder_that_is_named_is_scanned(tmp_path: Path, name: str) -> None:
    write(tmp_path, f"{name}/a.jpg", f"{name}/sub/b.jpg", f"{name}/@tmp/c.jpg")
    assert found(tmp_path / name) == {"a.jpg", "sub/b.jpg"}


@pytest.mark.parametrize(
    ("rules", "taken_in"),
    [
        ("!@eaDir/", {"@eaDir/b.jpg", "sub/@eaDir/c.jpg"}),
        ("!/@eaDir", {"@eaDir/b.jpg"}),
        ("!*/", set()),
        ("*\n!*/\n!*.jpg", set()),
        ("!@eaDir/\n@eaDir/", set()),
    ],
)
def test_an_ignore_file_takes_in_what_it_names(tmp_path: Path, rules: str, taken_in: set[str]) -> None:
    write(tmp_path, "a.jpg", "@eaDir/b.jpg", "sub/@eaDir/c.jpg", "#recycle/d.jpg")
    (tmp_path / ".likewiseignore").write_text(rules)
    assert found(tmp_path) == {"a.jpg"} | taken_in


def test_buckets_alike() -> None:
    entries = [
        Facts(f"s3://box/{name}", 1, 1, is_folder=is_folder)
        for name, is_folder in (("@eaDir", True), ("sub", True), ("Thumbs.db", False), ("a.jpg", False))
    ]
    kept = _Kept([], [], [], [], {})
    assert list(_classify(entries, IgnoreRules.for_root("s3://box", ()), kept)) == []
    assert [facts.address for facts in kept.files] == ["s3://box/a.jpg"]
    assert kept.folders == ["s3://box/sub"]
    assert (kept.system_folders, kept.system_files) == (["s3://box/@eaDir"], ["s3://box/Thumbs.db"])


@pytest.mark.parametrize("photos", [0, 3])
def test_what_an_older_version_took_in_goes_without_a_question_and_stays_for_the_grace_period(
    desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch, photos: int
) -> None:
    names = [f"photo{number}.jpg" for number in range(photos)]
    thumbnails = [f"@eaDir/thumb{number}.jpg" for number in range(20)]
    with monkeypatch.context() as older:
        older.setattr(ignore, "is_system", lambda path, is_folder: False)
        for name in (*names, *thumbnails):
            desk.write(name, name)
        desk.run()
    assert len(desk.records()) == photos + 20
    progress = desk.run()
    assert progress.state is JobState.DONE
    assert (
        "1 folder that other programs keep beside photos (thumbnails, recycle bins) was left out." in progress.message
    )
    assert "20 files in them that an older version took in are hidden now" in progress.message
    assert counts(progress) == {"missing": 20} | ({"unchanged": photos} if photos else {})
    assert set(desk.records()) == set(names)
    assert len(desk.records(missing=True)) == photos + 20
    (desk.media / ".likewiseignore").write_text("!@eaDir/")
    desk.seen.clear()
    assert counts(desk.run())["moved"] == 20
    assert desk.seen == [], "they come back unread"
    assert len(desk.records()) == photos + 20


def test_photos_that_go_are_asked_about_even_so(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(ignore, "is_system", lambda path, is_folder: False)
        for number in range(20):
            desk.write(f"@eaDir/{number}.jpg", f"thumbnail {number}")
            desk.write(f"{number}.jpg", f"photo {number}")
        desk.run()
    for number in range(20):
        (desk.media / f"{number}.jpg").unlink()
    progress = desk.run()
    assert progress.state is JobState.NEEDS_CONFIRMATION
    assert "20 of the 20" in progress.message


def test_a_setting_takes_everything_in(make_desk: Any) -> None:
    desk = make_desk(include_system_folders=True)
    for name in ("a.jpg", "@eaDir/b.jpg", "Mine.lrdata/c.jpg", ".hidden/d.jpg"):
        desk.write(name, name)
    assert desk.run().message == ""
    assert set(desk.records()) == {"a.jpg", "@eaDir/b.jpg", "Mine.lrdata/c.jpg"}
    shutil.rmtree(desk.media)
    desk.media.mkdir()
    assert desk.run().state is JobState.NEEDS_CONFIRMATION, "a drive that is not mounted lists nothing either"


def test_a_scan_says_what_it_left_out(desk: Any) -> None:
    for name in ("a.jpg", "sub/a.jpg", "@eaDir/b.jpg", "sub/@eaDir/b.jpg", "sub/Thumbs.db", "Desktop.ini"):
        desk.write(name, name)
    said = "2 folders and 2 files that other programs keep beside photos (thumbnails, recycle bins) were left out."
    assert desk.run().message == said
    assert desk.run().message == said
    assert set(desk.records()) == {"a.jpg", "sub/a.jpg"}
