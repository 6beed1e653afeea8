"""Embed files and words on a worker, and choose models there, from a process that has no models."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress

from celery import Celery, states
from celery.exceptions import WorkerLostError

from search.deadlines import paused_deadline
from search.errors import (
    BrokerUnavailableError,
    DecoderCrashError,
    LikewiseError,
    ModelError,
    WorkersBusyError,
    WorkerUnavailableError,
)
from search.media import COLLECTIONS
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.similar.questions import Probe
from search.spaces import MEANING, Space
from search.store.base import Array, Store
from workers.cluster.app import CHOOSE_MODELS, EMBED_FILE, EMBED_TEXT, QUERY_PRIORITY, QUERY_QUEUE
from workers.cluster.broker import Broker, broker_errors
from workers.cluster.checks import as_object, refuse
from workers.cluster.orders import publish_order
from workers.cluster.points import vectors_from_json
from workers.cluster.results import TaskState, read_state
from workers.cluster.serialization import (
    choice_from_json,
    choice_to_json,
    error_from_json,
    probe_from_json,
)
from workers.cluster.signing import MESSAGE_VERSION, Json
from workers.cluster.task_lookup import withdraw_tasks
from workers.embedders.choice import choose_models

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
        question = {"version": MESSAGE_VERSION, "path": path, "name": name, "models": choice_to_json(choice)}
        seconds = self._settings.query_seconds
        try:
            answer = _ask(self._app, EMBED_FILE, question, seconds, waits=seconds)
        except WorkerLostError:
            raise DecoderCrashError(f"'{name or path}' ended the worker that looked at it.") from None
        return probe_from_json(answer)

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``, float32 ``(1, dim)``, L2-normalised.

        The caller can answer without it, so that a worker has to begin within ``TEXT_SECONDS``.

        Raises:
            ModelError: there is no model of words, or it could not be loaded or run.
            SpaceMismatchError: it makes vectors of another space.
            WorkerUnavailableError, BrokerUnavailableError: as :meth:`probe`.
        """
        choice = choose_models_remotely(self._settings, self._app, self._store)
        models = choice_to_json(choice)
        question = {"version": MESSAGE_VERSION, "words": words, "space": space.fingerprint, "models": models}
        seconds = self._settings.query_seconds
        try:
            answer = _ask(self._app, EMBED_TEXT, question, seconds, waits=min(TEXT_SECONDS, seconds))
        except WorkerLostError:
            raise ModelError("The worker that embedded the words ended.") from None
        vectors = vectors_from_json(answer.get("vectors"))
        if vectors.keys() != {MEANING} or vectors[MEANING].shape != (1, space.dim):
            refuse("vector of words", {name: vector.shape for name, vector in vectors.items()})
        return vectors[MEANING]


def choose_models_remotely(settings: Settings, app: Celery, store: Store) -> ModelChoice:
    """The models to embed with: those of the existing collections, or else those that a worker can load.

    Raises:
        SpaceMismatchError, ModelError: see ``workers.embedders.choice.choose_models``.
        WorkerUnavailableError, BrokerUnavailableError: as :meth:`RemoteEncoder.probe`.
    """
    existing = {name: info.schema for name, info in store.collections().items() if name in COLLECTIONS}
    if all(any(schema.space(space) for schema in existing.values()) for space in ("visual", "motion", "sound")):
        return choose_models(settings, existing)
    question = {
        "version": MESSAGE_VERSION,
        "image": settings.image_model,
        "video": settings.video_model,
        "sound": settings.sound_model,
        "text": settings.text_model,
        "existing": {name: schema.to_json() for name, schema in existing.items()},
    }
    # A worker may have to fetch weights first.
    return choice_from_json(_ask(app, CHOOSE_MODELS, question, settings.task_seconds, waits=settings.query_seconds))


def _ask(app: Celery, task: str, question: Json, seconds: float, *, waits: float) -> Json:
    """Send a question to the workers and wait for the answer.

    Args:
        seconds: within which the answer has to come.
        waits: seconds within which a worker has to begin.

    Raises:
        LikewiseError: the error that the worker raised, or the reason why there is no answer.
    """
    id_ = uuid.uuid4().hex
    publish_order(app, task, id_, question, queue=QUERY_QUEUE, priority=QUERY_PRIORITY, seconds=waits)
    try:
        with paused_deadline():
            ended = _wait(app, id_, {states.PENDING: waits, states.STARTED: seconds})
    except WorkerUnavailableError:
        with suppress(BrokerUnavailableError):  # without workers, questions would accumulate at the broker
            withdraw_tasks(app, id_.__eq__)
        raise
    with broker_errors(app):
        app.backend.forget(id_)
    if ended.state == states.REVOKED:
        raise WorkersBusyError(
            "A worker came to the question when it had expired already.",
            "Try again; if that is said at once, set the clocks of this machine and the worker's.",
        )
    if ended.error is not None:
        known = isinstance(ended.error, LikewiseError | WorkerLostError)
        raise ended.error if known else LikewiseError(f"A worker failed: {ended.error!r}.")
    answer = as_object(ended.answer, "answer")
    if "error" in answer:
        raise error_from_json(answer["error"])
    return answer


def _wait(app: Celery, id_: str, seconds: Mapping[str, float]) -> TaskState:
    """Wait for the end of a task.

    Args:
        seconds: by state, how long a task may remain in it; one that is run again counts as begun.
    """
    began = time.monotonic()
    has_listener = False
    while True:
        found = read_state(app, id_)
        if found.state in states.READY_STATES:
            return found
        waited = time.monotonic() - began
        pending = found.state == states.PENDING
        if pending and not has_listener and waited > min(LISTENER_CHECK_SECONDS, seconds[states.PENDING]):
            has_listener = _has_listener(app)
        if waited > seconds[states.PENDING if pending else states.STARTED]:
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
