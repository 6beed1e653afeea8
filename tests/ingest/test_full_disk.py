"""A disk that fills up ends a job with words that somebody can read, and the next run does the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from ingest.jobs import leases
from ingest.jobs.leases import new_coordinator_name
from ingest.jobs.service import JobProgress, JobService, JobState
from ingest.ledger.database import Ledger
from ingest.ledger.tables import jobs, planned
from search.errors import DiskFullError, LedgerUnavailableError

Counts = Callable[[JobProgress], dict[str, int]]
PAGE = 4096
FILES = 300


class Disk:
    """A place for a ledger that can be filled to its last page and emptied again.

    It is a file system of its own where this user may mount one; elsewhere the ledger refuses every transaction that
    writes, as it does on a full disk.
    """

    def __init__(self, folder: Path, *, mounted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._mounted, self._patch = folder, mounted, monkeypatch
        self.is_full = False
        if not mounted:
            write = Ledger.write

            @contextmanager
            def refusing(ledger: Ledger) -> Iterator[Any]:
                if self.is_full:
                    raise DiskFullError(f"The ledger cannot grow: the disk of '{folder}' is full.", "Make room.")
                with write(ledger) as connection:
                    yield connection

            monkeypatch.setattr(Ledger, "write", refusing)

    def fill(self) -> None:
        self.is_full = True
        if not self._mounted:
            return
        with (self.folder / "filler").open("wb") as file:
            end, piece = 0, 1 << 24
            while piece >= PAGE:
                try:
                    os.posix_fallocate(file.fileno(), end, piece)
                except OSError:
                    piece //= 2
                else:
                    end += piece

    def make_room(self) -> None:
        self.is_full = False
        (self.folder / "filler").unlink(missing_ok=True)


@pytest.fixture(params=["file system", "refusing ledger"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    wanted = request.param == "file system" and os.geteuid() == 0 and shutil.which("mount") is not None
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(folder)]
    mounted = wanted and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    yield Disk(folder, mounted=mounted, monkeypatch=monkeypatch)
    if mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def full_desk(make_desk: Any, disk: Disk) -> Any:
    """A desk whose ledger is on the disk."""
    desk = make_desk(database_url=f"sqlite:///{disk.folder}/ledger.sqlite")
    desk.fill(FILES)
    return desk


def at_batch(desk: Any, disk: Disk, number: int) -> None:
    """Let the disk be full before this batch is embedded."""

    def before(_batch: Any) -> None:
        if len(desk.runner.batches) == number:
            disk.fill()

    desk.runner.before = before


def at_scan(desk: Any, disk: Disk) -> None:
    found = desk.ingest._sources.found

    def filling(*args: Any) -> Any:
        disk.fill()
        desk.ingest._sources.found = found
        return found(*args)

    desk.ingest._sources.found = filling


def at_last_batch(desk: Any, disk: Disk) -> None:
    def before(batch: Any) -> None:
        if len(desk.runner.seen) + len(batch.files) == FILES:
            disk.fill()

    desk.runner.before = before


def at_the_end(desk: Any, disk: Disk) -> None:
    """When all files are embedded and credits are looked for."""
    rewritten = desk.ingest._credits.rewritten_by

    def filling(*args: Any) -> Any:
        disk.fill()
        desk.ingest._credits.rewritten_by = rewritten
        return rewritten(*args)

    desk.ingest._credits.rewritten_by = filling


MOMENTS: dict[str, Callable[[Any, Disk], None]] = {
    "before it begins": lambda _, disk: disk.fill(),
    "at the scan": at_scan,
    "at the first batch": lambda desk, disk: at_batch(desk, disk, 1),
    "at the third batch": lambda desk, disk: at_batch(desk, disk, 3),
    "at the last batch": at_last_batch,
    "at the end": at_the_end,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_disk_that_fills_up_ends_the_job_with_words(full_desk: Any, disk: Disk, moment: str) -> None:
    desk = full_desk
    job = desk.ingest.start([desk.media])
    MOMENTS[moment](desk, disk)
    began = time.monotonic()
    ended = desk.ingest.run(job)
    assert time.monotonic() - began < 30
    assert ended.state is JobState.FAILED
    assert "is full" in ended.message
    assert str(disk.folder) in ended.message
    assert "again" in ended.message
    # whoever asks this process is told, although the ledger still says that it runs
    assert desk.ingest.progress(job) == ended
    assert desk.ingest.jobs() == [ended]
    assert desk.ingest.run(job) == ended
    assert desk.ingest.waiting() == []
    assert stored_state(desk, job) in ("queued", "scanning", "running")

    disk.make_room()
    assert desk.ingest.waiting() == []
    assert stored_state(desk, job) == "failed"
    assert desk.ingest.progress(job).message == ended.message
    desk.runner.before = None
    assert desk.run().state is JobState.DONE
    assert len(desk.records()) == FILES
    with desk.ledger.read() as connection:
        assert connection.execute(select(planned)).all() == []


def test_the_next_process_goes_on(full_desk: Any, disk: Disk, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the job ends before there is room, and the ledger names a job that seems to run."""
    desk = full_desk
    job = desk.ingest.start([desk.media])
    at_batch(desk, disk, 2)
    assert desk.ingest.run(job).state is JobState.FAILED
    disk.make_room()
    desk.runner.before = None
    monkeypatch.setattr(leases, "_is_dead", lambda _owner: True)
    later = JobService(desk.settings, desk.store, desk.ledger, desk.runner)
    assert later.progress(job).abandoned
    assert "goes on with it" in later.progress(job).message
    assert later.waiting() == [job]
    done = later.run(job)
    assert done.state is JobState.DONE
    assert len(desk.records()) == FILES


def test_a_job_waits_out_a_ledger_that_is_away_and_then_ends(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a database server that never comes back."""
    desk.fill(3)
    job = desk.ingest.start([desk.media])

    def away(_ledger: Ledger) -> Any:
        raise LedgerUnavailableError("The ledger cannot be used just now: no connection.", "Is its server running?")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "write", away)
        ended = desk.ingest.run(job)
        assert ended.state is JobState.FAILED
        assert "cannot be used just now" in ended.message
        assert desk.ingest.progress(job) == ended
    assert desk.ingest.waiting() == []
    assert stored_state(desk, job) == "failed"
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "read", away)
        other = desk.ingest.run("77")
        assert other.state is JobState.FAILED
    assert desk.run().state is JobState.DONE


def test_a_file_system_that_refuses_more_than_the_ledger(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything that runs out of room while a job runs is told as that."""
    desk.fill(3)

    def full(_batch: Any) -> None:
        raise OSError(28, os.strerror(28), "/srv/temporary/x")

    desk.runner.before = full
    ended = desk.run()
    assert ended.state is JobState.FAILED
    assert "A disk is full" in ended.message
    assert "/srv/temporary/x" in ended.message
    assert "Make room" in ended.message


def test_an_end_is_not_stored_over_the_work_of_another(full_desk: Any, disk: Disk) -> None:
    desk = full_desk
    job = desk.ingest.start([desk.media])
    at_batch(desk, disk, 1)
    assert desk.ingest.run(job).state is JobState.FAILED
    disk.make_room()
    with desk.ledger.write() as connection:
        owner = new_coordinator_name()
        now = desk.ledger.now(connection)
        connection.execute(update(jobs).where(jobs.c.id == int(job)).values(owner=owner, heartbeat=now))
    desk.ingest.waiting()
    assert stored_state(desk, job) == "running"
    assert desk.ingest.progress(job).state is JobState.RUNNING
    assert not desk.ingest.progress(job).abandoned


def test_the_heartbeat_of_a_full_disk_goes_on_later(
    full_desk: Any, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.05)
    desk = full_desk
    job = desk.ingest.start([desk.media])
    disk.fill()
    time.sleep(0.3)
    disk.make_room()
    at = heartbeat(desk, job)
    deadline = time.monotonic() + 20
    while heartbeat(desk, job) == at:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_threads_that_ask_do_not_wait_for_a_full_ledger(full_desk: Any, disk: Disk) -> None:
    desk = full_desk
    job = desk.ingest.start([desk.media])
    at_batch(desk, disk, 1)
    desk.ingest.run(job)
    seen: list[JobState] = []
    threads = [threading.Thread(target=lambda: seen.append(desk.ingest.progress(job).state)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [JobState.FAILED] * 8


@pytest.mark.parametrize("count", [1, 40])
def test_a_ledger_of_fixed_size_says_that_it_is_full(make_settings: Any, tmp_path: Path, count: int) -> None:
    """By SQLite's own limit, which needs no right to mount."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")

    def fill() -> None:
        with ledger.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + count}")
            for number in range(5_000):
                row = {"job": 1, "action": "read", "path": f"/m/{number:0500}", "folder": "/m", "library": 1}
                connection.execute(insert(planned).values(**row, size=1, mtime_ns=1))

    with pytest.raises(DiskFullError, match="cannot grow"):
        fill()
    with ledger.read() as connection:
        assert connection.execute(select(planned)).all() == []
    ledger.close()


def stored_state(desk: Any, job: str) -> str:
    with desk.ledger.read() as connection:
        return str(connection.execute(select(jobs.c.state).where(jobs.c.id == int(job))).scalar_one())


def heartbeat(desk: Any, job: str) -> float | None:
    with desk.ledger.read() as connection:
        return connection.execute(select(jobs.c.heartbeat).where(jobs.c.id == int(job))).scalar_one()  # type: ignore[no-any-return]
