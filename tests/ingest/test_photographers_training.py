"""Training as a job: from what is stored to a model in use, and nothing in between that anybody could see."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.service import JobService, JobState
from ingest.photographers import training
from ingest.photographers.training import TASK_OF, Train
from search.errors import TrainingError, UsageError, WorkerUnavailableError
from search.photographers.model_registry import ModelKind
from search.photographers.photos.dataset import PhotoSet
from workers.training.request import MODEL, PHOTOS, Trained, TrainingOrder
from workers.training.shared_models import SharedModels

PATIENCE = 60
NAMES = ("Ada", "Bo", "../../x", "<script>")
TASK = TASK_OF[ModelKind.CLASSIFIER]


@dataclass
class FakeTrainer:
    """Leaves a file that says how many photos it saw.

    Attributes:
        failing: raised, one each time, before anything is made.
        waits: it comes to no end until ``goes_on`` says no.
        began, stopped: set when it has begun, and when it was told not to go on.
    """

    failing: list[Exception] = field(default_factory=list)
    waits: bool = False
    began: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    orders: list[TrainingOrder] = field(default_factory=list)
    seen: list[PhotoSet] = field(default_factory=list)

    def train(
        self, folder: Path, order: TrainingOrder, say: Callable[[str], object], goes_on: Callable[[], bool]
    ) -> Trained | None:
        self.orders.append(order)
        self.seen.append(PhotoSet.load(folder / PHOTOS))
        say("Learning.")
        self.began.set()
        if self.failing:
            raise self.failing.pop(0)
        while self.waits:
            if not goes_on():
                self.stopped.set()
                return None
            time.sleep(0.01)
        (folder / MODEL).mkdir()
        (folder / MODEL / "manifest.json").write_text(str(len(self.seen[-1])))
        return Trained(folder / MODEL, ("One thing was left out.",))


@pytest.fixture
def trainer() -> FakeTrainer:
    return FakeTrainer()


@pytest.fixture
def ingest(desk: Any, trainer: FakeTrainer) -> JobService:
    desk.ingest.halt()
    tasks = {TASK: Train(desk.settings, desk.store, lambda: trainer, ModelKind.CLASSIFIER)}
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0, 0.0))
    return desk.ingest  # type: ignore[no-any-return]


@pytest.fixture
def library(desk: Any, ingest: JobService) -> list[str]:
    """Ids of eight stored pictures, two of each name."""
    for number in range(8):
        desk.write(f"{number}.jpg", f"picture {number}")
    desk.run()
    ids = sorted(point.id for point in desk.store.scroll("images"))
    desk.store.patch_payload(
        "images", {id_: {"photographer": NAMES[number // 2], "credit": "csv"} for number, id_ in enumerate(ids)}
    )
    return ids


def in_use(desk: Any) -> str:
    """What the model in use says; empty when there is none."""
    shelf = SharedModels(desk.settings)
    version = shelf.current(ModelKind.CLASSIFIER)
    return (shelf.folder(ModelKind.CLASSIFIER, version) / "manifest.json").read_text() if version else ""


def nothing_is_left(desk: Any) -> bool:
    return not list((desk.settings.home / "training").glob("*/*"))


def test_what_is_stored_becomes_a_model_in_use(
    desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str]
) -> None:
    done = ingest.run(ingest.start_task(TASK, {"seconds": "2.5", "seed": "4"}))
    assert (done.state, done.total, done.embedded, done.library) == (JobState.DONE, 8, 8, "classifier")
    assert "One thing was left out. Its files lie in " in done.message
    assert trainer.orders == [TrainingOrder(ModelKind.CLASSIFIER, None, 4)], "no part of it has a time limit"
    assert trainer.seen[0].ids == tuple(library)
    assert sorted(set(trainer.seen[0].names), key=str) == sorted(NAMES)
    assert in_use(desk) == "8"
    assert nothing_is_left(desk)


def test_a_large_library_is_learnt_from_a_stratified_sample_whose_size_is_told(
    desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(training.MOST_PHOTOS, ModelKind.CLASSIFIER, 4)
    desk.store.patch_payload("images", {library[0]: {"photographer": None}, library[1]: {"photographer": None}})
    done = ingest.run(ingest.start_task(TASK))
    assert "a stratified sample: 4 of 6 credited photos" in done.message
    assert (done.total, len(trainer.seen[0])) == (4, 4)
    assert set(trainer.seen[0].ids) <= set(library[2:])


def test_the_photographer_space_tells_where_its_plots_and_logs_lie(
    desk: Any, ingest: JobService, library: list[str], write_space: Callable[..., Path], tmp_path: Path
) -> None:
    class SpaceTrainer(FakeTrainer):
        def train(self, folder: Path, *_: object) -> Trained | None:
            made = write_space(tmp_path / "space", {name: (row, 0) for row, name in enumerate(NAMES)})
            (made / "plots").mkdir()
            (made / "plots" / "clusters.html").write_text("a plot")
            return Trained(made, ())

    joint = TASK_OF[ModelKind.JOINT]
    tasks = {joint: Train(desk.settings, desk.store, SpaceTrainer, ModelKind.JOINT)}
    ingest.halt()
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0,))
    done = desk.ingest.run(desk.ingest.start_task(joint, {}))
    said = re.search(r"plots lie in (\S+), its TensorBoard logs in (\S+)\.$", done.message)
    assert said is not None, done.message
    assert (Path(said[1]) / "clusters.html").read_text() == "a plot"
    assert Path(said[2]).parent == Path(said[1]).parent


@pytest.mark.parametrize(
    "options", [{"seconds": "soon"}, {"seconds": "-1"}, {"seconds": "nan"}, {"seconds": "1e9"}, {"seed": "x"}]
)
def test_options_that_make_no_sense_make_no_job(
    ingest: JobService, library: list[str], options: dict[str, str]
) -> None:
    before = len(ingest.jobs())
    with pytest.raises(UsageError):
        ingest.start_task(TASK, options)
    assert len(ingest.jobs()) == before


def test_too_few_photographers_are_told_at_once(desk: Any, ingest: JobService, library: list[str]) -> None:
    desk.store.patch_payload("images", {id_: {"photographer": "Ada"} for id_ in library})
    with pytest.raises(UsageError, match=r"All photos that are credited are by Ada.*likewise photographers label"):
        ingest.start_task(TASK)
    desk.store.patch_payload("images", {id_: {"photographer": None} for id_ in library})
    with pytest.raises(UsageError, match="No photo is credited to anybody"):
        ingest.start_task(TASK)


def test_photos_that_have_gone_do_not_count(desk: Any, ingest: JobService, library: list[str]) -> None:
    desk.store.patch_payload("images", {id_: {"missing": True} for id_ in library[2:]})
    with pytest.raises(UsageError, match=f"All photos that are credited are by {NAMES[0]}"):
        ingest.start_task(TASK)
    desk.store.patch_payload("images", {id_: {"missing": True} for id_ in library})
    with pytest.raises(UsageError, match="No photo is credited to anybody"):
        ingest.start_task(TASK)


def test_an_empty_library_is_told(ingest: JobService) -> None:
    with pytest.raises(UsageError):
        ingest.start_task(TASK)


def test_a_training_that_fails_leaves_the_model_of_before(
    desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str]
) -> None:
    ingest.run(ingest.start_task(TASK))
    desk.store.delete("images", library[:2])
    trainer.failing = [TrainingError("The training ran out of memory.", "Train on a machine with more.")]
    failed = ingest.run(ingest.start_task(TASK))
    assert failed.state is JobState.FAILED
    assert "ran out of memory. Train on a machine with more." in failed.message
    assert in_use(desk) == "8"
    assert nothing_is_left(desk)
    ingest.run(ingest.start_task(TASK))
    assert in_use(desk) == "6"


def test_nobody_is_told_to_repeat_what_was_asked_for_wrongly(
    ingest: JobService, trainer: FakeTrainer, library: list[str]
) -> None:
    trainer.failing = [UsageError("That takes three photos each.", "Label more."), TrainingError("It broke.")]
    told = [ingest.run(ingest.start_task(TASK)).message for _ in range(2)]
    assert told[0] == "That takes three photos each. Label more."
    assert told[1] == "It broke. What is stored stays; run it again to go on."


def test_a_worker_that_is_gone_is_waited_for(
    desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str]
) -> None:
    trainer.failing = [WorkerUnavailableError("The worker that trained is gone.")]
    assert ingest.run(ingest.start_task(TASK)).state is JobState.DONE
    assert len(trainer.orders) == 2
    assert in_use(desk) == "8"


def test_a_cancelled_training_changes_nothing(
    desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str]
) -> None:
    trainer.waits = True
    job = ingest.start_task(TASK)
    running = threading.Thread(target=ingest.run, args=(job,))
    running.start()
    assert trainer.began.wait(PATIENCE)
    assert ingest.progress(job).message == "Learning."
    ingest.cancel(job)
    running.join(PATIENCE)
    assert ingest.progress(job).state is JobState.CANCELLED
    assert in_use(desk) == ""
    assert nothing_is_left(desk)


def test_a_paused_training_begins_anew(desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str]) -> None:
    trainer.waits = True
    job = ingest.start_task(TASK)
    running = threading.Thread(target=ingest.run, args=(job,))
    running.start()
    assert trainer.began.wait(PATIENCE)
    ingest.pause(job)
    assert trainer.stopped.wait(PATIENCE)
    trainer.waits = False
    ingest.resume(job)
    running.join(PATIENCE)
    assert ingest.progress(job).state is JobState.DONE
    assert len(trainer.orders) == 2
    assert in_use(desk) == "8"


def test_a_job_whose_process_was_killed_is_done_from_its_beginning(
    desk: Any, ingest: JobService, trainer: FakeTrainer, library: list[str]
) -> None:
    job = ingest.start_task(TASK)
    left = desk.settings.home / "training" / job
    (left / MODEL).mkdir(parents=True)
    (left / MODEL / "half.npz").write_bytes(b"half")
    assert ingest.run(job).state is JobState.DONE
    version = SharedModels(desk.settings).current(ModelKind.CLASSIFIER)
    assert version is not None
    assert version.files == ("manifest.json",)
