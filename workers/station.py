"""What a worker's process holds: models, decoders and the way to the store, made when first needed and kept.

A station is described in the parent and filled in its child, so that no process forks after it has touched CUDA, a
store or a decoder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from search.settings import Settings
from search.store import open_store
from search.store.base import Store
from workers.batch import BatchProcessor, Embedder
from workers.decode.pool import DecodePool
from workers.embedders.models import Models
from workers.embedders.registry import R3D18, ModelChoice
from workers.outbox import Outbox
from workers.renew import Renewal
from workers.report import BatchReport
from workers.wire import Order

log = logging.getLogger(__name__)

Build = Callable[[Settings, ModelChoice], Embedder]
"""Makes the models of a choice."""


class Station:
    """One worker process's means. Used by one thread."""

    def __init__(self, settings: Settings, build: Build = Models) -> None:
        self._settings, self._build = settings, build
        self._models: dict[ModelChoice, Embedder] = {}
        self._pools: dict[bool, DecodePool] = {}

    def embed(self, order: Order) -> BatchReport:
        """Embed a batch to its end."""
        models = self._embedder(order.models)
        pool = self._pool(order.models)
        if order.deliver == "store":
            into = order.batch.into
            intake = Renewal(self._store, [into]) if into else self._store
            return BatchProcessor(self._settings, intake, pool, models).process(order.batch)
        outbox = Outbox(order.sound)
        report = BatchProcessor(self._settings, outbox, pool, models).process(order.batch)
        return replace(report, deliveries=tuple(outbox.deliveries))

    def _embedder(self, choice: ModelChoice) -> Embedder:
        if choice not in self._models:
            self._models = {choice: self._build(self._settings, choice)}
        return self._models[choice]

    def _pool(self, choice: ModelChoice) -> DecodePool:
        clips = choice.video == R3D18.name
        if clips not in self._pools:
            self._pools[clips] = DecodePool(self._settings, clips=clips)
        return self._pools[clips]

    @cached_property
    def _store(self) -> Store:
        return open_store(self._settings)
