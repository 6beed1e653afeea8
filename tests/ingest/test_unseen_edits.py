"""Edits that leave size and modification time as they were, and files whose times change and whose bytes do not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from ingest.jobs.service import JobProgress, JobState
from ingest.ledger.tables import files

Counts = Callable[[JobProgress], dict[str, int]]


def edit_in_place(path: Path, content: bytes) -> None:
    """As ``exiftool -P -overwrite_original_in_place`` does."""
    before = path.stat()
    assert len(content) == before.st_size
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def change_times(desk: Any) -> dict[str, int | None]:
    with desk.ledger.read() as connection:
        return {desk.name(path): time for path, time in connection.execute(select(files.c.path, files.c.ctime_ns))}


def forget_change_times(desk: Any) -> None:
    """As in a ledger that a version before has written."""
    with desk.ledger.write() as connection:
        connection.execute(update(files).values(ctime_ns=None))


def test_an_edit_that_puts_the_time_back_is_seen(desk: Any, counts: Counts) -> None:
    path = desk.write("a.jpg", b"upright ")
    desk.write("b.jpg", b"another")
    desk.run()
    before = desk.records()["a.jpg"].id
    edit_in_place(path, b"sideways")
    assert counts(desk.run()) == {"embedded": 1, "unchanged": 1}
    assert desk.seen == ["a.jpg"]
    assert desk.records()["a.jpg"].id != before
    assert counts(desk.run()) == {"unchanged": 2}


def test_new_permissions_embed_nothing(desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(5)
    desk.write("notes.txt", "words")
    desk.run()
    noted = change_times(desk)
    for path in desk.media.iterdir():
        path.chmod(0o600)
    assert counts(desk.run()) == {"unchanged": 5, "skipped": 1}
    assert desk.seen == []
    after = change_times(desk)
    assert all((after[name] or 0) > (noted[name] or 0) for name in noted)
    monkeypatch.setattr("workers.storage.files.FileAccess.read", lambda *_: pytest.fail("it is noted"))
    assert counts(desk.run()) == {"unchanged": 6}


def test_a_folder_that_is_renamed_and_one_that_gets_a_hard_link_embed_nothing(desk: Any, counts: Counts) -> None:
    desk.fill(3, "old")
    desk.fill(2, "linked")
    desk.run()
    (desk.media / "old").rename(desk.media / "new")
    for path in list((desk.media / "linked").iterdir()):
        path.with_suffix(".jpeg").hardlink_to(path)
    assert counts(desk.run()) == {"moved": 3, "unchanged": 2, "duplicate": 2}
    assert desk.seen == []
    assert counts(desk.run()) == {"unchanged": 7}


def test_a_ledger_without_change_times_gets_them_unread(
    desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fill(5)
    path = desk.write("a.jpg", b"upright ")
    desk.write("broken.jpg", "broken")
    desk.run()
    noted = change_times(desk)
    forget_change_times(desk)
    with monkeypatch.context() as patched:
        patched.setattr("workers.storage.files.FileAccess.read", lambda *_: pytest.fail("nothing has changed"))
        assert counts(desk.run()) == {"unchanged": 7}
    assert change_times(desk) == noted
    assert None not in noted.values()
    edit_in_place(path, b"sideways")
    assert counts(desk.run()) == {"embedded": 1, "unchanged": 6}


def test_reread_finds_what_no_time_tells(desk: Any, counts: Counts) -> None:
    desk.fill(4)
    path = desk.write("a.jpg", b"upright ")
    desk.write("broken.jpg", "broken")
    desk.run()
    edit_in_place(path, b"sideways")
    forget_change_times(desk)
    assert counts(desk.run()) == {"unchanged": 6}, "which is why one may want to have it read"
    progress = desk.run(reread=True)
    assert progress.state is JobState.DONE_WITH_FAILURES
    assert counts(progress) == {"unchanged": 4, "embedded": 1, "failed": 1}
    assert sorted(desk.seen) == ["a.jpg", "broken.jpg"]
    assert progress.done == progress.total == 6
    assert counts(desk.run()) == {"unchanged": 6}


def test_reread_that_was_cut_off_goes_on(desk: Any, counts: Counts) -> None:
    desk.fill(3)
    desk.run()
    job = desk.ingest.start([desk.media], reread=True)
    desk.ingest.halt()
    assert desk.ingest.run(job).state is JobState.QUEUED
    assert '"reread": "1"' in _options(desk, job)


def _options(desk: Any, job: str) -> str:
    from ingest.ledger.tables import jobs

    with desk.ledger.read() as connection:
        return str(connection.execute(select(jobs.c.options).where(jobs.c.id == int(job))).scalar_one())


@pytest.mark.parametrize("seconds", [2**40, -(2**40), 13_600_000_000])
def test_times_beyond_what_a_database_keeps_end_no_ingest(desk: Any, counts: Counts, seconds: int) -> None:
    path = desk.write("a.jpg", "picture")
    desk.write("b.jpg", "another")
    os.utime(path, ns=(0, seconds * 10**9))  # a file system that holds no such time keeps the closest
    assert counts(desk.run()) == {"embedded": 2}
    assert counts(desk.run()) == {"unchanged": 2}
