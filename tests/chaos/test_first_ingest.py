"""The first ingest of a fresh Qdrant cluster, whose collections are not whole for a second after they are made."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

ROUNDS = int(os.environ.get("FIRST_INGESTS", "1"))
"""How often; FIRST_INGESTS=10 for a figure."""


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_workers_and_a_coordinator_start_together(
    make_settings: Any,
    broker: Any,
    qdrant: Any,
    quick_models: Any,
    parts: Any,
    make_cluster: Any,
    start_worker: Any,
    paint: Any,
    check: Any,
    number: int,
) -> None:
    qdrant._answer.__self__.settles = 1.0
    media = paint(24)
    settings = make_settings(
        store="server", qdrant_url=qdrant.url, broker_url=broker.url, in_flight=4, batch_files=parts.BATCH
    )
    for _ in range(2):
        start_worker(settings, wait=False)
    makers = [threading.Thread(target=parts.make_collections, args=(settings, quick_models.schemas)) for _ in range(2)]
    for maker in makers:
        maker.start()
    parts.make_collections(settings, quick_models.schemas)
    cluster = make_cluster(settings)
    cluster.begin(media)
    check(cluster, cluster.finish(), media)
    for maker in makers:
        maker.join()
