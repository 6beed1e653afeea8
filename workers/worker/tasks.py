"""Celery tasks of a worker: they take and answer JSON, and ``WorkerState`` does the work.

The failure of one file is part of the answer. The failure of a batch is raised, and the coordinator reads it as the
same error; sending the batch again loses nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from celery import Celery, current_task
from celery.exceptions import Reject, SoftTimeLimitExceeded

from search.errors import LikewiseError, MessageRefusedError, SettingsError
from search.spaces import MEANING, CollectionSchema
from workers.cluster.app import CHOOSE_MODELS, EMBED_BATCH, EMBED_FILE, EMBED_TEXT, TRAIN, train_limits
from workers.cluster.broker import Broker
from workers.cluster.checks import LONGEST_PATH, as_hash, as_object, as_path, as_text, as_word
from workers.cluster.orders import content_of
from workers.cluster.points import vectors_to_json
from workers.cluster.serialization import (
    check_version,
    choice_from_json,
    choice_to_json,
    error_to_json,
    order_from_json,
    probe_to_json,
    report_to_json,
)
from workers.cluster.signing import Json
from workers.worker.state import DeviceLostError, WorkerState

log = logging.getLogger(__name__)

UNFIT_SIGNAL = signal.SIGUSR2
"""Signal from a child to its parent: this worker cannot work with its settings."""


class _OutOfTime(BaseException):
    """The soft time limit has passed. Not an ``Exception``, so that no handler of a single file catches it."""


def register(app: Celery, worker_state: WorkerState) -> None:
    """Register the tasks with ``app``; they use the models and decoders of ``worker_state``."""
    soft, hard = train_limits(worker_state.settings)

    def embed_batch(sealed: Json) -> Json:
        """A batch (``serialization.BatchOrder``) to its ``BatchReport``. A process that dies of it is replaced, and the
        batch runs once more; then it ends as ``WorkerLostError``."""
        try:
            with _soft_limit():
                return report_to_json(worker_state.embed(order_from_json(content_of(sealed))))
        except _OutOfTime:
            worker_state.abandon()
            raise SoftTimeLimitExceeded(app.conf.task_soft_time_limit) from None
        except SettingsError as error:
            log.error("This worker cannot go on, and leaves its batch to others: %s", error)
            os.kill(os.getppid(), UNFIT_SIGNAL)
            raise Reject(str(error), requeue=True) from None
        except DeviceLostError:
            sys.exit(1)
        except LikewiseError as error:
            log.warning("Task %s is left to be done again: %s", current_task.request.id, error)
            raise

    def embed_file(sealed: Json) -> Json:
        """``{"path", "name", "models"}`` to a ``Probe``, or ``{"error"}``."""
        try:
            question = _question(sealed)
            path, name = as_path(question.get("path"), "path"), as_text(question.get("name"), "name", LONGEST_PATH)
            return probe_to_json(worker_state.probe(path, name, choice_from_json(question.get("models"))))
        except LikewiseError as error:
            return error_to_json(error)

    def embed_text(sealed: Json) -> Json:
        """``{"words", "space", "models"}`` (the fingerprint of the space) to ``{"vectors"}`` with one of ``meaning``,
        or ``{"error"}``."""
        try:
            question = _question(sealed)
            words, space = as_text(question.get("words"), "words"), as_hash(question.get("space"), "fingerprint", 16)
            vector = worker_state.text(words, space, choice_from_json(question.get("models")))
            return {"vectors": vectors_to_json({MEANING: vector})}
        except LikewiseError as error:
            return error_to_json(error)

    def choose_models(sealed: Json) -> Json:
        """``{"image", "video", "sound", "text", "existing"}`` (what the settings say, and the schemas there are) to a
        ``ModelChoice``, or ``{"error"}``."""
        try:
            question = _question(sealed)
            names = ("image", "video", "sound", "text")
            wanted = (as_word(question.get(name), f"{name} model") for name in names)
            return choice_to_json(worker_state.choose_models(_schemas(question.get("existing")), *wanted))
        except LikewiseError as error:
            return error_to_json(error)

    def train(sealed: Json) -> Json:
        """See ``workers.training.worker_side``. A process that dies of it is replaced, and the training is not begun
        again: its job says so."""
        try:
            with _soft_limit():
                return worker_state.train(Broker(app), content_of(sealed))
        except _OutOfTime:
            raise SoftTimeLimitExceeded(soft) from None

    app.task(
        name=EMBED_BATCH,
        retry_on_worker_lost=True,
        max_retries=1,
        default_retry_delay=0,
        throws=(LikewiseError, SoftTimeLimitExceeded),  # which Celery need not log, with a trace
    )(embed_batch)
    # A person waits for these, so that a process that dies of one is answer enough.
    app.task(name=EMBED_FILE, reject_on_worker_lost=False)(embed_file)
    app.task(name=EMBED_TEXT, reject_on_worker_lost=False)(embed_text)
    app.task(name=CHOOSE_MODELS, reject_on_worker_lost=False)(choose_models)
    app.task(
        name=TRAIN,
        reject_on_worker_lost=False,
        soft_time_limit=soft,
        time_limit=hard,
        throws=(SoftTimeLimitExceeded,),
    )(train)


def _question(sealed: Json) -> Json:
    question = content_of(sealed)
    check_version(question)
    return question


def _schemas(data: object) -> dict[str, CollectionSchema]:
    """Schemas of collections by name.

    Raises:
        SpaceMismatchError: one is of another version, or was changed.
        MessageRefusedError: one is none.
    """
    try:
        return {name: CollectionSchema.from_json(schema) for name, schema in as_object(data, "set of schemas").items()}
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise MessageRefusedError(f"A message of the cluster has a schema that is none: {error!r}.") from error


@contextmanager
def _soft_limit() -> Iterator[None]:
    """Let the signal by which the parent tells that the soft limit has passed end the block."""
    before = signal.signal(signal.SIGUSR1, _out_of_time)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def _out_of_time(signum: int, frame: FrameType | None) -> None:
    raise _OutOfTime
