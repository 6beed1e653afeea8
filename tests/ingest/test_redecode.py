"""What an older version decoded in another way is decoded anew where the records are, and nothing else is."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ingest.jobs.service import JobProgress, JobService, JobState
from ingest.maintenance.reembed import Reembed
from search.errors import StoreError, UsageError
from search.media import COLLECTIONS, DECODING_REVISION, Kind
from search.records.status import store_status
from workers.batch.records import REVISION_KEY
from workers.decode import revisions
from workers.decode.revisions import CHANGES, DecodingChange

ALL_DONE = "Every file is decoded as this version decodes it."


@pytest.fixture
def older(desk: Any) -> Any:
    """Three pictures, two videos and a sound that a decoder of revision 1 has read, and a picture of this version."""
    tasks = {"reembed": Reembed(desk.settings, desk.store, desk.ledger, desk.runner, unused, unused)}
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, retry_delays=(0.0,), tasks=tasks)
    desk.runner.decoding = 1
    desk.fill(3)
    for name in ("00000.mp4", "00001.mp4", "00000.wav"):
        desk.write(name, name)
    desk.run()
    desk.runner.decoding = DECODING_REVISION
    desk.write("new.jpg", "new")
    desk.run()
    desk.runner.seen.clear()
    return desk


def unused(*_: object) -> Any:
    raise AssertionError("this job makes no generations")


def redecode(desk: Any) -> JobProgress:
    ended: JobProgress = desk.ingest.run(desk.ingest.start_task("reembed", {"decoding": "1"}))
    return ended


def outdated(desk: Any) -> dict[str, int]:
    collections = store_status(desk.store, desk.settings.home).collections
    return {name: collections[name].outdated for name in COLLECTIONS}


def revisions_of(desk: Any) -> dict[str, int]:
    return {name: record.decoding for name, record in desk.records().items()}


def test_the_changes_lead_to_the_current_revision() -> None:
    assert {change.revision for change in CHANGES} == set(range(2, DECODING_REVISION + 1))
    assert all(change.what for change in CHANGES)


def test_what_an_older_version_decoded_is_counted_and_decoded_anew(older: Any) -> None:
    before = {name: record.id for name, record in older.records().items()}
    assert outdated(older) == {"images": 3, "videos": 2, "audio": 1}

    ended = redecode(older)

    assert (ended.state, ended.total, ended.embedded, ended.message) == (JobState.DONE, 6, 6, ALL_DONE)
    assert sorted(older.seen) == sorted(before.keys() - {"new.jpg"})
    assert {name: record.id for name, record in older.records().items()} == before
    assert set(revisions_of(older).values()) == {DECODING_REVISION}
    assert outdated(older) == dict.fromkeys(COLLECTIONS, 0)
    older.runner.seen.clear()
    assert (redecode(older).total, older.seen) == (0, [])


def test_the_new_record_says_what_file_and_sidecar_say_now(older: Any) -> None:
    older.write("00000.xmp", "Ada")
    redecode(older)
    assert older.records()["00000.jpg"].artist == "Ada"


def test_records_that_a_change_does_not_affect_are_marked_without_their_files(
    older: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = DecodingChange(2, "sounds", lambda record: record.kind is Kind.AUDIO)
    monkeypatch.setattr(revisions, "CHANGES", (change,))
    for name in COLLECTIONS:
        older.store.set_metadata(name, {REVISION_KEY: 3})

    ended = redecode(older)

    assert (ended.state, ended.embedded, older.seen) == (JobState.DONE, 1, ["00000.wav"])
    assert set(revisions_of(older).values()) == {DECODING_REVISION}
    assert outdated(older) == dict.fromkeys(COLLECTIONS, 0)


def test_a_content_of_another_kind_than_it_was_taken_for_moves(older: Any) -> None:
    """An audio book whose chapter pictures an older version took for a film, for example."""
    older.runner.kind_of = lambda content, named: Kind.AUDIO if content == b"00001.mp4" else named

    ended = redecode(older)

    assert (ended.state, ended.embedded) == (JobState.DONE, 6)
    assert Counter(record.kind for record in older.records().values()) == {
        Kind.IMAGE: 4,
        Kind.VIDEO: 1,
        Kind.AUDIO: 2,
    }
    assert outdated(older) == dict.fromkeys(COLLECTIONS, 0)
    older.runner.seen.clear()
    assert older.run().unchanged == 7
    (older.media / "00001.mp4").unlink()
    older.run()
    assert Counter(record.kind for record in older.records().values())[Kind.AUDIO] == 1


def test_a_file_that_is_gone_or_refused_keeps_its_record_and_is_named(older: Any) -> None:
    (older.media / "00000.jpg").unlink()

    def refuse(content: bytes, named: Kind) -> Kind:
        if content == b"picture . 1" and named is Kind.IMAGE:
            raise FileNotFoundError
        return named

    older.runner.kind_of = refuse
    read = type(older.runner)._outcome

    def outcome(batch: Any, file: Any) -> Any:
        from workers.batch.report import Outcome, Status

        try:
            return read(older.runner, batch, file)
        except FileNotFoundError:
            return Outcome(file.path, Status.FAILED, code="corrupt" if file.path.endswith("1.jpg") else "gone")

    older.runner._outcome = outcome
    ended = redecode(older)

    assert (ended.state, ended.total, ended.embedded, ended.failed) == (JobState.DONE_WITH_FAILURES, 6, 4, 2)
    assert ended.message.startswith("2 could not be decoded anew and stay as an older version decoded them")
    assert "00000.jpg (gone)" in ended.message
    assert "00001.jpg (corrupt)" in ended.message
    assert Counter(revisions_of(older).values()) == {1: 2, DECODING_REVISION: 5}
    assert outdated(older) == {"images": 2, "videos": 0, "audio": 0}


def test_a_record_that_has_another_path_is_read_there(older: Any) -> None:
    older.write("copy.jpg", "picture . 0")
    older.run()
    (older.media / "00000.jpg").write_text("replaced")
    older.runner.seen.clear()
    read = type(older.runner)._outcome

    def outcome(batch: Any, file: Any) -> Any:
        from workers.batch.report import Outcome, Status

        if file.path.endswith("00000.jpg"):
            return Outcome(file.path, Status.SKIPPED, code="changed")
        return read(older.runner, batch, file)

    older.runner._outcome = outcome

    assert redecode(older).state is JobState.DONE
    assert older.records()["copy.jpg"].decoding == DECODING_REVISION


def test_cut_off_the_next_run_goes_on_with_what_is_left(older: Any) -> None:
    def cut_off(batch: Any) -> None:
        if batch.kind is not Kind.IMAGE:
            raise StoreError("The store is away.")

    older.runner.before = cut_off
    job = older.ingest.start_task("reembed", {"decoding": "1"})
    assert older.ingest.run(job).state is JobState.FAILED
    assert outdated(older) == {"images": 0, "videos": 2, "audio": 1}
    older.runner.before = None
    older.runner.seen.clear()
    ended = redecode(older)
    assert (ended.state, ended.total, ended.embedded) == (JobState.DONE, 3, 3)
    assert not [name for name in older.seen if name.endswith("jpg")]


def test_decoding_and_a_space_are_two_jobs(older: Any) -> None:
    with pytest.raises(UsageError, match="in a job of its own"):
        older.ingest.start_task("reembed", {"decoding": "1", "space": "visual", "model": "resnet18"})
    with pytest.raises(UsageError, match="cannot be made"):
        older.ingest.start_task("reembed", {})


def test_what_is_missing_is_not_counted(older: Any) -> None:
    (older.media / "00000.wav").unlink()
    older.run(confirm_missing=True)
    assert outdated(older)["audio"] == 0
    assert redecode(older).total == 5
