"""Damage of what is stored is found and named, and what still has its file is repaired; nothing else is touched."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ingest.jobs.progress import JobState
from ingest.jobs.service import JobService
from ingest.maintenance.backup.manifest import load_manifest
from ingest.maintenance.backup.task import Backup
from ingest.maintenance.backup.verify import DamagedRecord, find_damage
from ingest.maintenance.verify import scrub, task
from ingest.maintenance.verify.findings import Fault, load_scrub, load_verification
from ingest.maintenance.verify.scrub import Scrubber
from ingest.maintenance.verify.task import Pace, Verify
from search.media import COLLECTIONS
from search.store.base import Store
from search.store.checksums import FACTS_KEY, key_of
from search.store.edge.store import EdgeStore
from workers.storage.previews import Previews, preview_key
from workers.storage.sealed_webp import complaint_of_webp

WEBP = b"RIFF" + (4 + 8 + 4).to_bytes(4, "little") + b"WEBPVP8 " + (4).to_bytes(4, "little") + b"abcd"
MANY, DAMAGED, DIM = 120, 50, 8


def equip(desk: Any) -> Any:
    """Let a desk verify and back up; its runner makes previews as the real one does."""
    tasks = {
        "verify": Verify(desk.settings, desk.store, desk.ledger, desk.runner),
        "backup": Backup(desk.settings, desk.store, desk.ledger),
    }
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, retry_delays=(0.0,), tasks=tasks)
    desk.previews = Previews(desk.settings)
    embed = desk.runner._outcome

    def with_preview(batch: Any, file: Any) -> Any:
        outcome = embed(batch, file)
        if outcome.media_id is not None:
            keys = desk.previews.save({outcome.media_id: WEBP})
            desk.store.patch_payload(outcome.kind.collection, {outcome.media_id: {"thumbnail": keys[outcome.media_id]}})
        return outcome

    desk.runner._outcome = with_preview
    return desk


@pytest.fixture
def library(desk: Any) -> Any:
    """Six pictures and a sound, in the server's double."""
    equip(desk)
    desk.fill(6)
    desk.write("heard.wav", "heard")
    desk.run()
    desk.runner.seen.clear()
    return desk


def verify(desk: Any, **options: str) -> Any:
    """The report of a verification, and how its job ended."""
    ended = desk.ingest.run(desk.ingest.start_task("verify", options))
    report = load_verification(desk.ledger).last
    assert report is not None
    assert ended.message == report.summary
    assert (ended.state is JobState.DONE) == (report.left == 0)
    return report


def state(desk: Any) -> Any:
    return [
        (point.id, point.payload, point.checksums, point.vectors["visual"].tobytes())
        for name in COLLECTIONS
        for point in desk.store.scroll(name, vectors=["visual"])
    ]


def ids(desk: Any) -> list[str]:
    return [point.id for point in desk.store.scroll("images", payload=False)]


def test_what_is_whole_is_called_so_and_left_alone(library: Any) -> None:
    before = state(library)
    report = verify(library)
    assert (report.records, report.unproven, report.counts, report.left) == (7, 0, {}, 0)
    assert report.summary == "7 records were read back: all of it is as it was written."
    assert (state(library), library.seen) == (before, [])
    assert load_verification(library.ledger).damage is None


def test_each_kind_of_damage_is_named_and_repaired(library: Any) -> None:
    """By the checksum where no store lets anybody change what it is of; truly damaged files are below."""
    store, whole = library.store, state(library)
    one, two, three, four, five, six = ids(library)
    wrong = "0" * 16
    store.patch_payload("images", {one: {key_of("visual"): wrong}, two: {FACTS_KEY: wrong}, three: {"words": "no"}})
    store.patch_payload("images", {four: {"paths": ["/nowhere.jpg"], "folders": ["/"], "missing": True}})
    store.patch_payload("images", {four: {"words": "nowhere jpg", "sort_name": 0}, five: {"photographer": "Ada"}})
    library.previews.delete(f"{six[:2]}/{six}.webp")
    (sound,) = (point.id for point in store.scroll("audio"))
    store.delete("audio", [sound])
    damaged = state(library)

    report = verify(library)

    found = {(finding.id, finding.fault) for finding in report.findings}
    assert {(one, Fault.VECTORS), (two, Fault.FACTS), (three, Fault.DERIVED), (four, Fault.PATHS)} <= found
    assert {(five, Fault.CREDIT), (six, Fault.PREVIEW), (sound, Fault.NO_RECORD)} <= found
    assert all(finding.paths for finding in report.findings)
    assert report.repaired == 0
    assert (state(library), library.seen) == (damaged, [])
    assert load_verification(library.ledger).damage == report

    report = verify(library, repair="1")

    assert report.left == 0
    assert sorted(library.seen) == ["00000.jpg", "00001.jpg", "00002.jpg", "heard.wav"] or len(library.seen) == 4
    assert {id_: rest for id_, *rest in state(library)}.keys() == {id_ for id_, *_ in whole}
    assert verify(library).counts == {}


def test_what_has_lost_its_file_is_named_and_stays(library: Any) -> None:
    one, two, *_ = ids(library)
    paths = {id_: library.store.retrieve("images", [id_])[0].payload["paths"][0] for id_ in (one, two)}
    library.store.patch_payload("images", {id_: {key_of("visual"): "0" * 16} for id_ in (one, two)})
    Path(paths[one]).unlink()

    def gone(batch: Any, file: Any, embed: Callable[..., Any] = library.runner._outcome) -> Any:
        from workers.batch.report import Outcome, Status

        there = Path(file.path).exists()
        return embed(batch, file) if there else Outcome(file.path, Status.FAILED, code="gone")

    library.runner._outcome = gone
    report = verify(library, repair="1")
    assert (report.repaired, report.left) == (1, 1)
    (left,) = (finding for finding in report.findings if not finding.repaired)
    assert (left.id, left.paths) == (one, (paths[one],))
    assert "could not be embedded anew" in left.detail
    assert "(gone)" in left.detail
    assert len(ids(library)) == 6


def test_a_record_whose_payload_has_gone_is_made_again(library: Any) -> None:
    one, *_ = ids(library)
    (point,) = library.store.retrieve("images", [one])
    library.store.patch_payload("images", {one: dict.fromkeys(point.payload)})
    assert {finding.fault for finding in verify(library).findings} == {Fault.FACTS}
    assert verify(library, repair="1").left == 0
    (again,) = library.store.retrieve("images", [one])
    assert again.payload["paths"] == point.payload["paths"]
    assert again.payload["words"] == point.payload["words"]


def test_records_of_a_version_before_are_counted_and_given_checksums_by_a_repair(library: Any) -> None:
    keys = dict.fromkeys([key_of("visual"), FACTS_KEY])
    library.store.patch_payload("images", dict.fromkeys(ids(library), keys))
    report = verify(library)
    assert (report.unproven, report.counts) == (6, {})
    assert "6 of them from a version before" in report.summary
    verify(library, repair="1")
    assert (verify(library).unproven, library.seen) == (0, [])


def test_a_record_without_a_file_in_the_ledger_is_named_and_not_hidden_by_a_repair(library: Any) -> None:
    one, *_ = ids(library)
    with library.ledger.write() as connection:
        connection.execute(text("DELETE FROM files WHERE media_id = :id"), {"id": one})
    report = verify(library, repair="1")
    assert [(finding.id, finding.fault) for finding in report.findings] == [(one, Fault.NO_FILE)]
    assert not library.store.retrieve("images", [one])[0].payload["missing"]


def test_a_backup_of_damaged_data_is_refused(library: Any, tmp_path: Path) -> None:
    one, *_ = ids(library)
    library.store.patch_payload("images", {one: {key_of("visual"): "0" * 16}})
    refused = library.ingest.run(library.ingest.start_task("backup", {"to": str(tmp_path / "backup")}))
    assert refused.state is JobState.FAILED
    assert one in refused.message
    assert "likewise verify --repair" in refused.message
    assert not (tmp_path / "backup" / "manifest.json").exists()
    with_damaged = {"to": str(tmp_path / "damaged"), "damaged": "1"}
    assert library.ingest.run(library.ingest.start_task("backup", with_damaged)).state is JobState.DONE
    manifest, records = load_manifest(tmp_path / "damaged"), []
    assert not any(complaint for _, complaint in find_damage(tmp_path / "damaged", manifest, records))
    assert records == [DamagedRecord("images", one, ("visual",))]

    verify(library, repair="1")
    two = ids(library)[1]
    library.previews.delete(f"{two[:2]}/{two}.webp")
    refused = library.ingest.run(library.ingest.start_task("backup", {"to": str(tmp_path / "backup")}))
    assert f"preview of '{two}'" in refused.message
    verify(library, repair="1")
    done = library.ingest.run(library.ingest.start_task("backup", {"to": str(tmp_path / "backup")}))
    assert done.state is JobState.DONE
    records.clear()
    list(find_damage(tmp_path / "backup", load_manifest(tmp_path / "backup"), records))
    assert records == []


def test_a_damaged_ledger_is_not_backed_up(library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.ledger, "quick_check", lambda: ["row 7 missing from index files_state"])
    refused = library.ingest.run(library.ingest.start_task("backup", {"to": str(tmp_path / "backup")}))
    assert "row 7 missing" in refused.message


@pytest.fixture
def reopen(make_desk: Callable[..., Any], make_settings: Callable[..., Any]) -> Iterator[Callable[[], Any]]:
    """Opens the embedded store of one data directory; what was open before is closed."""
    opened: list[Store] = []

    def open_() -> Any:
        if opened:
            opened[-1].close()
        opened.append(EdgeStore(make_settings().home))
        return equip(make_desk(opened[-1]))

    yield open_
    opened[-1].close()


def test_fifty_vectors_damaged_on_disk_and_a_lost_preview_are_found_and_repaired(
    reopen: Callable[[], Any], tmp_path: Path
) -> None:
    desk = reopen()
    desk.fill(MANY)
    desk.run()
    desk.store.close()
    home = desk.settings.home
    (chunk,) = home.glob("collections/images/shard-1/segments/*/vector_storage-visual/vectors/chunk_0.mmap")
    with chunk.open("r+b") as file:
        for row in range(DAMAGED):
            file.seek(row * DIM * 4 + 2)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 4]))
    desk = reopen()
    lost = ids(desk)[-1]
    desk.previews.delete(f"{lost[:2]}/{lost}.webp")
    desk.runner.seen.clear()

    report = verify(desk)
    assert report.counts == {Fault.VECTORS: DAMAGED} | {Fault.PREVIEW: 1}
    assert all(Path(path).is_file() for finding in report.findings for path in finding.paths)
    backup = desk.ingest.run(desk.ingest.start_task("backup", {"to": str(tmp_path / "backup")}))
    assert backup.state is JobState.FAILED

    report = verify(desk, repair="1")
    assert (report.repaired, report.left) == (DAMAGED + 1, 0)
    assert DAMAGED <= len(desk.seen) <= DAMAGED + 1
    assert verify(desk).counts == {}


def test_records_lost_with_a_truncated_file_of_the_shard_are_found_and_embedded_again(
    reopen: Callable[[], Any],
) -> None:
    desk = reopen()
    desk.fill(MANY)
    desk.run()
    desk.store.close()
    shard = desk.settings.home / "collections" / "images" / "shard-1"
    (mappings,) = shard.glob("segments/*/mutable_id_tracker.mappings")
    with mappings.open("r+b") as file:
        file.truncate(mappings.stat().st_size // 2)
    for entry in (shard / "wal").glob("open-*"):
        entry.unlink()
    desk = reopen()
    kept = len(ids(desk))
    assert kept < MANY
    assert verify(desk).counts == {Fault.NO_RECORD: MANY - kept}
    assert verify(desk, repair="1").left == 0
    assert len(ids(desk)) == MANY


def test_a_record_that_the_engine_cannot_read_is_told_from_its_neighbours(reopen: Callable[[], Any]) -> None:
    desk = reopen()
    desk.fill(MANY)
    desk.run()
    desk.store.close()
    (page,) = desk.settings.home.glob("collections/images/shard-1/segments/*/payload_storage/page_0.dat")
    with page.open("r+b") as file:
        file.seek(page.read_bytes().rindex(b"00042.jpg") - 20)
        file.write(b"\xff" * 60)
    desk = reopen()
    report = verify(desk)
    assert [finding.fault for finding in report.findings] == [Fault.UNREADABLE]
    assert "cannot read it" in report.findings[0].detail
    assert verify(desk, repair="1").left == 0
    assert verify(desk).counts == {}


def test_faults_of_the_ledgers_file_are_told(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.ledger, "quick_check", lambda: ["row 7 missing from index files_state"])
    report = verify(library, repair="1")
    assert report.counts == {Fault.LEDGER: 1}
    assert "row 7" in report.findings[0].detail
    assert "set the ledger aside" in Fault.LEDGER.todo


def test_a_rate_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(task.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(task.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    pace = Pace(40.0)
    assert (pace.most, Pace(0.5).most, Pace(None).most) == (40, 1, None)
    for _ in range(10):
        pace.wait(8)
    assert clock[0] == pytest.approx(2.0)


def test_a_preview_without_a_checksum_is_given_one_by_a_repair_and_damage_of_one_is_found(library: Any) -> None:
    one, two, *_ = ids(library)
    library.previews.save({one: WEBP}, sealed=False)
    path = library.previews.path(preview_key(two))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"abcd", b"abcx"))
    report = verify(library)
    assert (report.unproven, [finding.id for finding in report.findings]) == (1, [two])
    assert "is not what was written" in report.findings[0].detail
    report = verify(library, repair="1")
    assert (report.repaired, report.left, len(library.seen)) == (1, 0, 1)
    assert path.read_bytes() == whole
    assert complaint_of_webp(one, library.previews.read(preview_key(one))) == ""
    assert (verify(library).unproven, verify(library).counts) == (0, {})


def scrubber(desk: Any, days: float = 30.0) -> Scrubber:
    settings = desk.settings.model_copy(update={"scrub_days": days})
    return Scrubber(settings, desk.store, desk.ledger, threading.Event())


def test_scrubbing_goes_through_everything_page_by_page_and_finds_damage(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.time()]
    monkeypatch.setattr(scrub.time, "time", lambda: now[0])
    monkeypatch.setattr(scrub, "pace", lambda total, days: (4, 60.0))
    one, *_ = ids(library)
    library.store.patch_payload("images", {one: {key_of("visual"): "0" * 16}})
    assert scrubber(library).step() == pytest.approx(60.0)  # the first page is due a while after the start
    for _ in range(4):  # pages of four and two pictures, of one sound, and the end
        now[0] += 60.0
        assert scrubber(library).step() == 60.0  # by another process each time
        assert scrubber(library).step() == pytest.approx(60.0)  # one that is early does nothing
    found = load_verification(library.ledger)
    assert found.scrub is not None
    assert found.scrub.last is not None
    assert (found.scrub.last.records, found.scrub.last.counts) == (7, {Fault.VECTORS: 1})
    assert found.damage == found.scrub.last
    verify(library, repair="1")
    assert load_verification(library.ledger).damage is None


def test_what_a_job_is_writing_is_no_damage(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look meets a record between two edits, the second does not."""
    one, *_ = ids(library)
    checking = scrubber(library)
    (page,) = checking._checks.pages("images")
    (point,) = (each for each in page.points if each.id == one)
    torn = checking._checks.check("images", [one])
    finding = replace(verify_finding(one), collection="images")
    confirmed = checking._confirmed(replace(torn, points=(point,), findings=(finding,)))
    assert confirmed.findings == ()


def verify_finding(id_: str) -> Any:
    from ingest.maintenance.verify.findings import Damage

    return Damage(Fault.VECTORS, id_, "images", "Torn.")


def test_the_rate_takes_the_days_that_are_set_and_nothing_when_it_is_off(library: Any) -> None:
    for total in (10, 1_000, 1_000_000):
        size, seconds = scrub.pace(total, 30.0)
        assert total / size * seconds <= 30.0 * 86_400 * 1.01
        assert 1 <= size <= scrub.MOST_RECORDS
    assert scrub.pace(1_000_000, 30.0)[1] == pytest.approx(64 * 2.592, rel=0.01)
    scrubber(library, days=0.0).run()
    with library.ledger.read() as connection:
        assert load_scrub(connection) is None


def test_faults_have_words() -> None:
    assert all(fault.label and fault.todo.endswith(".") for fault in Fault)
    assert Counter(fault.label for fault in Fault).most_common(1)[0][1] == 1
