"""One outcome a file, whatever happens to it; and what is in the store afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.errors import (
    CorruptMediaError,
    DecoderStartError,
    DecodeTimeoutError,
    ModelError,
    StoreUnavailableError,
)
from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.similar.find import find_similar
from search.similar.questions import Question
from search.store.base import Store
from search.store.filters import Filter
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, BatchReport, FileRef, Status
from workers.cluster.retry import RETRY_SECONDS
from workers.decode.opened import ExpectedFile
from workers.storage.previews import Previews

MakeFile = Callable[..., FileRef]
_numbers = itertools.count()


def batch(kind: Kind, *files: FileRef) -> Batch:
    return Batch(f"batch-{next(_numbers)}", "job-1", kind, files)


@pytest.fixture
def processor(settings: Settings, store: Store, pool: Any, models: Any) -> BatchProcessor:
    return BatchProcessor(settings, store, pool, models)


def record(store: Store, file: FileRef, collection: str = "images") -> MediaRecord:
    (point,) = store.retrieve(collection, [media_id(file.sha256)])
    return MediaRecord.from_payload(point.payload)


def statuses(report: BatchReport) -> list[tuple[str, str]]:
    return [(outcome.status.value, outcome.code) for outcome in report.outcomes]


def test_an_image_becomes_a_point_with_its_record(
    processor: BatchProcessor, store: Store, settings: Settings, make_file: MakeFile
) -> None:
    file = make_file("cats/a.jpg", library="cats")
    report = processor.process(batch(Kind.IMAGE, file))

    assert statuses(report) == [("embedded", "")]
    assert report.outcomes[0].media_id == media_id(file.sha256)
    assert report.outcomes[0].kind is Kind.IMAGE
    assert set(report.stages) == {"decode", "embed", "write"}
    found = record(store, file)
    assert found.paths == (file.path,)
    assert found.libraries == ("cats",)
    assert (found.width, found.height, found.size, found.mime) == (40, 30, file.size, "image/jpeg")
    assert found.tags == ("tabby",)
    assert found.job == "job-1"
    assert found.thumbnail is not None
    assert Previews(settings).read(found.thumbnail) == b"webp"


def test_a_stored_file_is_made_anew_where_that_is_asked(
    processor: BatchProcessor, store: Store, pool: Any, make_file: MakeFile
) -> None:
    file = make_file("a.jpg")
    processor.process(batch(Kind.IMAGE, file))
    before = record(store, file)
    store.patch_payload("images", {before.id: {"camera": "of a sidecar that has gone", "paths": ["/b.jpg", file.path]}})
    assert statuses(processor.process(batch(Kind.IMAGE, file))) == [("duplicate", "")]
    assert pool.asked == [file.path]

    report = processor.process(batch(Kind.IMAGE, replace(file, anew=True)))
    assert statuses(report) == [("embedded", "")]
    assert pool.asked == [file.path] * 2
    after = record(store, file)
    assert (after.camera, after.added) == (None, before.added)
    assert after.paths == tuple(sorted(("/b.jpg", file.path))), "its other paths are kept"


def test_a_video_has_all_its_spaces(processor: BatchProcessor, store: Store, make_file: MakeFile) -> None:
    file = make_file("a.mp4")
    processor.process(batch(Kind.VIDEO, file))
    (point,) = store.retrieve("videos", [media_id(file.sha256)], vectors=("visual", "motion", "sound", "sound_raw"))
    assert {name: rows.shape for name, rows in point.vectors.items()} == {
        "visual": (2, 8),
        "motion": (1, 8),
        "sound": (1, 8),
        "sound_raw": (1, 8),
    }
    assert np.linalg.norm(point.vectors["sound"]) == pytest.approx(1, abs=1e-5)
    assert record(store, file, "videos").moments == (0.0, 1.0)


def test_one_bad_file_is_an_outcome(processor: BatchProcessor, store: Store, make_file: MakeFile, pool: Any) -> None:
    pool.errors = {
        "b.jpg": CorruptMediaError("'b.jpg' is broken."),
        "c.jpg": DecodeTimeoutError("'c.jpg' took too long."),
        "d.jpg": ValueError("a bug of the decoder"),
    }
    report = processor.process(batch(Kind.IMAGE, *(make_file(f"{name}.jpg") for name in "abcde")))
    assert statuses(report) == [
        ("embedded", ""),
        ("failed", "corrupt"),
        ("failed", "timeout"),
        ("failed", "decoder_crash"),
        ("embedded", ""),
    ]
    assert report.outcomes[1].detail == "'b.jpg' is broken."
    assert report.outcomes[1].media_id is None
    assert store.count("images") == 2


@pytest.mark.parametrize("error", [ModelError("too odd"), ValueError("too odd")])
def test_a_file_the_model_fails_on_fails_alone(
    processor: BatchProcessor, make_file: MakeFile, models: Any, pool: Any, error: Exception
) -> None:
    files = [make_file("a.wav"), make_file("b.jpg"), make_file("c.jpg")]
    models.fail_on = lambda item: item.kind is Kind.AUDIO
    models.error = error
    report = processor.process(batch(Kind.AUDIO, *files))
    assert statuses(report) == [("failed", "model"), ("embedded", ""), ("embedded", "")]
    assert "too odd" in report.outcomes[0].detail


def test_what_is_stored_is_not_embedded_again_but_keeps_every_path(
    processor: BatchProcessor, store: Store, make_file: MakeFile, pool: Any
) -> None:
    first = make_file("one/a.jpg", "same", library="first")
    second = make_file("two/b.jpg", "same", library="second", other_paths=("/elsewhere/c.jpg",))
    processor.process(batch(Kind.IMAGE, first))
    report = processor.process(batch(Kind.IMAGE, second))

    assert statuses(report) == [("duplicate", "")]
    assert report.outcomes[0].media_id == media_id(first.sha256)
    assert pool.asked == [first.path]
    found = record(store, first)
    assert set(found.paths) == {first.path, second.path, "/elsewhere/c.jpg"}
    assert found.libraries == ("first", "second")
    assert store.count("images", Filter(path_prefix=str(Path(second.path).parent))) == 1
    assert store.count("images", Filter(words="two")) == 1


def test_a_missing_record_comes_back_when_its_content_does(
    processor: BatchProcessor, store: Store, make_file: MakeFile
) -> None:
    file = make_file("a.jpg")
    processor.process(batch(Kind.IMAGE, file))
    store.patch_payload("images", {media_id(file.sha256): {"missing": True}})
    assert store.count("images", Filter()) == 0
    processor.process(batch(Kind.IMAGE, file))
    assert store.count("images", Filter()) == 1


def test_the_same_content_twice_in_a_batch_is_embedded_once(
    processor: BatchProcessor, store: Store, make_file: MakeFile, models: Any
) -> None:
    files = [make_file(f"{name}.jpg", "same") for name in "abc"]
    report = processor.process(batch(Kind.IMAGE, *files))
    assert statuses(report) == [("embedded", ""), ("duplicate", ""), ("duplicate", "")]
    assert models.groups == [1]
    assert record(store, files[0]).paths == tuple(file.path for file in files)


def test_a_copy_takes_over_when_the_first_file_cannot_be_read(
    processor: BatchProcessor, store: Store, make_file: MakeFile, pool: Any
) -> None:
    files = [make_file(f"{name}.jpg", "same") for name in "abc"]
    pool.errors = {"a.jpg": DecodeTimeoutError("slow disk")}
    report = processor.process(batch(Kind.IMAGE, *files))
    assert statuses(report) == [("failed", "timeout"), ("embedded", ""), ("duplicate", "")]
    assert record(store, files[0]).paths == (files[1].path, files[2].path)


def test_a_record_whose_preview_was_lost_is_made_anew_and_keeps_its_paths(
    processor: BatchProcessor, store: Store, settings: Settings, make_file: MakeFile
) -> None:
    first, second = make_file("a.jpg", "same"), make_file("b.jpg", "same")
    processor.process(batch(Kind.IMAGE, first))
    lost = Previews(settings).path(str(record(store, first).thumbnail))
    assert lost is not None
    lost.unlink()
    report = processor.process(batch(Kind.IMAGE, second))
    assert statuses(report) == [("embedded", "")]
    assert record(store, first).paths == (first.path, second.path)
    assert lost.is_file()


def test_a_file_that_changed_since_the_scan_is_left_for_the_next(
    processor: BatchProcessor, store: Store, make_file: MakeFile, pool: Any
) -> None:
    growing, gone, broken = make_file("a.jpg"), make_file("b.jpg"), make_file("c.jpg")
    pool.errors = {"c.jpg": CorruptMediaError("half written")}

    def meanwhile(path: str) -> None:
        if not path.endswith("b.jpg"):
            Path(path).write_text("more than before")

    pool.before = meanwhile
    planned = batch(Kind.IMAGE, growing, gone, broken)
    real_submit = pool.submit

    def submit(path: str, kind: Kind | None = None, expected: ExpectedFile | None = None) -> Future[Any]:
        future: Future[Any] = real_submit(path, kind)
        if path.endswith("b.jpg"):
            Path(path).unlink()
        return future

    pool.submit = submit
    assert statuses(processor.process(planned)) == [("skipped", "changed"), ("skipped", "gone"), ("skipped", "changed")]
    assert store.count("images") == 0


def test_no_decoder_to_be_had_is_no_files_failure(
    processor: BatchProcessor, pool: Any, make_file: MakeFile, store: Store
) -> None:
    def submit(path: str, kind: Kind | None = None, expected: ExpectedFile | None = None) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(DecoderStartError("No decoder can be started."))
        return future

    planned = batch(Kind.IMAGE, make_file("a.jpg"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "submit", submit)
        with pytest.raises(DecoderStartError):
            processor.process(planned)
    assert statuses(processor.process(planned)) == [("embedded", "")]
    assert store.count("images") == 1


def test_the_content_decides_the_collection(processor: BatchProcessor, store: Store, make_file: MakeFile) -> None:
    file = make_file("film.only-sound")
    report = processor.process(batch(Kind.VIDEO, file))
    assert report.outcomes[0].kind is Kind.AUDIO
    assert store.count("audio") == 1
    assert store.count("videos") == 0
    again = processor.process(batch(Kind.VIDEO, make_file("copy.only-sound", "film.only-sound")))
    assert statuses(again) == [("duplicate", "")]


def test_a_file_with_nothing_to_compare_is_skipped_with_a_reason(
    processor: BatchProcessor, make_file: MakeFile
) -> None:
    report = processor.process(batch(Kind.VIDEO, make_file("a.nothing")))
    assert statuses(report) == [("skipped", "no_content")]
    assert report.outcomes[0].detail


def test_a_silent_recording_is_stored_and_nobodys_neighbour(
    processor: BatchProcessor, store: Store, make_file: MakeFile
) -> None:
    report = processor.process(batch(Kind.AUDIO, make_file("a.silent")))
    assert statuses(report) == [("embedded", "")]
    (point,) = store.scroll("audio", vectors=("sound",))
    assert (point.payload["kind"], dict(point.vectors)) == ("audio", {})
    answer = find_similar(store, Question((point.id,)))
    assert (answer.hits, answer.notes) == ((), ("The example is silent, so that nothing can be compared with it.",))


def test_a_store_that_is_away_stops_the_batch(
    processor: BatchProcessor, store: Store, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailableError("The store is away.")

    monkeypatch.setattr(store, "upsert", away)
    monkeypatch.setattr("workers.cluster.retry.FIRST_DELAY", 2 * RETRY_SECONDS)  # a pause that there is no time for
    with pytest.raises(StoreUnavailableError):
        processor.process(batch(Kind.IMAGE, make_file("a.jpg")))


def test_an_empty_batch_has_a_report(processor: BatchProcessor) -> None:
    assert processor.process(batch(Kind.IMAGE)).outcomes == ()


def test_the_runner_reports_every_batch_and_keeps_a_bounded_number_under_way(
    processor: BatchProcessor, store: Store, make_file: MakeFile, pool: Any, settings: Settings
) -> None:
    reported: list[BatchReport] = []
    furthest = 0

    def planned() -> Iterator[Batch]:
        nonlocal furthest
        for number in range(30):
            done = sum(len(report.outcomes) for report in reported)
            furthest = max(furthest, len(pool.asked) - done)
            yield batch(Kind.IMAGE, *(make_file(f"{number}/{n}.jpg") for n in range(3)))

    for report in LocalRunner(processor).run(planned()):
        reported.append(report)
    assert len({report.batch for report in reported}) == 30
    assert {outcome.status for report in reported for outcome in report.outcomes} == {Status.EMBEDDED}
    assert store.count("images") == 90
    assert furthest <= 2 * (settings.batch_size + 2)


def test_decoders_are_kept_busy_while_a_batch_is_embedded(
    processor: BatchProcessor, make_file: MakeFile, pool: Any, models: Any, settings: Settings
) -> None:
    ahead: list[int] = []

    def look(item: object) -> bool:
        ahead.append(len(pool.asked) - sum(models.groups))
        return False

    models.fail_on = look
    files = [make_file(f"{n}.jpg") for n in range(5 * settings.batch_size)]
    processor.process(batch(Kind.IMAGE, *files))
    assert ahead[0] >= settings.batch_size


def test_long_sounds_do_not_pile_up_however_large_a_batch_is(
    make_settings: Callable[..., Settings],
    store: Store,
    pool: Any,
    models: Any,
    make_file: MakeFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.batch.processor.SOUND_SECONDS", 0.01)
    processor = BatchProcessor(make_settings(batch_size=64, decode_workers=2), store, pool, models)
    processor.process(batch(Kind.AUDIO, *(make_file(f"{n}.wav") for n in range(40))))
    assert store.count("audio") == 40
    assert max(models.groups) <= 4
