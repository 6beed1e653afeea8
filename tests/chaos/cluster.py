"""A coordinator over real workers, in the process of a test, or as a script in one that a test may kill."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import redis
from sqlalchemy import select

from ingest.jobs.service import JobProgress, JobService
from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, planned, unsettled
from search.media import MediaRecord
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings, load_settings
from search.spaces import CollectionSchema
from search.store import open_store
from workers.cluster.app import EMBED_QUEUE, PRIORITY, make_app
from workers.cluster.runner import CeleryRunner
from workers.cluster.task_lookup import SEPARATOR

QUICK = ModelChoice("quick", "frames_quick", "quick")
BATCH = 8
"""Pictures a batch, so that a small folder makes many."""


class Cluster:
    """Whatever a coordinator has: a store, a ledger, an ingest whose runner is the cluster's."""

    def __init__(self, settings: Settings, check_seconds: float = 1.0, choice: ModelChoice = QUICK) -> None:
        self.settings = settings
        self.app = make_app(settings)
        self.store = open_store(settings)
        self.ledger = Ledger(settings.ledger_url)
        runner = CeleryRunner(settings, self.app, self.store, choice, check_seconds=check_seconds, retry_seconds=60.0)
        self.ingest = JobService(settings, self.store, self.ledger, runner, retry_delays=(1.0,) * 60)
        self._running: threading.Thread | None = None
        self._ended: JobProgress | None = None
        self.job = ""

    def begin(self, media: Path, job: str | None = None) -> str:
        """Run a job in the background."""
        self.job = job or self.ingest.start([media])

        def run() -> None:
            self._ended = self.ingest.run(self.job)

        self._running = threading.Thread(target=run)
        self._running.start()
        return self.job

    def finish(self, seconds: float = 240.0) -> JobProgress:
        """How the job ended."""
        assert self._running is not None
        self._running.join(seconds)
        assert not self._running.is_alive(), f"The job does not end: {self.ingest.progress(self.job)}"
        assert self._ended is not None, "The job ended in an error of its own."
        return self._ended

    @property
    def done(self) -> int:
        return self.ingest.progress(self.job).done

    def stored(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        """Every picture's id to its paths and its vector."""
        return {
            point.id: (MediaRecord.from_payload(point.payload).paths, point.vectors["visual"][0])
            for point in self.store.scroll("images", vectors=("visual",))
        }

    def rows(self) -> dict[str, tuple[str, str | None, str]]:
        """The ledger's files: path to state, record and failure code."""
        with self.ledger.read() as connection:
            assert connection.execute(select(planned)).all() == connection.execute(select(unsettled)).all() == []
            found = connection.execute(select(files.c.path, files.c.state, files.c.media_id, files.c.code)).all()
        rows = {row.path: (row.state, row.media_id, row.code) for row in found}
        assert len(rows) == len(found)
        return rows

    def waiting(self) -> list[str]:
        return waiting(self.settings)

    def close(self) -> None:
        if self._running is not None and self._running.is_alive():
            self.ingest.halt()
            self._running.join(30)
        self.store.close()
        self.ledger.close()
        self.app.close()


def waiting(settings: Settings) -> list[str]:
    """Tasks in the queues."""
    assert settings.broker_url is not None
    names = [f"{queue}{SEPARATOR}{step}" for queue in EMBED_QUEUE.values() for step in PRIORITY.values()]
    with redis.Redis.from_url(settings.broker_url.get_secret_value()) as client:
        return [json.loads(message)["headers"]["id"] for name in names for message in client.lrange(name, 0, -1)]


def make_collections(settings: Settings, schemas: tuple[CollectionSchema, ...]) -> None:
    store = open_store(settings)
    for schema in schemas:
        store.ensure(schema)
    store.close()


def main(media: str) -> None:
    """Ingest a folder, saying each batch, until killed."""
    cluster = Cluster(load_settings())
    job = cluster.ingest.start([Path(media)])
    cluster.ingest.run(job, lambda progress: print(progress.done, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
