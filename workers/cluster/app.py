"""The Celery application: queues, priorities, time limits and how tasks survive the death of a worker.

Coordinators and workers make it from the same settings. A task is acknowledged when its result is stored. Celery runs a
task whose process died once more (``retry_on_worker_lost``, ``max_retries=1``); then the task ends as a failure that
its coordinator handles (``workers.cluster.runner``).
"""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from search.errors import SettingsError
from search.media import Kind
from search.settings import Settings
from workers.batch.report import Priority
from workers.cluster.broker import make_breaker
from workers.cluster.results import BACKEND
from workers.cluster.signing import Seals, cluster_key

EMBED_BATCH = "likewise.embed_batch"
EMBED_FILE = "likewise.embed_file"
EMBED_TEXT = "likewise.embed_text"
CHOOSE_MODELS = "likewise.choose_models"
TRAIN = "likewise.train"
TASKS = (EMBED_BATCH, EMBED_FILE, EMBED_TEXT, CHOOSE_MODELS, TRAIN)
"""Names of the tasks; ``workers.worker.tasks`` describes their messages."""

QUERY_QUEUE, TRAIN_QUEUE = "query", "train"
EMBED_QUEUE = {Kind.IMAGE: "embed.images", Kind.VIDEO: "embed.videos", Kind.AUDIO: "embed.audio"}
QUEUES = (QUERY_QUEUE, *EMBED_QUEUE.values(), TRAIN_QUEUE)

QUERY_PRIORITY = 0
PRIORITY = {Priority.HIGH: 3, Priority.NORMAL: 6, Priority.LOW: 9}
"""Redis has one list per queue and priority. Workers empty the lists of the lowest number first, across all queues, and
alternate between queues of equal priority."""

HARD_SECONDS = 60.0
"""Longest time between the soft limit of a task and its kill; the soft limit itself where that is shorter."""

CONNECT_SECONDS, SILENT_SECONDS = 5.0, 30.0
"""How long the broker may leave a call unanswered before it counts as unavailable: its machine may be gone without
having closed a connection. (Workers that wait for a task poll every second.)"""

QUESTION_CONNECT_SECONDS, QUESTION_SILENT_SECONDS = 2.0, 3.0
"""The same in a process that answers requests. Its jobs try again when it answers."""

RESULT_SECONDS = 3600
"""How long the result of a dead coordinator is stored; a living one reads it within a second."""


def make_app(settings: Settings, *, is_worker: bool = False) -> Celery:
    """The application of these settings, without tasks: ``workers.worker.tasks.register`` adds those to a worker's.

    Its ``seals`` sign and check messages; its ``breaker`` is that of calls to the broker.

    Args:
        is_worker: whether it is a worker's, which waits longer for the broker than a process that answers requests.

    Raises:
        SettingsError: no broker is set, or no key where one is needed.
    """
    if settings.broker_url is None:
        raise SettingsError(
            "No broker is set.", "Set LIKEWISE_BROKER_URL, as redis://host:6379/0, here and on every worker."
        )
    address = _verified(settings.broker_url.get_secret_value())
    app = Celery("likewise", broker=address, backend=f"{BACKEND}+{address}", set_as_current=False)
    app.seals, app.breaker = Seals(cluster_key(settings)), make_breaker()
    connect = CONNECT_SECONDS if is_worker else QUESTION_CONNECT_SECONDS
    silent = SILENT_SECONDS if is_worker else QUESTION_SILENT_SECONDS
    hard = settings.task_seconds + min(HARD_SECONDS, settings.task_seconds)
    longest = max(hard, train_limits(settings)[1])
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        result_accept_content=["json"],
        result_expires=RESULT_SECONDS,
        task_queues=[Queue(name) for name in QUEUES],
        task_default_queue=QUERY_QUEUE,
        task_create_missing_queues=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_track_started=True,
        task_soft_time_limit=settings.task_seconds,
        task_time_limit=hard,
        worker_prefetch_multiplier=1,
        worker_concurrency=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        redis_socket_connect_timeout=connect,
        redis_socket_timeout=silent,
        broker_transport_options={
            # Above the hard limit, so that no task is delivered again while a worker has it.
            "visibility_timeout": 2 * longest,
            "priority_steps": [QUERY_PRIORITY, *PRIORITY.values()],
            "socket_connect_timeout": connect,
            "socket_timeout": silent,
        },
    )
    return app


def train_limits(settings: Settings) -> tuple[float, float]:
    """Soft and hard time limit of a training, seconds. It ends by itself before (``workers.training.local``)."""
    return settings.train_seconds + HARD_SECONDS, settings.train_seconds + 2 * HARD_SECONDS


def _verified(address: str) -> str:
    """The address with certificate checks switched on where it is encrypted and names no policy, as Celery demands."""
    if not address.startswith("rediss:") or "ssl_cert_reqs=" in address:
        return address
    return f"{address}{'&' if '?' in address else '?'}ssl_cert_reqs=CERT_REQUIRED"
