"""Training by a real worker, by way of a real broker."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import workers.training.remote
from search.errors import StoreUnavailableError, TrainingError, UsageError, WorkerUnavailableError
from search.photographers.model_registry import ModelKind
from search.photographers.photos.dataset import PhotoSet
from search.settings import Settings
from workers.cluster.app import make_app
from workers.cluster.broker import Broker
from workers.cluster.signing import MESSAGE_VERSION
from workers.cluster.task_queue import origin_of
from workers.training.remote import RemoteTrainer
from workers.training.request import PHOTOS, Trained, TrainingOrder
from workers.training.worker_side import serve_training, wanted_name

ORDER = TrainingOrder(ModelKind.CLASSIFIER)
PATIENCE = 90


@pytest.fixture
def worker(brokered: Settings, start_worker: Callable[..., Any], light_child: tuple[str, ...]) -> Any:
    return start_worker(brokered, "--queues", "train", "--child", light_child[1])


@pytest.fixture
def make_folder(tmp_path: Path, make_photos: Callable[..., PhotoSet]) -> Callable[[str], Path]:
    """A job's folder with photos that a light child does this with."""

    def make(what: str) -> Path:
        folder = tmp_path / f"scratch-{what}" / "7"
        folder.mkdir(parents=True)
        make_photos(what).save(folder / PHOTOS)
        return folder

    return make


def left_in(settings: Settings) -> list[Path]:
    """Files of trainings in the shared place."""
    return [path for path in (settings.home / "training").rglob("*") if path.is_file()]


def test_photos_go_to_a_worker_and_its_model_comes_back(
    brokered: Settings, app: Any, worker: Any, make_folder: Callable[[str], Path], make_photos: Callable[..., PhotoSet]
) -> None:
    said: list[str] = []
    trained = RemoteTrainer(brokered, app).train(make_folder("learn"), ORDER, said.append, lambda: True)
    assert trained is not None
    assert trained.notes == ("It learnt nothing.",)
    assert json.loads((trained.folder / "manifest.json").read_text())["photos"] == 6
    with np.load(trained.folder / "arrays.npz") as arrays:
        np.testing.assert_allclose(arrays["weights"], make_photos().visual.mean(axis=0), rtol=1e-6)
    assert left_in(brokered) == []
    with pytest.raises(UsageError, match="only one photographer"):
        RemoteTrainer(brokered, app).train(make_folder("refuse"), ORDER, said.append, lambda: True)


def test_a_model_that_is_here_is_not_lost_to_a_place_that_cannot_be_cleared(
    brokered: Settings,
    app: Any,
    worker: Any,
    make_folder: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer, cleared = RemoteTrainer(brokered, app), []

    def clear(folder: str) -> None:
        cleared.append(folder)
        if len(cleared) > 1:  # the first is before it begins
            raise StoreUnavailableError("The bucket is away.")

    monkeypatch.setattr(trainer._place, "clear", clear)
    assert trainer.train(make_folder("learn"), ORDER, print, lambda: True) is not None
    assert len(cleared) == 2


def test_what_is_not_wanted_any_more_ends_on_the_worker(
    brokered: Settings, app: Any, worker: Any, make_folder: Callable[[str], Path]
) -> None:
    said: list[str] = []
    stopped = RemoteTrainer(brokered, app).train(make_folder("wait"), ORDER, said.append, lambda: not said)
    assert stopped is None
    assert said == ["Looking at 6 photos."]
    assert left_in(brokered) == []
    trained = RemoteTrainer(brokered, app).train(make_folder("learn"), ORDER, said.append, lambda: True)
    assert trained is not None, "the worker is free again"


def test_a_worker_that_dies_of_it_is_told_and_another_process_takes_the_next(
    brokered: Settings, app: Any, worker: Any, make_folder: Callable[[str], Path]
) -> None:
    def kill(_: str) -> None:
        os.kill(worker.child, signal.SIGKILL)

    with pytest.raises(TrainingError, match="died, maybe out of memory"):
        RemoteTrainer(brokered, app).train(make_folder("wait"), ORDER, kill, lambda: True)
    trained = RemoteTrainer(brokered, app).train(make_folder("learn"), ORDER, print, lambda: True)
    assert trained is not None


def test_a_worker_whose_machine_is_gone_is_noticed(
    brokered: Settings,
    app: Any,
    worker: Any,
    make_folder: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers.training.remote, "SEARCH_SECONDS", 0.1)

    def kill(_: str) -> None:
        if psutil.pid_exists(worker.pid):
            worker.kill()

    with pytest.raises(WorkerUnavailableError, match="gone"):
        RemoteTrainer(brokered, app).train(make_folder("wait"), ORDER, kill, lambda: True)


def test_it_waits_for_a_worker_and_says_so(
    brokered: Settings,
    app: Any,
    start_worker: Callable[..., Any],
    light_child: tuple[str, ...],
    make_folder: Callable[[str], Path],
) -> None:
    said: list[str] = []
    made: list[Trained | None] = []
    trainer = RemoteTrainer(brokered, app)
    training = threading.Thread(
        target=lambda: made.append(trainer.train(make_folder("learn"), ORDER, said.append, lambda: True))
    )
    training.start()
    deadline = time.monotonic() + PATIENCE
    while not said:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "No worker is listening to train." in said[0]
    start_worker(brokered, "--queues", "train", "--child", light_child[1])
    training.join(PATIENCE)
    assert made
    assert made[0] is not None


def test_a_task_delivered_again_does_nothing(brokered: Settings, app: Any, make_folder: Callable[[str], Path]) -> None:
    """Once it is done, or another one is wanted: whoever redelivers it, it harms nobody."""
    broker = Broker(app)
    there = f"training/{origin_of(brokered)}-7"
    question = {"version": MESSAGE_VERSION, "task": "origin:7:old", "there": there, "order": ORDER.to_json()}

    class Never:
        def train(self, *_: object) -> None:
            raise AssertionError("it is not to train")

    for wanted in ("", "origin:7:new"):
        broker.put(wanted_name(there), wanted)
        assert serve_training(brokered, broker, question, lambda _: Never()) == {"stopped": True}
    broker.put(wanted_name(there), "origin:7:old")
    assert serve_training(brokered, broker, question, lambda _: Never()) == {"stopped": True}, "its photos are gone"


def test_by_way_of_a_bucket(
    make_settings: Callable[..., Settings],
    broker: Any,
    bucket: Any,
    start_worker: Callable[..., Any],
    light_child: tuple[str, ...],
    make_folder: Callable[[str], Path],
) -> None:
    brokered = make_settings(broker_url=broker.url, shared=f"{bucket.root}/shared")
    start_worker(brokered, "--queues", "train", "--child", light_child[1])
    app = make_app(brokered)
    trained = RemoteTrainer(brokered, app).train(make_folder("learn"), ORDER, print, lambda: True)
    app.close()
    assert trained is not None
    assert sorted(path.name for path in trained.folder.rglob("*") if path.is_file()) == ["arrays.npz", "manifest.json"]
    assert bucket.keys() == []
