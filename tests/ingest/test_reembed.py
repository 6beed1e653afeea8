"""A space changes its model while questions are answered; cut off anywhere, nothing is lost and nothing half done."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ingest.credits import Credits
from ingest.job import Ingest, JobProgress, JobState
from ingest.ledger import Ledger
from search.errors import UsageError
from search.media import Kind, MediaRecord
from search.settings import Settings
from search.store import open_store
from search.store.base import Point, Store, VectorQuery
from search.store.filters import Filter

RENEWING = Path(__file__).with_name("renewing.py")
PICTURES = 150


@pytest.fixture(scope="module")
def renewing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ingest_renewing", RENEWING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Library:
    """A library on disk that was made with ``BEFORE``."""

    def __init__(self, settings: Settings, media: Path, renewing: ModuleType) -> None:
        self.settings, self.media, self.renewing = settings, media, renewing
        self.open()
        for schema in renewing.schemas_of(renewing.BEFORE):
            self.store.ensure(schema)

    def open(self) -> None:
        self.store: Store = open_store(self.settings)
        self.ledger = Ledger(self.settings.ledger_url)
        self.ingest: Ingest = self.renewing.ingest_of(self.settings, self.store, self.ledger)

    def close(self) -> None:
        self.store.close()
        self.ledger.close()

    def take_in(self) -> None:
        assert self.ingest.run(self.ingest.start([self.media])).state is JobState.DONE

    def reembed(self, model: str, space: str = "visual") -> JobProgress:
        return self.ingest.run(self.ingest.start_task("reembed", {"space": space, "model": model}))

    def forget_style(self, count: int) -> None:
        """Leave the first pictures by name as they were before there was a style."""
        spaces = [field.space.name for field in self.store.schema("images").fields if field.space.name != "style"]
        points = sorted(self.store.scroll("images", vectors=spaces), key=lambda point: point.payload["paths"])
        self.store.upsert("images", [Point(p.id, p.vectors, p.payload) for p in points[:count]])

    def check(self, choice: Any, *, without: tuple[str, ...] = ()) -> None:
        """Every record has the vectors of ``choice``, its paths and its tags; files in ``without`` lack ``visual``."""
        for kind in Kind:
            schema = next(s for s in self.renewing.schemas_of(choice) if s.kind is kind)
            assert self.store.schema(kind.collection) == schema
            wanted = self.renewing.expected(self.media, choice, kind)
            points = list(self.store.scroll(kind.collection, vectors=[f.space.name for f in schema.fields]))
            records = {
                Path(record.paths[0]).name: record for record in (MediaRecord.from_payload(p.payload) for p in points)
            }
            assert records.keys() == wanted.keys()
            for point in points:
                name = Path(point.payload["paths"][0]).name
                expected = {n: v for n, v in wanted[name].items() if name not in without or n == "sound"}
                assert point.vectors.keys() == expected.keys(), name
                for space, vectors in expected.items():
                    np.testing.assert_allclose(point.vectors[space], vectors, atol=1e-6)
                if kind is Kind.IMAGE and name not in without:
                    assert records[name].tags == (choice.image,)


@pytest.fixture
def library(make_settings: Callable[..., Settings], media: Path, renewing: ModuleType) -> Iterator[Library]:
    renewing.fill(media, PICTURES)
    made = Library(make_settings(), media, renewing)
    yield made
    made.close()


def test_every_record_gets_the_new_vectors_and_keeps_all_else(library: Library, renewing: ModuleType) -> None:
    library.take_in()
    library.check(renewing.BEFORE)
    ended = library.reembed(renewing.AFTER.image)
    assert (ended.state, ended.total, ended.embedded) == (JobState.DONE, PICTURES + 2, PICTURES + 2)
    library.check(renewing.AFTER)
    kept = {name: [g.current for g in library.store.generations(name)] for name in ("images", "videos", "audio")}
    assert kept == {"images": [False, True], "videos": [False, True], "audio": [True]}


def test_photographers_stay_who_they_are(library: Library, renewing: ModuleType) -> None:
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
def test_what_was_said_of_files_that_name_an_artist_stays(library: Library, renewing: ModuleType, space: str) -> None:
    for name in ("0001.jpg", "0002.jpg"):
        (library.media / name).write_bytes(b"by Ada:" + name.encode())
    library.take_in()
    library.forget_style(PICTURES)
    hand = Credits(library.ledger, library.store)
    hand.rename("Ada", "Ada Lee")
    by_name = {Path(point.payload["paths"][0]).name: point.id for point in library.store.scroll("images")}
    hand.by_hand([by_name["0002.jpg"]], None)

    library.reembed(*{"visual": (renewing.AFTER.image,), "style": ("style", "style")}[space])

    payloads = {name: library.store.retrieve("images", [id_])[0].payload for name, id_ in by_name.items()}
    told = {name: (payloads[name].get("photographer"), payloads[name]["credit"]) for name in ("0001.jpg", "0002.jpg")}
    assert told == {"0001.jpg": ("Ada Lee", "exif"), "0002.jpg": (None, "person")}


def test_what_is_said_while_the_new_generation_is_indexed_is_kept(
    library: Library, renewing: ModuleType, monkeypatch: pytest.MonkeyPatch
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


def test_features_that_records_lacked_come_with_the_new_vectors(library: Library, renewing: ModuleType) -> None:
    library.take_in()
    ids = [point.id for point in library.store.scroll("images")]
    library.store.patch_payload("images", {id_: {"features": None} for id_ in ids})

    library.reembed(renewing.AFTER.image)

    found = Counter(MediaRecord.from_payload(point.payload).features for point in library.store.scroll("images"))
    assert found[renewing.FEATURES] == PICTURES


def test_questions_are_answered_from_the_old_vectors_until_all_new_ones_are_there(
    library: Library, renewing: ModuleType, monkeypatch: pytest.MonkeyPatch
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


def test_killed_half_way_it_goes_on_where_it_was(library: Library, renewing: ModuleType, repository: Path) -> None:
    library.take_in()
    library.close()
    command = [sys.executable, str(RENEWING), str(library.settings.home)]
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
    assert 0 < held < PICTURES
    ended = library.ingest.run("2")
    assert (ended.state, ended.total, ended.embedded) == (JobState.DONE, PICTURES + 2, PICTURES + 2)
    library.check(renewing.AFTER)


def test_what_cannot_be_embedded_keeps_its_other_spaces_and_is_named(library: Library, renewing: ModuleType) -> None:
    (library.media / "0003.jpg").write_bytes(b"broken picture")
    (library.media / "one.mp4").write_bytes(b"broken video")
    library.take_in()
    ended = library.reembed(renewing.AFTER.image)
    assert ended.state is JobState.DONE_WITH_FAILURES
    assert (ended.total, ended.embedded, ended.failed) == (PICTURES + 2, PICTURES, 2)
    assert "0003.jpg (corrupt)" in ended.message
    visual = Filter(has_space="visual")
    assert library.store.count("images", visual) == PICTURES - 1
    assert library.store.count("images") == PICTURES
    assert library.store.count("videos", Filter(has_space="sound")) == 2
    assert library.store.count("videos", visual) == 1


def test_a_copy_serves_when_the_first_file_has_gone(library: Library, renewing: ModuleType) -> None:
    (library.media / "zz-copy.jpg").write_bytes((library.media / "0000.jpg").read_bytes())
    library.take_in()
    (library.media / "0000.jpg").unlink()
    ended = library.reembed(renewing.AFTER.image)
    assert (ended.state, ended.embedded, ended.failed) == (JobState.DONE, PICTURES + 2, 0)


def test_going_back_uses_what_was_kept_and_learns_what_came_since(library: Library, renewing: ModuleType) -> None:
    library.take_in()
    library.reembed(renewing.AFTER.image)
    (library.media / "0000.jpg").rename(library.media / "moved.jpg")
    library.ingest._runner = renewing.ModelRunner(library.store, renewing.AFTER)
    (library.media / "new.jpg").write_bytes(b"a new picture")
    library.take_in()
    ended = library.reembed(renewing.BEFORE.image)
    assert (ended.state, ended.total) == (JobState.DONE, PICTURES + 3)
    library.check(renewing.BEFORE)
    for generation in library.store.generations("images"):
        if not generation.current:
            library.store.drop_generation(generation.name)
    library.check(renewing.BEFORE)
    assert len(library.store.generations("images")) == 1


def test_cancelled_it_switches_nothing(library: Library, renewing: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("sound", "logmel", "cannot be made with"),
        ("", "", "cannot be made"),
    ],
)
def test_models_that_make_no_sense_are_refused_before_there_is_a_job(
    library: Library, space: str, model: str, said: str
) -> None:
    library.take_in()
    with pytest.raises(UsageError, match=said):
        library.ingest.start_task("reembed", {"space": space, "model": model})
    assert len(library.ingest.jobs()) == 1


def test_the_model_in_use_needs_nothing(library: Library, renewing: ModuleType) -> None:
    library.take_in()
    ended = library.reembed(renewing.BEFORE.image)
    assert ended.state is JobState.DONE
    assert "already" in ended.message


def test_batches_that_a_runner_gives_back_in_a_pause_are_done_when_the_job_goes_on(
    library: Library, renewing: ModuleType, monkeypatch: pytest.MonkeyPatch
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


def test_style_is_filled_in_where_the_records_are(library: Library, renewing: ModuleType) -> None:
    library.take_in()
    library.forget_style(145)

    ended = library.reembed("style", "style")

    assert (ended.state, ended.message) == (JobState.DONE, "Every picture and video has its style.")
    assert (ended.total, ended.embedded) == (PICTURES + 2, PICTURES + 2)
    library.check(renewing.BEFORE)
    assert [generation.name for generation in library.store.generations("images")] == ["images.1"]


def test_what_has_a_style_is_not_embedded_again(
    library: Library, renewing: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.take_in()
    library.forget_style(20)
    runners: list[Any] = []
    plain = renewing.ModelRunner

    class Watched(plain):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            runners.append(self)

    monkeypatch.setattr(renewing, "ModelRunner", Watched)
    library.reembed("style", "style")

    assert sorted(Path(path).name for path in runners[0].seen) == [f"{number:04}.jpg" for number in range(20)]


def test_a_picture_without_a_style_to_be_had_is_named_and_the_job_ends(library: Library, renewing: ModuleType) -> None:
    library.take_in()
    library.forget_style(10)
    for name in ("0004.jpg", "0005.jpg"):
        (library.media / name).unlink()

    ended = library.reembed("style", "style")

    assert ended.state is JobState.DONE_WITH_FAILURES
    assert (ended.failed, ended.embedded) == (2, PICTURES)
    assert ended.message.startswith("2 could not be embedded and have no style, for example ")
    assert "0004.jpg (gone)" in ended.message
    assert library.store.count("images") == PICTURES
    assert library.store.count("images", Filter(has_space="style")) == PICTURES - 2
