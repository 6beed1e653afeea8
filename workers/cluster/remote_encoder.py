"""Embed files and words on a worker, and choose models there, from a process that has no models."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from celery import Celery, states
from celery.exceptions import WorkerLostError

from search.errors import (
    BrokerUnavailableError,
    DecoderCrashError,
    LikewiseError,
    ModelError,
    WorkersBusyError,
    WorkerUnavailableError,
    error_of,
)
from search.media import COLLECTIONS
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.similar.questions import Probe
from search.spaces import MEANING, Space
from search.store.base import Array, Store
from workers.cluster.app import CHOOSE_MODELS, EMBED_FILE, EMBED_TEXT, QUERY_PRIORITY, QUERY_QUEUE
from workers.cluster.broker import Broker
from workers.cluster.serialization import (
    MESSAGE_VERSION,
    Json,
    choice_from_json,
    choice_to_json,
    later_fields,
    probe_from_json,
    vectors_from_json,
)
from workers.cluster.task_lookup import broker_errors, withdraw_tasks
from workers.embedders.choice import choose_models
from workers.embedders.sound.standardise import with_sound

LISTENER_CHECK_SECONDS = 2.0
"""How long a task may wait in its queue before the workers are checked for a listener."""

REST_SECONDS = 0.02

TEXT_SECONDS = 5.0
"""How long words wait in the queue for a worker; concepts and texts answer without their vector."""


class RemoteEncoder:
    """Embeds files and words on a worker, as ``workers.batch.encode.ExampleEncoder`` does in this process. Thread-safe.

    The worker must be able to read the file, which is in a library or in ``Settings.shared_place``.
    """

    def __init__(self, settings: Settings, app: Celery, store: Store) -> None:
        self._settings, self._app, self._store = settings, app, store

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example.

        Args:
            name: shown in the answer; the file name when left out.

        Raises:
            MediaError: it cannot be read or decoded, or holds nothing to compare by.
            ModelError: a model could not be loaded or run.
            WorkerUnavailableError: no worker listens, or (WorkersBusyError) none has answered in time.
            BrokerUnavailableError: the broker does not answer.
        """
        choice = choose_models_remotely(self._settings, self._app, self._store)
        question: Json = {"path": path, "name": name, "models": choice_to_json(choice)}
        question |= {"version": MESSAGE_VERSION} | later_fields(choice)
        seconds = self._settings.query_seconds
        try:
            answer = _ask(self._app, EMBED_FILE, question, seconds, waits=seconds)
        except WorkerLostError:
            raise DecoderCrashError(f"'{name or path}' ended the worker that looked at it.") from None
        probe = probe_from_json(answer)
        vectors = with_sound(probe.vectors)
        vectors.pop("sound_raw", None)  # sent by older workers instead of ``sound``
        return replace(probe, vectors=vectors, spaces={name: probe.spaces[name] for name in vectors})

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``, float32 ``(1, dim)``, L2-normalised.

        The caller can answer without it, so that a worker has to begin within ``TEXT_SECONDS``.

        Raises:
            ModelError: there is no model of words, or it could not be loaded or run.
            SpaceMismatchError: it makes vectors of another space.
            WorkerUnavailableError, BrokerUnavailableError: as :meth:`probe`.
        """
        choice = choose_models_remotely(self._settings, self._app, self._store)
        question: Json = {"words": words, "space": space.fingerprint, "models": choice_to_json(choice)}
        question |= {"version": MESSAGE_VERSION} | later_fields(choice)
        seconds = self._settings.query_seconds
        try:
            answer = _ask(self._app, EMBED_TEXT, question, seconds, waits=min(TEXT_SECONDS, seconds))
        except WorkerLostError:
            raise ModelError("The worker that embedded the words ended.") from None
        return vectors_from_json(answer["vectors"])[MEANING]


def choose_models_remotely(settings: Settings, app: Celery, store: Store) -> ModelChoice:
    """The models to embed with: those of the existing collections, or else those that a worker can load.

    Raises:
        SpaceMismatchError, ModelError: see ``workers.embedders.choice.choose_models``.
        WorkerUnavailableError, BrokerUnavailableError: as :meth:`RemoteEncoder.probe`.
    """
    existing = {name: info.schema for name, info in store.collections().items() if name in COLLECTIONS}
    if all(any(schema.space(space) for schema in existing.values()) for space in ("visual", "motion")):
        return choose_models(settings, existing)
    question = {
        "image": settings.image_model,
        "video": settings.video_model,
        "version": MESSAGE_VERSION,
        "existing": {name: schema.to_json() for name, schema in existing.items()},
        "concepts": True,
        "text": settings.text_model,
    }
    # A worker may have to fetch weights first.
    answer = _ask(app, CHOOSE_MODELS, question, settings.task_seconds, waits=settings.query_seconds)
    return choice_from_json(answer, answer)


def _ask(app: Celery, task: str, question: Json, seconds: float, *, waits: float) -> Json:
    """Send a question to the workers and wait for the answer.

    Args:
        seconds: within which the answer has to come.
        waits: seconds within which a worker has to begin.

    Raises:
        LikewiseError: the error that the worker raised, or the reason why there is no answer.
    """
    id_ = uuid.uuid4().hex
    # Not by send_task, which subscribes to the result: a poller never reads what the subscription delivers.
    message = app.amqp.create_task_message(id_, task, (question,), {}, expires=waits)
    with broker_errors():
        with app.producer_or_acquire() as producer:
            app.amqp.send_task_message(producer, task, message, queue=QUERY_QUEUE, priority=QUERY_PRIORITY)
        try:
            meta = _wait(app, id_, {states.PENDING: waits, states.STARTED: seconds})
        except WorkerUnavailableError:
            with suppress(BrokerUnavailableError):  # without workers, questions would accumulate at the broker
                withdraw_tasks(app, id_.__eq__)
            raise
        app.backend.forget(id_)
    if meta["status"] == states.REVOKED:
        raise WorkersBusyError(
            "A worker came to the question when it had expired already.",
            "Try again; if that is said at once, set the clocks of this machine and the worker's.",
        )
    answer = meta["result"]
    if meta["status"] != states.SUCCESS:
        known = isinstance(answer, LikewiseError | WorkerLostError)
        raise answer if known else LikewiseError(f"A worker failed: {answer!r}.")
    if "error" in answer:
        raise error_of(**answer["error"])
    return dict(answer)


def _wait(app: Celery, id_: str, seconds: Mapping[str, float]) -> Json:
    """Wait for the end of a task; its record at the broker.

    Args:
        seconds: by state, how long a task may remain in it.
    """
    began = time.monotonic()
    has_listener = False
    while True:
        meta: Json = app.backend.get_task_meta(id_, cache=False)
        if meta["status"] in states.READY_STATES:
            return meta
        waited = time.monotonic() - began
        pending = meta["status"] == states.PENDING
        if pending and not has_listener and waited > min(LISTENER_CHECK_SECONDS, seconds[states.PENDING]):
            has_listener = _has_listener(app)
        if waited > seconds[meta["status"]]:
            doing = "none has come to it" if pending else "the one that began is not done"
            raise WorkersBusyError(
                f"Workers listen, but after {waited:.0f} s {doing}.",
                "Try again, or start another: `likewise worker --queues query` answers questions alone.",
            )
        time.sleep(REST_SECONDS)


def _has_listener(app: Celery) -> bool:
    """Whether a worker listens to questions.

    Raises:
        WorkerUnavailableError: none does.
    """
    if not any(QUERY_QUEUE in listener.queues for listener in Broker(app).listeners()):
        raise WorkerUnavailableError("No worker is listening to questions.", "Start one: `likewise worker`.")
    return True
