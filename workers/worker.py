"""A worker: one Celery parent that talks to the broker, and one child that decodes by its own children and embeds."""

from __future__ import annotations

import os
from collections.abc import Sequence

from celery.apps.worker import Worker
from celery.utils.nodenames import default_nodename

from search.settings import Settings
from workers.app import QUEUES, make_app
from workers.embedders.models import Models
from workers.station import Build, Station
from workers.tasks import register


def run_worker(settings: Settings, queues: Sequence[str] = QUEUES, build: Build = Models) -> int:
    """Take tasks from these queues until told to stop; the exit status.

    Raises:
        SettingsError: no broker is set.
    """
    app = make_app(settings)
    register(app, Station(settings, build))
    worker = Worker(
        app=app,
        hostname=default_nodename(f"likewise-{os.getpid()}"),
        queues=list(queues),
        pool="prefork",
        concurrency=1,
        loglevel=settings.log_level.upper(),
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
