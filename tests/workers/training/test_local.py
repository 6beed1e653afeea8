"""Training in a child: what goes in, what comes out, and every way in which the child may end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import workers.training.local
from search.errors import ModelError, TrainingError, UsageError
from search.photographers.model_registry import ModelKind
from search.photographers.photos.dataset import PhotoSet
from search.settings import Settings
from workers.training.local import ChildTrainer
from workers.training.request import PHOTOS, Trained, TrainingOrder
from workers.training.worker_side import serve_training

Run = Callable[..., Trained | None]
ORDER = TrainingOrder(ModelKind.CLASSIFIER, seconds=1.0, seed=3)
PATIENCE = 60


@pytest.fixture
def run(
    tmp_path: Path,
    make_settings: Callable[..., Settings],
    make_photos: Callable[..., PhotoSet],
    light_child: tuple[str, ...],
) -> Run:
    """Train with a light child that does this; keywords are settings."""

    def run(
        what: str,
        say: Callable[[str], object] = print,
        goes_on: Callable[[], bool] = lambda: True,
        **settings: object,
    ) -> Trained | None:
        others = set(psutil.Process().children())  # of other tests: a database, say
        folder = tmp_path / "training"
        folder.mkdir()
        make_photos(what).save(folder / PHOTOS)
        trained = ChildTrainer(make_settings(**settings), light_child).train(folder, ORDER, say, goes_on)
        assert set(psutil.Process().children()) <= others, "the child has not ended"
        return trained

    return run


def test_a_folder_goes_in_and_a_model_comes_out(run: Run, make_photos: Callable[..., PhotoSet]) -> None:
    said: list[str] = []
    trained = run("learn", said.append, threads=2)
    assert trained is not None
    assert trained.notes == ("It learnt nothing.",)
    assert said == ["Looking at 6 photos."]
    manifest = json.loads((trained.folder / "manifest.json").read_text())
    assert manifest == {"kind": "classifier", "photos": 6, "threads": 2}
    with np.load(trained.folder / "arrays.npz") as arrays:
        np.testing.assert_allclose(arrays["weights"], make_photos().visual.mean(axis=0), rtol=1e-6)


def test_an_order_survives_its_folder(tmp_path: Path) -> None:
    ORDER.save(tmp_path)
    assert TrainingOrder.load(tmp_path) == ORDER


def test_an_order_of_an_older_version_is_read_with_defaults_and_that_of_a_newer_one_refused(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"kind": "joint", "seed": 4}')
    assert TrainingOrder.load(tmp_path) == TrainingOrder(ModelKind.JOINT, seed=4)
    (tmp_path / "order.json").write_text('{"layout": 2, "kind": "joint"}')
    with pytest.raises(ModelError, match="newer version of Likewise"):
        TrainingOrder.load(tmp_path)


def test_an_order_of_a_newer_coordinator_is_refused_by_a_worker(make_settings: Callable[..., Settings]) -> None:
    question = {"version": 99, "task": "origin:7:new", "there": "training/origin-7", "order": {}}
    broker: Any = None  # not asked
    assert serve_training(make_settings(), broker, question)["error"]["hint"].startswith("Update Likewise")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("kill", "out of memory, or was killed"),
        ("memory", "The training ran out of memory."),
        ("status", "ended with status 7. It last said: .*Something is amiss."),
        ("crash", "ZeroDivisionError: by nothing"),
    ],
)
def test_a_bad_end_is_told(run: Run, what: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        run(what)


def test_what_cannot_be_learnt_is_told_as_the_child_tells_it(run: Run) -> None:
    with pytest.raises(UsageError, match=r"only one photographer\. Label more\."):
        run("refuse")


@pytest.mark.parametrize("what", ["wait", "deaf"])
def test_it_stops_when_asked_and_is_made_to_when_it_does_not_listen(
    run: Run, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(workers.training.local, "STOP_SECONDS", 0.2)
    said: list[str] = []
    assert run(what, said.append, lambda: not said) is None


def test_it_may_take_so_long_and_no_longer(run: Run) -> None:
    with pytest.raises(TrainingError, match="longer than 1 s") as caught:
        run("wait", train_seconds=1)
    assert "LIKEWISE_TRAIN_SECONDS" in caught.value.hint


def test_a_child_that_cannot_start_is_told(
    tmp_path: Path, make_settings: Callable[..., Settings], make_photos: Callable[..., PhotoSet]
) -> None:
    make_photos().save(tmp_path / PHOTOS)
    trainer = ChildTrainer(make_settings(), ("/nowhere/python",))
    with pytest.raises(TrainingError, match="No process can be started"):
        trainer.train(tmp_path, ORDER, print, lambda: True)


def test_a_child_that_nobody_listens_to_ends(
    tmp_path: Path, make_photos: Callable[..., PhotoSet], light_child: tuple[str, ...], repository: Path
) -> None:
    """Its parent may die before it has asked the kernel to end it then."""
    make_photos("wait").save(tmp_path / PHOTOS)
    ORDER.save(tmp_path)
    listener, teller = os.pipe()
    command = [*light_child, str(tmp_path), "1"]
    with subprocess.Popen(command, stdout=teller, cwd=repository, env=os.environ | {"PYTHONPATH": "."}) as child:
        os.close(teller)
        os.close(listener)
        try:
            assert child.wait(PATIENCE) == 1
        finally:
            child.kill()


def test_the_child_comes_after_everything_else(run: Run) -> None:
    """The processor's time, and memory when there is none left, belong to questions first."""
    seen: list[tuple[int, int]] = []
    others = set(psutil.Process().children())

    def look(_: str) -> None:
        (child,) = set(psutil.Process().children()) - others
        seen.append((child.nice(), int(Path(f"/proc/{child.pid}/oom_score_adj").read_text())))

    assert run("wait", look, lambda: not seen) is None
    (nice, first_to_go), *_ = seen
    assert nice > psutil.Process().nice()
    assert first_to_go > int(Path("/proc/self/oom_score_adj").read_text())
