"""The tasks of a worker: JSON in, JSON out, the work itself done by its station."""

from __future__ import annotations

from celery import Celery

from workers.app import EMBED_BATCH
from workers.station import Station
from workers.wire import Json, order_from_json, report_to_json


def register(app: Celery, station: Station) -> None:
    """Let ``app`` answer for these tasks with what the station holds."""

    @app.task(name=EMBED_BATCH, retry_on_worker_lost=True, max_retries=1, default_retry_delay=0)
    def embed_batch(order: Json) -> Json:
        return report_to_json(station.embed(order_from_json(order)))
