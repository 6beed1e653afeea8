"""Answers to trainings that somebody else puts into Redis, or a worker that was taken over, fetch nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, states

import workers.cluster.results
import workers.training.remote
from search.errors import MessageRefusedError, StoreError
from search.photographers.model_registry import ModelKind
from search.photographers.photos.dataset import PhotoSet
from search.settings import Settings
from workers.cluster.broker import KEPT_PREFIX, Broker
from workers.cluster.task_queue import origin_of
from workers.training.model_files import is_model_file
from workers.training.remote import RemoteTrainer
from workers.training.request import PHOTOS, Trained, TrainingOrder
from workers.training.worker_side import TrainingWanted, progress_name, serve_training, wanted_name

Forge = Callable[[str, str], Any]


@pytest.fixture
def train(
    brokered: Settings,
    app: Celery,
    make_photos: Callable[..., PhotoSet],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Forge, bool], Trained | None]:
    """Train without a worker; ``forge`` makes the answer that is found in Redis, of the task and its folder."""
    monkeypatch.setattr(workers.training.remote, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(Broker, "listeners", lambda self: ())

    def make(forge: Forge, signed: bool) -> Trained | None:
        folder = tmp_path / "scratch" / "7"
        folder.mkdir(parents=True, exist_ok=True)
        make_photos().save(folder / PHOTOS)
        prefix = f"training/{origin_of(brokered)}-7"

        def goes_on() -> bool:
            (message,) = app.backend.client.lrange("train\x06\x166", 0, -1)
            task = json.loads(message)["headers"]["id"]
            (brokered.home / prefix / ("f" * 32)).mkdir(exist_ok=True)
            (brokered.home / prefix / ("f" * 32) / "manifest.json").write_text("{}")
            answer = forge(task, prefix)
            if signed:
                app.backend.store_result(task, answer, states.SUCCESS)
            else:
                meta = {"status": states.SUCCESS, "result": answer}
                app.backend.client.set(app.backend.get_key_for_task(task), json.dumps(meta))
            return True

        return RemoteTrainer(brokered, app).train(folder, TrainingOrder(ModelKind.CLASSIFIER), print, goes_on)

    return make


def answer(*files: object, at: str = "f" * 32) -> Forge:
    return lambda task, prefix: {"at": f"{prefix}/{at}", "files": list(files), "notes": []}


def test_an_answer_that_nobody_signed_fetches_nothing(train: Any, tmp_path: Path) -> None:
    with pytest.raises(MessageRefusedError, match="not signed"):
        train(answer("manifest.json"), False)
    assert not (tmp_path / "scratch" / "7" / "model").exists()


def test_a_worker_that_was_taken_over_writes_nowhere_else(
    train: Any, tmp_path: Path, brokered: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "secret"
    outside.write_text("secret")

    def linked(task: str, prefix: str) -> Any:
        (brokered.home / prefix / ("f" * 32) / "report.json").symlink_to(outside)
        return answer("manifest.json", "report.json")(task, prefix)

    def linked_folder(task: str, prefix: str) -> Any:
        (brokered.home / prefix / ("e" * 32)).symlink_to(tmp_path)
        return answer("manifest.json", at="e" * 32)(task, prefix)

    forged: dict[str, Forge] = {
        "above": answer("manifest.json", "../../evil"),
        "absolute": answer("manifest.json", str(tmp_path / "evil")),
        "below": answer("manifest.json", "part/weights.npz"),
        "no such file of a model": answer("manifest.json", "run.sh"),
        "no text": answer("manifest.json", ["report.json"]),
        "too many": answer(*["manifest.json"] * 1000),
        "no list": lambda task, prefix: {"at": f"{prefix}/{'f' * 32}", "files": "manifest.json", "notes": []},
        "of another training": lambda task, prefix: {"at": "models/x", "files": ["manifest.json"], "notes": []},
        "elsewhere": answer("manifest.json", at="../../previews"),
        "a note of no end": lambda task, prefix: answer("manifest.json")(task, prefix) | {"notes": ["x" * 5000]},
        "no object": lambda task, prefix: [prefix],
        "a link": linked,
        "a linked folder": linked_folder,
    }
    taken = []
    for name, forge in forged.items():
        try:
            train(forge, True)
        except MessageRefusedError:
            continue
        taken.append(name)
    assert taken == []
    assert not list(tmp_path.rglob("evil"))
    assert not (tmp_path / "scratch" / "7" / "model").exists()
    trained = train(answer("manifest.json"), True)
    assert trained is not None
    assert [path.name for path in trained.folder.rglob("*")] == ["manifest.json"]
    monkeypatch.setattr(workers.training.remote, "MOST_BYTES", 1)
    with pytest.raises(StoreError, match="more than 1 bytes"):
        train(answer("manifest.json"), True)
    monkeypatch.setattr(workers.cluster.results, "MOST_BYTES", 100)
    with pytest.raises(MessageRefusedError, match="more than"):
        train(answer("manifest.json"), True)


def test_what_others_put_beside_a_training_is_ignored(brokered: Settings, app: Celery) -> None:
    broker = Broker(app)
    there = f"training/{origin_of(brokered)}-7"
    wanted = TrainingWanted(broker, there, "origin:7:task")
    for name, forged in (
        (wanted_name(there), b"origin:7:other"),
        (progress_name(there), b"Send your password."),
        ("upload-x", json.dumps(app.seals.seal("{}", "kept", "upload-y")).encode()),
        ("endless", b"x" * (17 << 20)),
    ):
        app.backend.client.set(KEPT_PREFIX + name, forged)
        assert broker.get(name) is None
    assert wanted()


def test_an_order_leads_into_no_other_folder(brokered: Settings, app: Celery) -> None:
    order = TrainingOrder(ModelKind.CLASSIFIER).to_json()
    question = {"version": 2, "task": "origin:7:task", "there": f"training/{origin_of(brokered)}-7", "order": order}
    for change in (
        {"there": "training/../../etc"},
        {"there": "/etc"},
        {"task": "../../task"},
        {"order": order | {"kind": "../x"}},
        {"order": order | {"seconds": "soon"}},
        {"order": None},
        {"version": 1},
    ):
        answer = serve_training(brokered, Broker(app), question | change, lambda _: pytest.fail("it trains"))
        assert answer["error"]["code"] == "message_refused", change


def test_files_of_models() -> None:
    classifier, joint = ModelKind.CLASSIFIER, ModelKind.JOINT
    assert is_model_file(classifier, "arrays.npz")
    assert is_model_file(classifier, "trees.cbm")
    assert not is_model_file(joint, "trees.cbm")
    assert not is_model_file(classifier, "weights.npz")
    for name in ("weights.npz", "placed.json", "plots/clusters.html", "tensorboard/events.out.tfevents.17.host-1.2.0"):
        assert is_model_file(joint, name), name
    assert is_model_file(joint, "tensorboard/00400/photographers/tensors.tsv")
    for name in ("plots/../x.html", "plots/a/b.html", "tensorboard/../../x", "tensorboard//x", "/plots/x.html", ""):
        assert not is_model_file(joint, name), name
