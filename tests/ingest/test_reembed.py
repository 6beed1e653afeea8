"""A space changes its model while questions are answered; cut off anywhere, nothing is lost and nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.kinds import ReembedOptions
from ingest.jobs.service import JobState
from ingest.ledger.credits import Credits
from ingest.maintenance import reembed
from ingest.maintenance.fill import KEPT
from ingest.maintenance.reembed import asked_for
from search.errors import UsageError
from search.media import Kind, MediaRecord
from search.model_descriptions.registry import models_by_space
from search.records.status import earlier_layout, store_status
from search.settings import Settings
from search.store.base import VectorQuery
from search.store.filters import Filter
from workers.batch.backfill import FILLED_IN_PLACE


def test_every_record_gets_the_new_vectors_and_keeps_all_else(library: Any, renewing: Any) -> None:
    library.take_in()
    library.check(renewing.BEFORE)
    ended = library.reembed(renewing.AFTER.image)
    assert (ended.state, ended.total, ended.embedded) == (JobState.DONE, renewing.PICTURES + 2, renewing.PICTURES + 2)
    library.check(renewing.AFTER)
    kept = {name: [g.current for g in library.store.generations(name)] for name in ("images", "videos", "audio")}
    assert kept == {"images": [False, True], "videos": [False, True], "audio": [True]}


def test_photographers_stay_who_they_are(library: Any, renewing: Any) -> None:
    library.take_in()
    hand = Credits(library.ledger, library.store)
    ids = sorted(point.id for point in library.store.scroll("images"))
    hand.by_hand(ids[:30], "Ada")
    hand.rename("Ada", "Ada Lee")
    library.reembed(renewing.AFTER.image)
    library.check(renewing.AFTER)
    kept = {
        point.id: point.payload for point in library.store.scroll("images", where=Filter(photographers=("Ada Lee",)))
    }
    assert sorted(kept) == ids[:30]
    assert {payload["credit"] for payload in kept.values()} == {"person"}


@pytest.mark.parametrize("space", ["visual", "style"])
def test_what_was_said_of_files_that_name_an_artist_stays(library: Any, renewing: Any, space: str) -> None:
    for name in ("0001.jpg", "0002.jpg"):
        (library.media / name).write_bytes(b"by Ada:" + name.encode())
    library.take_in()
    library.forget_style(renewing.PICTURES)
    hand = Credits(library.ledger, library.store)
    hand.rename("Ada", "Ada Lee")
    by_name = {Path(point.payload["paths"][0]).name: point.id for point in library.store.scroll("images")}
    hand.by_hand([by_name["0002.jpg"]], None)

    library.reembed(*{"visual": (renewing.AFTER.image,), "style": ("style", "style")}[space])

    payloads = {name: library.store.retrieve("images", [id_])[0].payload for name, id_ in by_name.items()}
    told = {name: (payloads[name].get("photographer"), payloads[name]["credit"]) for name in ("0001.jpg", "0002.jpg")}
    assert told == {"0001.jpg": ("Ada Lee", "exif"), "0002.jpg": (None, "person")}


def test_what_is_said_while_the_new_generation_is_indexed_is_kept(
    library: Any, renewing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.take_in()
    hand, (media_id, *_) = (
        Credits(library.ledger, library.store),
        [point.id for point in library.store.scroll("images")],
    )
    optimise = library.store.optimise

    def meanwhile(collection: str) -> bool:
        hand.by_hand([media_id], "Ada")
        return optimise(collection)

    monkeypatch.setattr(library.store, "optimise", meanwhile)
    library.reembed(renewing.AFTER.image)

    assert [point.id for point in library.store.scroll("images", where=Filter(photographers=("Ada",)))] == [media_id]


def test_features_that_records_lacked_come_with_the_new_vectors(library: Any, renewing: Any) -> None:
    library.take_in()
    ids = [point.id for point in library.store.scroll("images")]
    library.store.patch_payload("images", {id_: {"features": None} for id_ in ids})

    library.reembed(renewing.AFTER.image)

    found = Counter(MediaRecord.from_payload(point.payload).features for point in library.store.scroll("images"))
    assert found[renewing.FEATURES] == renewing.PICTURES


def test_questions_are_answered_from_the_old_vectors_until_all_new_ones_are_there(
    library: Any, renewing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.take_in()
    space = library.store.schema("images").by_name["visual"].space
    example = renewing.expected(library.media, renewing.BEFORE, Kind.IMAGE)["0007.jpg"]["visual"]
    answers: list[float] = []

    def ask() -> None:
        (hits,) = library.store.query("images", [VectorQuery(space, example, 1)])
        answers.append(hits[0].score)

    plain = renewing.ModelRunner

    class AskedMeanwhile(plain):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.before = ask

    monkeypatch.setattr(renewing, "ModelRunner", AskedMeanwhile)
    library.reembed(renewing.AFTER.image)
    assert len(answers) >= 3
    assert answers == pytest.approx([1.0] * len(answers), abs=1e-5)


def test_killed_half_way_it_goes_on_where_it_was(library: Any, renewing: Any, repository: Path) -> None:
    library.take_in()
    library.close()
    command = [sys.executable, renewing.__file__, str(library.settings.home)]
    environment = os.environ | {"PYTHONPATH": str(repository)}
    for files in (20, 90):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == "2", "a later process takes up the first one's job"
            for _ in range(files):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL, "it ended before it could be killed"
    library.open()
    assert library.store.schema("images") == renewing.schemas_of(renewing.BEFORE)[0], "switched too early"
    held = library.store.count(library.store.generations("images")[-1].name)
    assert 0 < held < renewing.PICTURES
    ended = library.ingest.run("2")
    assert (ended.state, ended.total, ended.embedded) == (JobState.DONE, renewing.PICTURES + 2, renewing.PICTURES + 2)
    library.check(renewing.AFTER)


def test_what_cannot_be_embedded_keeps_its_other_spaces_and_is_named(library: Any, renewing: Any) -> None:
    (library.media / "0003.jpg").write_bytes(b"broken picture")
    (library.media / "one.mp4").write_bytes(b"broken video")
    library.take_in()
    ended = library.reembed(renewing.AFTER.image)
    assert ended.state is JobState.DONE_WITH_FAILURES
    assert (ended.total, ended.embedded, ended.failed) == (renewing.PICTURES + 2, renewing.PICTURES, 2)
    assert "0003.jpg (corrupt)" in ended.message
    visual = Filter(has_space="visual")
    assert library.store.count("images", visual) == renewing.PICTURES - 1
    assert library.store.count("images") == renewing.PICTURES
    assert library.store.count("videos", Filter(has_space="sound")) == 2
    assert library.store.count("videos", visual) == 1


def test_a_copy_serves_when_the_first_file_has_gone(library: Any, renewing: Any) -> None:
    (library.media / "zz-copy.jpg").write_bytes((library.media / "0000.jpg").read_bytes())
    library.take_in()
    (library.media / "0000.jpg").unlink()
    ended = library.reembed(renewing.AFTER.image)
    assert (ended.state, ended.embedded, ended.failed) == (JobState.DONE, renewing.PICTURES + 2, 0)


def test_going_back_uses_what_was_kept_and_learns_what_came_since(library: Any, renewing: Any) -> None:
    library.take_in()
    library.reembed(renewing.AFTER.image)
    (library.media / "0000.jpg").rename(library.media / "moved.jpg")
    library.ingest._runner = renewing.ModelRunner(library.store, renewing.AFTER)
    (library.media / "new.jpg").write_bytes(b"a new picture")
    library.take_in()
    ended = library.reembed(renewing.BEFORE.image)
    assert (ended.state, ended.total) == (JobState.DONE, renewing.PICTURES + 3)
    library.check(renewing.BEFORE)
    for generation in library.store.generations("images"):
        if not generation.current:
            library.store.drop_generation(generation.name)
    library.check(renewing.BEFORE)
    assert len(library.store.generations("images")) == 1


def test_cancelled_it_switches_nothing(library: Any, renewing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library.take_in()
    job = library.ingest.start_task("reembed", {"space": "visual", "model": renewing.AFTER.image})
    plain = renewing.ModelRunner

    class Cancelling(plain):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.before = lambda: library.ingest.cancel(job)

    monkeypatch.setattr(renewing, "ModelRunner", Cancelling)
    assert library.ingest.run(job).state is JobState.CANCELLED
    library.check(renewing.BEFORE)


@pytest.mark.parametrize(
    ("space", "model", "said"),
    [
        ("visual", "r3d18", "cannot be made with"),
        ("sound", "ge2e", "cannot be made with"),
        ("", "", "cannot be made without naming a model"),
        ("visual", "", "cannot be made without naming a model"),
    ],
)
def test_models_that_make_no_sense_are_refused_before_there_is_a_job(
    library: Any, space: str, model: str, said: str
) -> None:
    library.take_in()
    with pytest.raises(UsageError, match=said):
        library.ingest.start_task("reembed", {"space": space, "model": model})
    assert len(library.ingest.jobs()) == 1


@pytest.mark.parametrize("space", ["sound", "voice"])
def test_sounds_of_an_older_library_get_rows_and_voices(
    make_settings: Callable[..., Settings], media: Path, renewing: Any, space: str
) -> None:
    renewing.fill(media, 1)
    older = renewing.Library(make_settings(sound_model="auto"), media, replace(renewing.BEFORE, sound="logmel"))
    older.take_in()
    assert not older.store.schema("audio").by_name["sound"].multi

    (said,) = (s for s in earlier_layout(store_status(older.store, media)) if "reembed --space sound" in s)
    assert older.reembed("", space).state is JobState.DONE
    assert said not in earlier_layout(store_status(older.store, media))

    older.check(replace(renewing.BEFORE, sound="aisfx"))
    assert [len(older.store.generations(name)) for name in ("images", "videos", "audio")] == [1, 2, 2]
    older.close()


def test_a_space_of_one_model_needs_no_name_of_it() -> None:
    assert {space for space, models in models_by_space().items() if len(models) == 1} == {
        *FILLED_IN_PLACE,
        *("scene", "voice", "sound_voice"),
    }
    for space, model in (("style", "style"), ("concepts", "concepts"), ("meaning", "open_clip")):
        assert asked_for(ReembedOptions(space)) == asked_for(ReembedOptions(space, model)) == (space, model)
    assert asked_for(ReembedOptions("motion")) == ("motion", "flow"), "which needs no weights"
    assert asked_for(ReembedOptions("sound")) == ("sound", "aisfx"), "the preferred one"


def test_cancelled_while_it_looks_once_more_it_switches_nothing(
    library: Any, renewing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.take_in()
    job = library.ingest.start_task("reembed", {"space": "visual", "model": renewing.AFTER.image})

    def cancelled(*_: Any, goes_on: Callable[[], bool]) -> None:
        library.ingest.cancel(job)
        assert not goes_on()

    monkeypatch.setattr(reembed, "bring_up_to_date", cancelled)
    monkeypatch.setattr(library.store, "optimise", lambda _: pytest.fail("indexed"))
    ended = library.ingest.run(job)
    assert (ended.state, ended.message) == (JobState.CANCELLED, KEPT)
    library.check(renewing.BEFORE)


def test_the_model_in_use_needs_nothing(library: Any, renewing: Any) -> None:
    library.take_in()
    ended = library.reembed(renewing.BEFORE.image)
    assert ended.state is JobState.DONE
    assert "already" in ended.message


def test_batches_that_a_runner_gives_back_in_a_pause_are_done_when_the_job_goes_on(
    library: Any, renewing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.take_in()
    run, paused = renewing.ModelRunner.run, []

    def give_back(runner: Any, batches: Any) -> Iterator[Any]:
        if paused:
            yield from run(runner, batches)
            return
        paused.append(job)
        library.ingest.pause(job)
        assert next(iter(batches), None) is None or batches.stopped
        library.ingest.resume(job)

    job = library.ingest.start_task("reembed", {"space": "visual", "model": renewing.AFTER.image})
    monkeypatch.setattr(renewing.ModelRunner, "run", give_back)
    assert library.ingest.run(job).state is JobState.DONE
    assert paused == [job]
    library.check(renewing.AFTER)
