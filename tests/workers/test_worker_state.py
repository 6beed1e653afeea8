"""What a worker's process keeps, and what it lets go of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from celery import Celery

import workers.worker.state
from search.errors import MessageRefusedError, ModelError, SettingsError, SpaceMismatchError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Store
from workers.batch.report import Batch, FileRef, Status
from workers.cluster.app import EMBED_TEXT
from workers.cluster.points import vectors_from_json
from workers.cluster.serialization import BatchOrder, choice_to_json
from workers.worker.state import DeviceLostError, WorkerState
from workers.worker.tasks import register

MakeFile = Callable[..., FileRef]


def choice(image: str) -> ModelChoice:
    return ModelChoice(image, "frames", "logmel")


def order(*files: FileRef, image: str = "one", deliver: Any = "report") -> BatchOrder:
    return BatchOrder(Batch("b1", "j1", Kind.IMAGE, files), choice(image), deliver)


@pytest.fixture
def server_settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(store="server", qdrant_url="http://127.0.0.1:1", batch_size=4)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, pool: Any) -> list[str]:
    """Image models built, in order; decoders are the fake ones."""
    monkeypatch.setattr(workers.worker.state, "DecodePool", lambda settings, clips, movement: pool)
    return []


@pytest.fixture
def worker_state(server_settings: Settings, made: list[str], models: Any) -> WorkerState:
    def build(_: Settings, wanted: ModelChoice) -> Any:
        made.append(wanted.image)
        return models

    return WorkerState(server_settings, build)


def test_keeps_the_models_of_a_question_while_a_batch_asks_for_new_ones(
    worker_state: WorkerState, made: list[str], make_file: MakeFile
) -> None:
    file = make_file("a.jpg")
    for image in ("old", "new", "old", "new", "old"):
        worker_state.embed(order(file, image=image))
    assert made == ["old", "new"]
    worker_state.embed(order(file, image="newest"))
    worker_state.embed(order(file, image="old"))
    worker_state.embed(order(file, image="new"))
    assert made == ["old", "new", "newest", "new"]


def test_words_are_embedded_by_the_models_that_are_asked_for(
    worker_state: WorkerState, made: list[str], models: Any, brokered: Settings, app: Celery, store: Store
) -> None:
    meaning = Space("meaning", "fake", "1", "none", 2)
    models.schemas = (CollectionSchema(Kind.IMAGE, (VectorField(meaning),)),)
    models.text = lambda words: np.array([[len(words), 0.5]], np.float32)
    register(app, worker_state)
    wanted = choice_to_json(replace(choice("old"), text="open_clip"))
    question = {"version": 2, "words": "a dog", "space": meaning.fingerprint, "models": wanted}

    def ask(**changes: object) -> dict[str, Any]:
        return app.tasks[EMBED_TEXT]({"content": json.dumps(question | changes)})  # type: ignore[no-any-return]

    answer = ask()
    np.testing.assert_array_equal(vectors_from_json(json.loads(json.dumps(answer))["vectors"])["meaning"], [[5, 0.5]])
    assert ask(space="0123456789abcdef")["error"]["code"] == SpaceMismatchError.code
    ask(models=wanted | {"text": None})
    assert made == ["old", "old"], "who asks without a model of words is given other models"
    assert ask(space="../etc")["error"]["code"] == MessageRefusedError.code


def test_an_asker_that_insists_on_a_model_of_words_is_told_that_it_is_not_to_be_had(
    worker_state: WorkerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.model_descriptions.text.PACKAGES", ("no_such_package",))
    assert worker_state.choose_models({}, "efficientnet_lite0", "frames").text is None
    with pytest.raises(ModelError, match="not installed"):
        worker_state.choose_models({}, "efficientnet_lite0", "frames", "open_clip")


def test_warmed_it_has_the_models_before_a_task_asks(
    make_settings: Callable[..., Settings], made: list[str], models: Any
) -> None:
    def build(_: Settings, wanted: ModelChoice) -> Any:
        made.append(wanted.image)
        return models

    WorkerState(make_settings(image_model="efficientnet_lite0", video_model="frames"), build).warm()
    assert made == ["efficientnet_lite0"]


def test_warming_may_fail_and_leave_all_to_the_first_task(worker_state: WorkerState, made: list[str]) -> None:
    worker_state.warm()  # there is no server at that address
    assert made == []


def test_notes_about_a_choice_do_not_tell_models_apart(
    worker_state: WorkerState, made: list[str], make_file: MakeFile
) -> None:
    wanted = order(make_file("a.jpg"))
    worker_state.embed(wanted)
    worker_state.embed(BatchOrder(wanted.batch, ModelChoice("one", "frames", "logmel", ("A note.",)), "report"))
    assert made == ["one"]


def test_looks_anew_at_collections_that_were_made_anew(
    worker_state: WorkerState, store: Store, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stale:
        closed = False

        def collections(self) -> Any:
            raise SpaceMismatchError("The collection was made with another model.")

        def close(self) -> None:
            self.closed = True

    stale = Stale()
    opened = [store, stale]
    monkeypatch.setattr(workers.worker.state, "open_store", lambda settings: opened.pop())
    report = worker_state.embed(order(make_file("a.jpg"), deliver="store"))
    assert report.outcomes[0].status is Status.EMBEDDED
    assert stale.closed
    assert store.count("images") == 1


def test_a_mismatch_that_stays_is_raised(
    worker_state: WorkerState, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other:
        def collections(self) -> Any:
            raise SpaceMismatchError("The collection was made with another model.")

        def close(self) -> None:
            pass

    monkeypatch.setattr(workers.worker.state, "open_store", lambda settings: Other())
    with pytest.raises(SpaceMismatchError):
        worker_state.embed(order(make_file("a.jpg"), deliver="store"))


def test_does_not_open_an_embedded_store_of_its_own(
    settings: Settings, made: list[str], models: Any, make_file: MakeFile
) -> None:
    with pytest.raises(SettingsError, match="LIKEWISE_QDRANT_URL"):
        WorkerState(settings, lambda _, __: models).embed(order(make_file("a.jpg"), deliver="store"))
    assert not settings.home.exists()


@pytest.mark.parametrize("works", [True, False])
def test_a_device_that_computes_no_more_is_not_held_against_the_files(
    worker_state: WorkerState, models: Any, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    models.fail_on, models.error = (lambda item: True), ModelError("CUDA error: unspecified launch failure.")
    monkeypatch.setattr("workers.device.device_works", lambda settings: works)
    wanted = order(make_file("a.jpg"))
    if works:
        assert worker_state.embed(wanted).outcomes[0].code == "model"
        return
    with pytest.raises(DeviceLostError):
        worker_state.embed(wanted)


def test_abandoned_work_leaves_nothing(
    worker_state: WorkerState, made: list[str], pool: Any, make_file: MakeFile
) -> None:
    closed: list[bool] = []
    pool.close = lambda: closed.append(True)
    worker_state.embed(order(make_file("a.jpg")))
    worker_state.abandon()
    worker_state.embed(order(make_file("b.jpg")))
    assert closed == [True]
    assert made == ["one", "one"]
