"""A job from its start to its end, and what a second one makes of changes in between."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.service import JobProgress, JobService, JobState
from search.errors import NotFoundError, StoreUnavailableError, UnreadableFileError, UsageError, WorkerUnavailableError
from search.records.browse import browse
from workers.batch.report import Batch, BatchReport, Outcome, Status

Counts = Callable[[JobProgress], dict[str, int]]


def test_embeds_each_kind_into_its_collection(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "a")
    desk.write("b/c.mp4", "c")
    desk.write("b/d.wav", "d")
    progress = desk.run()
    assert progress.state is JobState.DONE
    assert counts(progress) == {"embedded": 3}
    assert progress.total == progress.done == 3
    assert {name: info.points for name, info in desk.store.collections().items()} == {
        "images": 1,
        "videos": 1,
        "audio": 1,
    }
    record = desk.records()["b/c.mp4"]
    assert record.libraries == ("media",)
    assert record.mtime == pytest.approx((desk.media / "b/c.mp4").stat().st_mtime)


def test_second_run_embeds_and_hashes_nothing(desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(20)
    desk.write("broken.jpg", "broken")
    desk.write("readme.md", "words")
    assert counts(desk.run()) == {"embedded": 20, "failed": 1, "skipped": 1}
    monkeypatch.setattr("workers.storage.files.FileAccess.read", lambda _, path, __: pytest.fail(f"read {path}"))
    progress = desk.run()
    assert counts(progress) == {"unchanged": 22}
    assert progress.state is JobState.DONE
    assert "1 files failed before" in progress.message


def test_copies_are_one_record(desk: Any, counts: Counts) -> None:
    for name in ("one.jpg", "two.jpg", "deep/three.jpg"):
        desk.write(name, "same")
    assert counts(desk.run()) == {"embedded": 1, "duplicate": 2}
    desk.write("four.jpg", "same")
    assert counts(desk.run()) == {"unchanged": 3, "duplicate": 1}
    records = desk.records()
    assert set(records) == {"one.jpg", "two.jpg", "four.jpg", "deep/three.jpg"}
    assert len({record.id for record in records.values()}) == 1
    assert "deep" in records["one.jpg"].words


def test_copies_of_a_broken_file_fail_without_being_decoded_again(desk: Any, counts: Counts) -> None:
    desk.write("one.jpg", "broken")
    desk.write("two.jpg", "broken")
    assert counts(desk.run()) == {"failed": 2}
    assert desk.seen == ["one.jpg"]
    desk.write("three.jpg", "broken")
    assert counts(desk.run()) == {"unchanged": 2, "failed": 1}
    assert desk.seen == []


def test_renaming_a_folder_of_a_thousand_embeds_nothing(desk: Any, counts: Counts) -> None:
    desk.fill(1000, "before")
    desk.write("before/broken.jpg", "broken")
    desk.run()
    ids = {record.id for record in desk.records().values()}
    (desk.media / "before").rename(desk.media / "after")
    progress = desk.run()
    assert counts(progress) == {"moved": 1000, "failed": 1}
    assert desk.seen == []
    records = desk.records(missing=True)
    assert {Path(name).parts[0] for name in records} == {"after"}
    assert {record.id for record in records.values()} == ids
    assert records["after/00000.jpg"].folders[-1].endswith("after")
    assert [desk.name(failure.path) for failure in desk.ingest.failures()] == ["after/broken.jpg"]


def test_changed_content_replaces_its_record(desk: Any, counts: Counts) -> None:
    desk.fill(3)
    desk.run()
    old = desk.records()["00001.jpg"].id
    desk.write("00001.jpg", "another picture")
    assert counts(desk.run()) == {"unchanged": 2, "embedded": 1}
    records = desk.records(missing=True)
    assert set(records) == {"00000.jpg", "00001.jpg", "00002.jpg"}
    assert old not in {record.id for record in records.values()}


@pytest.mark.parametrize("content", [b"", b"0" * (2 << 20)])
def test_file_that_is_no_longer_worth_reading_loses_its_record(
    make_desk: Callable[..., Any], counts: Counts, content: bytes
) -> None:
    desk = make_desk(max_file_mb=1)
    desk.write("a.jpg", "a picture")
    desk.write("copy.jpg", "a picture")
    desk.write("b.jpg", "another")
    desk.run()
    desk.write("a.jpg", content)
    desk.write("b.jpg", content)
    assert counts(desk.run()) == {"failed": 2, "unchanged": 1}
    assert desk.records(missing=True).keys() == {"copy.jpg"}


def test_file_that_cannot_be_read_any_more_loses_its_record(
    desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.write("a.jpg", "a picture")
    desk.fill(3)
    desk.run()
    desk.write("a.jpg", "a picture that nobody may read")
    with monkeypatch.context() as patch:
        patch.setattr("workers.storage.files.FileAccess.read", lambda *_: _refuse(path))
        assert counts(desk.run()) == {"failed": 1, "unchanged": 3}
    assert "a.jpg" not in desk.records(missing=True)
    assert counts(desk.ingest.run(desk.ingest.retry_failures())) == {"embedded": 1}


def _refuse(path: Path) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_name_that_cannot_be_looked_at_any_more_stays_a_failure(desk: Any, counts: Counts) -> None:
    desk.fill(3)
    desk.run()
    (desk.media / "00001.jpg").unlink()
    (desk.media / "00001.jpg").symlink_to("x" * 300)  # the system refuses to follow it
    for attempts in (1, 2):
        assert counts(desk.run()) == {"failed": 1, "unchanged": 2}
        assert [(desk.name(f.path), f.attempts) for f in desk.ingest.failures()] == [("00001.jpg", attempts)]
    assert desk.records(missing=True).keys() == {"00000.jpg", "00002.jpg"}


def test_touched_file_is_read_but_not_embedded(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "a")
    desk.run()
    os.utime(desk.media / "a.jpg", (1e9, 1e9))
    assert counts(desk.run()) == {"unchanged": 1}
    assert desk.seen == []
    assert desk.records()["a.jpg"].mtime == 1e9


def test_a_renamed_file_stands_where_its_new_name_belongs(desk: Any) -> None:
    for name in ("a.jpg", "m.jpg"):
        desk.write(name, name)
    desk.run()
    (desk.media / "a.jpg").rename(desk.media / "z.jpg")
    os.utime(desk.media / "z.jpg", (99, 99))
    desk.run()

    for order, names in (("name", ["m.jpg", "z.jpg"]), ("newest", ["m.jpg", "z.jpg"])):
        found = browse(desk.store, "images", order=order).records
        assert [Path(record.paths[0]).name for record in found] == names


def test_moved_and_changed_at_once(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "first")
    desk.run()
    first = desk.records()["a.jpg"].id
    (desk.media / "a.jpg").rename(desk.media / "b.jpg")
    desk.write("a.jpg", "second one")
    assert counts(desk.run()) == {"moved": 1, "embedded": 1}
    records = desk.records(missing=True)
    assert records["b.jpg"].id == first
    assert records["b.jpg"].paths == (str(desk.media / "b.jpg"),)
    assert records["a.jpg"].id != first


def test_swapped_names_decode_nothing_twice(desk: Any) -> None:
    desk.write("a.jpg", "first")
    desk.write("b.jpg", "the second")
    desk.run()
    before = {name: record.id for name, record in desk.records().items()}
    for source, target in (("a.jpg", "c"), ("b.jpg", "a.jpg"), ("c", "b.jpg")):
        (desk.media / source).rename(desk.media / target)
    assert desk.run().state is JobState.DONE
    after = {name: record.id for name, record in desk.records(missing=True).items()}
    assert after == {"a.jpg": before["b.jpg"], "b.jpg": before["a.jpg"]}


def test_failed_files_wait_until_they_change_or_someone_asks(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "broken")
    desk.write("b.jpg", "fine")
    assert desk.run().state is JobState.DONE_WITH_FAILURES
    assert desk.run().state is JobState.DONE
    assert desk.seen == []
    [failure] = desk.ingest.failures()
    assert (failure.code, failure.attempts, failure.library) == ("corrupt", 1, "media")
    assert counts(desk.run(retry_failed=True)) == {"unchanged": 1, "failed": 1}
    desk.runner.seen.clear()
    job = desk.ingest.retry_failures()
    assert counts(desk.ingest.run(job)) == {"failed": 1}
    assert desk.seen == ["a.jpg"]
    assert desk.ingest.failures()[0].attempts == 3
    desk.write("a.jpg", "mended")
    assert counts(desk.run()) == {"unchanged": 1, "embedded": 1}
    assert desk.ingest.failures() == []
    assert desk.ingest.retry_failures() is None


def test_retry_forgets_files_that_have_gone(desk: Any) -> None:
    desk.write("a.jpg", "broken")
    desk.write("b.jpg", "fine")
    desk.run()
    (desk.media / "a.jpg").unlink()
    assert desk.ingest.run(desk.ingest.retry_failures()).state is JobState.DONE
    assert desk.ingest.failures() == []
    assert set(desk.records()) == {"b.jpg"}


def test_store_that_comes_back_costs_nothing(desk: Any, counts: Counts) -> None:
    desk.fill(200)
    troubles = [StoreUnavailableError("The store is away."), StoreUnavailableError("The store is away.")]

    def trouble(_batch: object) -> None:
        if troubles:
            raise troubles.pop()

    desk.runner.before = trouble
    assert counts(desk.run()) == {"embedded": 200}


def test_store_that_stays_away_ends_the_job_resumably(desk: Any, counts: Counts) -> None:
    desk.fill(200)
    left = [1]

    def trouble(_batch: object) -> None:
        if not left:
            raise StoreUnavailableError("The store is away.", "Start it.")
        left.pop()

    desk.runner.before = trouble
    progress = desk.run()
    assert progress.state is JobState.FAILED
    assert "The store is away. Start it." in progress.message
    assert progress.embedded == 64
    desk.runner.before = None
    assert counts(desk.run()) == {"unchanged": 64, "embedded": 136}
    assert len(desk.records()) == 200


def test_workers_are_waited_for_however_long_they_take(
    desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.jobs.retries.WORKER_SECONDS", 0.0)
    desk.fill(3)
    absences = [WorkerUnavailableError("No worker is listening.")] * 9

    def absence(_batch: object) -> None:
        if absences:
            raise absences.pop()

    desk.runner.before = absence
    assert counts(desk.run()) == {"embedded": 3}


def test_records_the_store_has_lost_are_embedded_again(desk: Any, counts: Counts) -> None:
    desk.fill(5)
    desk.run()
    desk.store.delete("images", [desk.records()["00003.jpg"].id])
    progress = desk.run()
    assert counts(progress) == {"unchanged": 4, "embedded": 1}
    assert desk.seen == ["00003.jpg"]
    assert len(desk.records()) == 5


class Refuser:
    """Fails every file at once, so that only ingest itself uses memory."""

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        for batch in batches:
            failed = [Outcome(file.path, Status.FAILED, code="corrupt", detail="Refused.") for file in batch.files]
            yield BatchReport(batch.id, tuple(failed))


@pytest.fixture
def _prompt_collector() -> Iterator[None]:
    """Python looks for cycles the more seldom the more objects there are: those of other tests shall not count."""
    gc.freeze()
    gc.collect()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_prompt_collector")
def test_memory_does_not_grow_with_the_number_of_files(desk: Any) -> None:
    ingest = JobService(desk.settings, desk.store, desk.ledger, Refuser())

    def peak(folder: str, count: int) -> int:
        for i in range(count):
            desk.write(f"{folder}/{i // 100}/{i}.jpg", f"{folder} {i}")
        gc.collect()  # what is held by then, by other tests' threads too, is not this job's
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        assert ingest.run(ingest.start([desk.media / folder])).failed == count
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    few = peak("few", 800)
    many = peak("many", 2400)
    if many >= 1.6 * few:  # a table of the interpreter's own (its interned strings, say) may happen to double in one
        many = peak("as many", 2400)
    tracemalloc.stop()
    assert many < 1.6 * few, f"three times the files took {many / few:.2f} times the memory"


def test_named_files(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "a")
    hidden = desk.write(".hidden/b.jpg", "b")
    desk.write("notes.txt", "words")
    assert counts(desk.run(hidden, desk.media / "notes.txt")) == {"embedded": 1, "skipped": 1}
    assert counts(desk.run()) == {"unchanged": 2, "embedded": 1}
    assert set(desk.records()) == {".hidden/b.jpg", "a.jpg"}


def test_paths_that_cannot_be(desk: Any) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        desk.ingest.start([desk.media / "nowhere"])
    with pytest.raises(UsageError):
        desk.ingest.start([])
    with pytest.raises(UsageError, match="own data directory"):
        desk.ingest.start([desk.settings.home])
    with pytest.raises(UsageError, match="null"):
        desk.ingest.start([desk.media / "a\0b"])
    with pytest.raises(UnreadableFileError, match="too long"):
        desk.ingest.start([desk.media / ("a" * 300)])
    (desk.media / "round").symlink_to("round")
    with pytest.raises(UnreadableFileError, match="round"):
        desk.ingest.start([desk.media / "round"])
    with pytest.raises(NotFoundError):
        desk.ingest.progress("77")
    with pytest.raises(NotFoundError):
        desk.ingest.progress("9" * 30)
    with pytest.raises(NotFoundError):
        desk.ingest.cancel("x")


def test_libraries_overlap_sensibly(desk: Any) -> None:
    desk.write("inner/a.jpg", "a")
    desk.write("b.jpg", "b")
    assert desk.run(desk.media / "inner").library == "inner"
    assert desk.run().library == "media"
    assert {name: record.libraries for name, record in desk.records().items()} == {
        "inner/a.jpg": ("inner",),
        "b.jpg": ("media",),
    }
    assert desk.run(desk.media / "inner").library == "inner"
    other = desk.media.parent / "other" / "media"
    other.mkdir(parents=True)
    (other / "c.jpg").write_text("c")
    assert desk.run(other).library == "media 2"


def test_everything_can_be_put_into_another_library(desk: Any, counts: Counts) -> None:
    desk.fill(3)
    desk.run()
    assert counts(desk.run(library="Holiday")) == {"unchanged": 3}
    assert {record.libraries for record in desk.records().values()} == {("Holiday",)}
    assert desk.seen == []


def test_progress_is_reported_and_stored(desk: Any) -> None:
    desk.fill(300)
    shown: list[JobProgress] = []
    job = desk.ingest.start([desk.media])
    final = desk.ingest.run(job, shown.append)
    assert list(dict.fromkeys(p.state for p in shown)) == ["scanning", "running", "done"]
    assert shown[-1].done == shown[-1].total == 300
    assert desk.ingest.progress(job).to_json() == final.to_json()
    assert [p.id for p in desk.ingest.jobs(10)] == [job]
    assert desk.ingest.run(job) == final


def test_a_folder_inside_the_data_directory_can_be_ingested_by_name(desk: Any, counts: Counts) -> None:
    sample = desk.settings.home / "sample"
    sample.mkdir(parents=True)
    (sample / "a.jpg").write_text("a")
    desk.run(sample)
    desk.write("b.jpg", "b")
    assert counts(desk.run(desk.media.parent)) == {"unchanged": 1, "embedded": 1}
    shutil.rmtree(sample)
    assert counts(desk.run(desk.media.parent)) == {"unchanged": 1, "missing": 1}
