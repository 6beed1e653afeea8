"""Questions of a process without models, answered by a worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from celery import states

from search.errors import (
    BrokerUnavailableError,
    CorruptMediaError,
    DecoderCrashError,
    SpaceMismatchError,
    UnreadableFileError,
    WorkersBusyError,
    WorkerUnavailableError,
)
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Store
from workers.batch.encode import ExampleEncoder
from workers.cluster import remote_encoder
from workers.cluster.points import vectors_to_json
from workers.cluster.remote_encoder import RemoteEncoder, choose_models_remotely
from workers.decode.sandbox.pool import DecodePool

Start = Callable[..., Any]


@pytest.fixture(autouse=True)
def _soon_without_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_encoder, "LISTENER_CHECK_SECONDS", 0.2)


@pytest.fixture
def desk(make_desk: Any) -> Any:
    """Its settings leave nothing to be fetched."""
    return make_desk(video_model="frames", sound_model="auto", query_seconds=60)


@pytest.fixture
def store(desk: Any, quick_schemas: tuple[CollectionSchema, ...]) -> Iterator[Store]:
    opened = open_store(desk.settings)
    for schema in quick_schemas:
        opened.ensure(schema)
    yield opened
    opened.close()


@pytest.fixture
def encoder(desk: Any, store: Store) -> RemoteEncoder:
    return RemoteEncoder(desk.settings, desk.app, store)


def write_sound(path: Path, seed: int) -> None:
    """A second of noise that grows louder, as WAV."""
    samples = np.random.default_rng(seed).normal(size=16000) * np.linspace(100, 3000, 16000)
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None], layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_an_example_is_what_it_would_be_in_this_process(
    desk: Any, encoder: RemoteEncoder, start_worker: Start, quick_models: Any, tmp_path: Path
) -> None:
    start_worker(desk.settings)
    write_sound(tmp_path / "a.wav", 2)
    with DecodePool(desk.settings) as pool:
        local = ExampleEncoder(desk.settings, pool, quick_models)
        for path, space in ((desk.picture("red").path, "visual"), (str(tmp_path / "a.wav"), "sound")):
            here, there = local.probe(path, "shown"), encoder.probe(path, "shown")
            assert there.vectors.keys() == here.vectors.keys() == {space}
            np.testing.assert_allclose(there.vectors[space], here.vectors[space], atol=1e-6)
            assert (there.spaces, there.media_id, there.fingerprints) == (
                here.spaces,
                here.media_id,
                here.fingerprints,
            )
            assert (there.kind, there.name, there.duration) == (here.kind, here.name, here.duration)


def test_what_is_wrong_with_a_file_is_said_as_in_this_process(
    desk: Any, encoder: RemoteEncoder, start_worker: Start, tmp_path: Path
) -> None:
    start_worker(desk.settings)
    with pytest.raises(UnreadableFileError):
        encoder.probe(str(tmp_path / "absent.jpg"))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(CorruptMediaError):
        encoder.probe(str(tmp_path / "broken.png"))
    with pytest.raises(DecoderCrashError, match="shown"):
        encoder.probe(desk.picture("magenta").path, "shown")
    assert encoder.probe(desk.picture("red").path).kind is Kind.IMAGE


def test_words_are_asked_of_a_worker_that_has_to_come_soon(
    desk: Any, encoder: RemoteEncoder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    meaning = Space("meaning", "fake", "1", "none", 2)
    with pytest.raises(WorkerUnavailableError):
        encoder.text("a dog", meaning)
    asked: list[Any] = []

    def answer(app: Any, task: str, question: Any, seconds: float, *, waits: float) -> Any:
        asked.extend((task, question, waits, seconds))
        return {"vectors": vectors_to_json({"meaning": np.array([[0.6, 0.8]], np.float32)})}

    monkeypatch.setattr(remote_encoder, "_ask", answer)
    monkeypatch.setattr(remote_encoder, "choose_models_remotely", lambda *_: ModelChoice("i", "v", text="open_clip"))
    np.testing.assert_allclose(encoder.text("a dog", meaning), [[0.6, 0.8]])
    task, question, soon, seconds = asked
    assert (task, question["words"], question["space"]) == ("likewise.embed_text", "a dog", meaning.fingerprint)
    assert (question["models"]["text"], question["models"]["image"]) == ("open_clip", "i")
    assert (soon, seconds) == (remote_encoder.TEXT_SECONDS, 60)


def test_nobody_listening_is_not_the_same_as_everybody_busy(make_desk: Any, store: Store, start_worker: Start) -> None:
    desk = make_desk(video_model="frames", query_seconds=3)
    encoder = RemoteEncoder(desk.settings, desk.app, store)
    picture = desk.picture("red").path
    with pytest.raises(WorkerUnavailableError, match="No worker is listening") as caught:
        encoder.probe(picture)
    assert caught.value.code == "no_worker"
    assert desk.app.backend.client.keys("query*") == [], "what nobody waits for is taken back"
    start_worker(desk.settings, "--queues", "embed.images")
    with pytest.raises(WorkerUnavailableError, match="No worker is listening"):
        encoder.probe(picture)
    start_worker(desk.settings, "--seconds", "600", "--queues", "query,embed.videos")
    desk.wait(desk.order("b1", "red", kind=Kind.VIDEO), states.STARTED)
    with pytest.raises(WorkersBusyError, match="none has come to it"):
        encoder.probe(picture)


def test_a_broker_that_is_away_is_said_so(broker: Any, encoder: RemoteEncoder, desk: Any) -> None:
    picture = desk.picture("red").path
    broker.stop()
    with pytest.raises(BrokerUnavailableError):
        encoder.probe(picture)


def test_a_worker_whose_clock_is_ahead_takes_a_question_for_expired(
    desk: Any, encoder: RemoteEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_encoder, "uuid", SimpleNamespace(uuid4=lambda: SimpleNamespace(hex="asked")))
    desk.app.backend.mark_as_revoked("asked", "expired", store_result=True)
    with pytest.raises(WorkersBusyError, match="clocks"):
        encoder.probe(desk.picture("red").path)


def test_questions_are_answered_from_several_threads(desk: Any, encoder: RemoteEncoder, start_worker: Start) -> None:
    start_worker(desk.settings)
    answers: dict[str, Any] = {}
    pictures = {colour: desk.picture(colour).path for colour in ("red", "lime", "blue") for _ in range(1)}

    def ask(colour: str) -> None:
        answers[colour] = encoder.probe(pictures[colour]).vectors["visual"]

    threads = [threading.Thread(target=ask, args=(colour,)) for colour in pictures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {colour: int(np.argmax(vector)) for colour, vector in answers.items()} == {"red": 0, "lime": 1, "blue": 2}


def test_collections_decide_on_the_models_without_anybody_being_asked(desk: Any, tmp_path: Path) -> None:
    store = open_store(desk.settings)
    visual, motion = Space("visual", "resnet18", "1", "p", 3), Space("motion", "r3d18", "1", "p", 3)
    sound = VectorField(Space("sound", "logmel", "1", "p", 3))
    store.ensure(CollectionSchema(Kind.VIDEO, (VectorField(visual, multi=True), VectorField(motion), sound)))
    with pytest.raises(SpaceMismatchError):
        choose_models_remotely(desk.settings, desk.app, store)
    settings = desk.settings.model_copy(update={"video_model": "auto"})
    choice = choose_models_remotely(settings, desk.app, store)
    assert (choice.image, choice.video) == ("resnet18", "r3d18")
    store.close()


def test_a_worker_chooses_the_models_of_an_empty_store(desk: Any, start_worker: Start) -> None:
    """By what the settings of the asking process say."""
    store = open_store(desk.settings)
    with pytest.raises(WorkerUnavailableError):
        choose_models_remotely(desk.settings, desk.app, store)
    start_worker(desk.settings.model_copy(update={"image_model": "resnet18", "video_model": "r3d18"}))
    settings = desk.settings.model_copy(update={"image_model": "efficientnet_lite0"})
    choice = choose_models_remotely(settings, desk.app, store)
    assert (choice.image, choice.video) == ("efficientnet_lite0", "frames_efficientnet_lite0")
    store.close()


def test_what_nobody_waits_for_any_more_is_not_done(make_desk: Any, store: Store, start_worker: Start) -> None:
    desk = make_desk(video_model="frames", query_seconds=0.5)
    with pytest.raises(WorkerUnavailableError):
        RemoteEncoder(desk.settings, desk.app, store).probe(desk.picture("magenta").path)
    time.sleep(0.5)
    worker = start_worker(desk.settings)
    child = worker.child
    assert desk.wait(desk.order("b1", "red"))["status"] == states.SUCCESS
    assert worker.child == child
