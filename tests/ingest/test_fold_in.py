"""The job that gives somebody new a place in the photographer space; what places is stood in for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.kinds import FoldInOptions, JobKind
from ingest.jobs.service import JobService, JobState
from ingest.photographers.fold_in import FoldIn
from search.errors import NotFoundError, TrainingError, UsageError
from search.photographers.folded_in import FoldedIn, write_folded_in
from search.photographers.model_registry import ModelKind, version_name
from search.photographers.space import PhotographerSpace
from workers.training.request import MODEL, Trained, TrainingOrder
from workers.training.shared_models import SharedModels

LEARNT = {"Ada": (0, 0), "Bo": (9, 0)}


class FakePlacer:
    """Puts whom it is asked for beside Ada; raises ``failing`` instead, if there is one."""

    def __init__(self, shelf: SharedModels) -> None:
        self.shelf = shelf
        self.orders: list[TrainingOrder] = []
        self.failing: Exception | None = None

    def train(
        self, folder: Path, order: TrainingOrder, say: Callable[[str], object], goes_on: Callable[[], bool]
    ) -> Trained | None:
        self.orders.append(order)
        if self.failing:
            raise self.failing
        version = self.shelf.current(ModelKind.JOINT)
        assert version is not None
        shutil.copytree(self.shelf.folder(ModelKind.JOINT, version), folder / MODEL)
        write_folded_in(folder / MODEL, [FoldedIn(order.place, 2, (1.0, 0.0))])
        return Trained(folder / MODEL, ("Two photos are few.",))


@pytest.fixture
def placer(desk: Any) -> FakePlacer:
    return FakePlacer(SharedModels(desk.settings))


@pytest.fixture
def ingest(desk: Any, placer: FakePlacer) -> JobService:
    """Of a library with two photos by Cy, who came late."""
    desk.ingest.halt()
    tasks = {JobKind.FOLD_IN: FoldIn(desk.settings, desk.store, lambda: placer)}
    made = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0,))
    desk.ingest = made
    for number in range(2):
        desk.write(f"{number}.jpg", f"picture {number}")
    desk.run()
    ids = [point.id for point in desk.store.scroll("images")]
    desk.store.patch_payload("images", {id_: {"photographer": "Cy", "credit": "csv"} for id_ in ids})
    return made


@pytest.fixture
def space(placer: FakePlacer, write_space: Callable[..., Path], tmp_path: Path) -> None:
    """A space in which Ada and Bo are far apart."""
    folder = write_space(tmp_path / "space", LEARNT)
    placer.shelf.publish(ModelKind.JOINT, version_name("0" * 64), folder)


def in_use(placer: FakePlacer) -> PhotographerSpace:
    version = placer.shelf.current(ModelKind.JOINT)
    assert version is not None
    return PhotographerSpace.load(placer.shelf.folder(ModelKind.JOINT, version))


@pytest.mark.usefixtures("space")
def test_somebody_new_is_in_the_space_and_nobody_else_has_moved(ingest: JobService, placer: FakePlacer) -> None:
    done = ingest.run(ingest.start_task(JobKind.FOLD_IN, {"photographer": "Cy"}))

    assert (done.state, done.total, done.embedded, done.library) == (JobState.DONE, 2, 2, "Cy")
    assert done.message == (
        "Cy has a place in the photographer space. Most alike: Ada (83 %), Bo (50 %). Two photos are few."
    )
    assert [order.place for order in placer.orders] == ["Cy"]
    assert in_use(placer).names == (*LEARNT, "Cy")
    assert in_use(placer).trained == tuple(LEARNT)


@pytest.mark.usefixtures("space")
def test_one_that_fails_leaves_the_space_as_it_was(ingest: JobService, placer: FakePlacer) -> None:
    placer.failing = TrainingError("It ran out of memory.")

    failed = ingest.run(ingest.start_task(JobKind.FOLD_IN, {"photographer": "Cy"}))

    assert failed.state is JobState.FAILED
    assert failed.message.startswith("It ran out of memory.")
    assert in_use(placer).names == tuple(LEARNT)


@pytest.mark.usefixtures("space")
@pytest.mark.parametrize(("options", "said"), [({}, "name"), ({"photographer": "Ada"}, "learnt from Ada")])
def test_nobody_and_those_it_was_learnt_from_make_no_job(
    ingest: JobService, options: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ingest.start_task(JobKind.FOLD_IN, options)


def test_without_a_space_there_is_no_place_in_it(ingest: JobService) -> None:
    with pytest.raises(NotFoundError, match="train --joint"):
        ingest.start_task(JobKind.FOLD_IN, {"photographer": "Cy"})


@pytest.mark.usefixtures("space")
def test_somebody_learnt_by_another_name_is_there_already(desk: Any, placer: FakePlacer) -> None:
    task = FoldIn(desk.settings, desk.store, lambda: placer, lambda: {"Bo": "Cy"})
    with pytest.raises(UsageError, match="learnt from Cy"):
        task.check(FoldInOptions("Cy"))
