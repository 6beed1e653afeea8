"""A backup holds everything, and restores into either kind of store and of ledger; nothing less is taken for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, update

from ingest.jobs.service import JobService, JobState
from ingest.ledger.tables import files, jobs
from ingest.maintenance.backup import manifest as manifests
from ingest.maintenance.backup import snapshots, task, write
from ingest.maintenance.backup.manifest import JOURNAL, MANIFEST, load_manifest
from ingest.maintenance.backup.verify import find_damage
from search.errors import BackupError, DiskFullError, UsageError
from search.transfer import pages
from workers.embedders.sound.standardise import KEY, UNDER_WAY


@pytest.mark.parametrize(("source", "target"), [("server", "edge"), ("edge", "server"), ("edge", "edge")])
def test_round_trip(make_desk: Callable[..., Any], folder: Path, source: str, target: str) -> None:
    desk = make_desk("home", source)
    desk.fill()
    before = desk.rows(), desk.files()
    desk.back_up(folder)
    assert (desk.rows(), desk.files()) == before
    restored = make_desk("restored", target)
    restored.restore(folder)
    restored.check_equals(desk)
    assert restored.ingest.unfinished() == [], "nothing begins by itself in a restored ledger"
    assert restored.numbered_after() > max(row["id"] for row in desk.rows()["jobs"])
    again = folder.with_name("again")
    restored.back_up(again)
    assert load_manifest(again).head.tables["files"] == load_manifest(folder).head.tables["files"]


def test_round_trip_over_postgresql(make_desk: Callable[..., Any], folder: Path, postgres: Any) -> None:
    desk = make_desk("home")
    desk.fill()
    desk.back_up(folder)
    server = make_desk("server", database_url=postgres.make())
    server.restore(folder)
    server.check_equals(desk)
    assert server.numbered_after() == 6
    again = folder.with_name("again")
    server.back_up(again)
    home = make_desk("back")
    home.restore(again)
    home.check_equals(server)


def test_parts_can_be_read_by_anybody(desk: Any, folder: Path) -> None:
    desk.back_up(folder)
    table = pq.read_table([folder / part.path for part in load_manifest(folder).parts if part.of == "videos"])
    vectors = ("vector_visual", "vector_sound", "vector_sound_raw")
    assert table.column_names == ["id", "payload", "checksums", "preview", *vectors]
    assert {len(row) % 16 for row in table.column("vector_visual").to_pylist()} == {0}
    assert None in table.column("vector_sound").to_pylist()


def test_the_folder_must_be_free(desk: Any, folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    for to, complaint in (
        (str(folder), "not empty"),
        (str(tmp_path / "file"), "not a folder"),
        (str(desk.settings.home / "backup"), "in the data directory"),
        ("backup", "not an absolute path"),
    ):
        with pytest.raises(UsageError, match=complaint):
            desk.ingest.start_task("backup", {"to": to})


def parts_of(folder: Path) -> dict[str, int]:
    """Files of parts, with when each was written."""
    kept = {part.path for part in load_manifest(folder).parts}
    return {path: (folder / path).stat().st_mtime_ns for path in kept}


def test_the_next_backup_writes_what_has_changed_and_those_before_can_be_restored(
    desk: Any, make_desk: Callable[..., Any], folder: Path
) -> None:
    desk.back_up(folder)
    first, before = load_manifest(folder), parts_of(folder)
    points = [point for page in pages(desk.store, "images") for point in page]
    desk.store.patch_payload("images", {points[7].id: {"camera": "Nikon"}})
    desk.store.delete("images", [points[300].id])
    with desk.ledger.write() as connection:
        connection.execute(delete(files).where(files.c.media_id == points[300].id))

    desk.back_up(folder)

    after = parts_of(folder)
    assert load_manifest(folder).head.id != first.head.id
    new = after.keys() - before.keys()
    assert len([path for path in new if path.startswith("collections")]) <= 2
    assert all(after[path] == before[path] for path in after.keys() & before.keys()), "written again"
    assert len(snapshots.names(folder)) == 2
    for name, count in zip(snapshots.names(folder), (399, 400), strict=True):
        manifest = snapshots.load(folder, name)
        assert manifest.collections["images"].points == count
        assert not any(complaint for _, complaint in find_damage(folder, manifest))
    restored = make_desk("restored")
    restored.restore(folder)
    restored.check_equals(desk)
    with pytest.raises(UsageError, match="holds no backup 'yesterday'"):
        snapshots.load(folder, "yesterday")


def test_backups_of_one_second_are_in_order_of_time(desk: Any, folder: Path) -> None:
    desk.back_up(folder)
    manifest = load_manifest(folder)

    def named(created: str, id_: str) -> str:
        return snapshots.name_of(replace(manifest, head=replace(manifest.head, created=created, id=id_)))

    whole_seconds = named("2026-11-30T11:45:00+00:00", "ffff")
    assert whole_seconds == "20261130T114500-ffff"
    first, second = named("2026-11-30T11:45:00.001+00:00", "eeee"), named("2026-11-30T11:45:00.002+00:00", "1111")
    assert whole_seconds < first < second
    assert "." in manifest.head.created


@pytest.mark.parametrize(
    ("task", "setting", "names"),
    [
        ("backup", "backup_folders", "LIKEWISE_BACKUP_FOLDERS"),
        ("migrate", "migration_targets", "LIKEWISE_MIGRATION_TARGETS"),
    ],
)
def test_a_job_writes_only_where_the_settings_of_the_moment_it_runs_say(
    desk: Any, folder: Path, task: str, setting: str, names: str
) -> None:
    to = str(folder) if task == "backup" else f"edge:{folder}"

    def run(*listed: str) -> Any:
        """A job that was made without asking which places are listed."""
        narrowed = desk.settings.model_copy(update={setting: listed})
        tasks = {kind: type(each)(narrowed, desk.store, desk.ledger) for kind, each in desk.tasks.items()}
        service = JobService(narrowed, desk.store, desk.ledger, None, tasks=tasks, retry_delays=())
        return service.run(service.start_task(task, {"to": to}))

    refused = run("/elsewhere")
    assert refused.state is JobState.FAILED
    assert f"{names} names /elsewhere" in refused.message
    assert not (folder / MANIFEST).exists()
    assert not (folder / "collections").exists()
    assert run(to).state is JobState.DONE


def test_older_backups_are_deleted_with_the_parts_that_only_they_need(
    desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [point.id for point in desk.store.scroll("images", payload=False)]
    for day in range(3):
        monkeypatch.setattr(write, "datetime", Clock(day))
        desk.store.patch_payload("images", {ids[day]: {"camera": f"day {day}"}})
        desk.back_up(folder)
    assert [name[:8] for name in snapshots.names(folder)] == ["20260103", "20260102", "20260101"]
    monkeypatch.setattr(write, "datetime", Clock(3))
    ended = desk.ingest.run(desk.ingest.start_task("backup", {"to": str(folder), "keep": "2"}))
    assert ended.message.endswith("2 older were deleted.")
    assert [name[:8] for name in snapshots.names(folder)] == ["20260104", "20260103"]
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    needed = {part.path for name in snapshots.names(folder) for part in snapshots.load(folder, name).parts}
    assert held - needed == {MANIFEST, *(f"snapshots/{name}.json" for name in snapshots.names(folder))}
    assert needed <= held


class Clock:
    """Stands for ``datetime``; it is noon of a day of January 2026."""

    def __init__(self, day: int) -> None:
        self._now = datetime(2026, 1, 1 + day, 12, tzinfo=UTC)

    def now(self, _zone: object) -> datetime:
        return self._now


def test_a_part_that_has_rotted_is_written_again(desk: Any, folder: Path) -> None:
    desk.back_up(folder)
    part = folder / next(part.path for part in load_manifest(folder).parts if part.of == "images")
    part.write_bytes(bytes(part.stat().st_size))
    desk.back_up(folder)
    assert not any(complaint for _, complaint in find_damage(folder, load_manifest(folder)))


def test_cancelled_and_gone_on_with(desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.begin("backup", str(folder))
    written: list[str] = []
    add = manifests.Journal.add

    def watched(journal: Any, part: Any) -> None:
        add(journal, part)
        written.append(part.path)
        if len(written) == 10:
            desk.ingest.cancel(job)

    monkeypatch.setattr(manifests.Journal, "add", watched)
    assert desk.ingest.run(job).state is JobState.CANCELLED
    assert not (folder / MANIFEST).exists()
    with pytest.raises(BackupError, match="never finished"):
        load_manifest(folder)
    desk.back_up(folder)
    assert len(written) == len(set(written)), "no part was written twice"
    assert all(complaint == "" for _, complaint in find_damage(folder, load_manifest(folder)))


def test_cancelled_while_the_library_is_brought_up_to_date_nothing_is_written(
    desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = desk.begin("backup", str(folder))

    def cancelled(*_: Any, goes_on: Callable[[], bool]) -> None:
        desk.ingest.cancel(job)
        assert not goes_on()

    monkeypatch.setattr(task, "bring_up_to_date", cancelled)
    assert desk.ingest.run(job).state is JobState.CANCELLED
    assert list(folder.iterdir()) == []


def test_begun_anew_when_files_were_taken_in_since(
    desk: Any, make_desk: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(desk, folder, 10, monkeypatch)
    id_ = next(iter(desk.store.scroll("images"))).id
    desk.store.patch_payload("images", {id_: {"tags": ["taken in"]}})
    with desk.ledger.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == 5).values(seconds=2.5, embedded=1))
    desk.back_up(folder)
    restored = make_desk("restored")
    restored.restore(folder)
    restored.check_equals(desk)


def stop_after(desk: Any, folder: Path, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that ends like a killed one after so many parts."""
    add = manifests.Journal.add

    def dying(journal: Any, part: Any) -> None:
        if len(journal.parts) == parts:
            raise KeyboardInterrupt
        add(journal, part)

    with monkeypatch.context() as patched:
        patched.setattr(manifests.Journal, "add", dying)
        job = desk.begin("backup", str(folder))
        with pytest.raises(KeyboardInterrupt):
            desk.ingest.run(job)
    desk.ingest.cancel(job)


def test_a_torn_journal_and_a_lost_part(
    desk: Any, make_desk: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(desk, folder, 14, monkeypatch)
    with (folder / JOURNAL).open("a") as journal:
        journal.write('{"path": "collections/im')
    parts = manifests.Journal(folder).parts
    assert len(parts) == 14
    (folder / parts[-3].path).write_bytes(b"short")
    assert len(manifests.Journal(folder).parts) == 11
    desk.back_up(folder)
    restored = make_desk("restored")
    restored.restore(folder)
    restored.check_equals(desk)


def test_a_store_that_changes_meanwhile_makes_no_backup(
    desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = write.BackupWriter.finish

    def late(work: Any) -> Any:
        ids = [point.id for point in desk.store.scroll("audio", payload=False)]
        desk.store.delete("audio", ids[:1])
        return finish(work)

    monkeypatch.setattr(write.BackupWriter, "finish", late)
    progress = desk.ingest.run(desk.begin("backup", str(folder)))
    assert progress.state is JobState.FAILED
    assert "'audio' changed while it was being backed up: 30 points were written and 29 are there" in progress.message
    assert [path.name for path in folder.iterdir()] == []


def test_sounds_standardised_anew_meanwhile_are_done_again_after_a_restore(
    desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = write.BackupWriter.finish

    def late(work: Any) -> Any:
        desk.store.set_metadata("audio", {KEY: {"version": "new"}, UNDER_WAY: {"version": "newer", "after": "0"}})
        return finish(work)

    monkeypatch.setattr(write.BackupWriter, "finish", late)
    desk.back_up(folder)
    saved = load_manifest(folder).collections
    assert not {KEY, UNDER_WAY} & saved["audio"].metadata.keys()


def test_no_room_is_said_before_anything_is_written(desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def check(at: Path, wanted: int = 0) -> None:
        asked.append(wanted)
        raise DiskFullError("The disk is full.")

    monkeypatch.setattr(write, "check_space", check)
    progress = desk.ingest.run(desk.begin("backup", str(folder)))
    assert progress.state is JobState.FAILED
    assert list(folder.iterdir()) == []
    exact = sum(part.bytes for part in plain_backup(desk, folder, monkeypatch).parts)
    assert 0.3 * exact < asked[0] < 3 * exact


def plain_backup(desk: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> manifests.Manifest:
    monkeypatch.setattr(write, "check_space", lambda at, wanted=0: None)
    desk.back_up(folder)
    return load_manifest(folder)
