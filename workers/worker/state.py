"""State of a worker process: models, decoders and the store, made when first needed and kept.

The object is made in the parent and filled in its child, so that no process forks after it has used CUDA, a store or a
decoder.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace

from search.errors import LikewiseError, ModelError, NotFoundError, SettingsError, SpaceMismatchError
from search.logs import at_work
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.similar.questions import Probe
from search.spaces import CollectionSchema
from search.store import open_store
from search.store.base import Array, Store
from search.store.measured import measured
from workers.batch.backfill import BackfillStore
from workers.batch.batch_metrics import count_report
from workers.batch.collecting_store import CollectingStore
from workers.batch.encode import DescribedEmbedder, ExampleEncoder, embed_words
from workers.batch.processor import BatchProcessor
from workers.batch.report import BatchReport
from workers.cluster.broker import Broker
from workers.cluster.serialization import BatchOrder
from workers.cluster.signing import Json
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.choice import choose_models, require_text
from workers.embedders.models import Models
from workers.training.worker_side import serve_training

log = logging.getLogger(__name__)

Build = Callable[[Settings, ModelChoice], DescribedEmbedder]
"""Makes the models of a choice; called with the settings and the choice."""

KEPT = 2
"""Sets of models kept: during a change of models, batches ask for the new set and queries for the old one."""


class DeviceLostError(Exception):
    """The device no longer works in this process; another process may be able to use it."""


class WorkerState:
    """Models, decoders and store of one worker process. Used by one thread, while another may run :meth:`warm`."""

    def __init__(self, settings: Settings, build: Build = Models) -> None:
        self._settings, self._build = settings, build
        self._models: dict[ModelChoice, DescribedEmbedder] = {}
        self._pools: dict[tuple[bool, bool], DecodePool] = {}
        self._opened: Store | None = None
        self._making = threading.Lock()

    @property
    def settings(self) -> Settings:
        return self._settings

    def warm(self) -> None:
        """Load the models of the existing collections, or those that the settings choose, before a task needs them."""
        try:
            existing: Mapping[str, CollectionSchema] = {}
            if self._settings.store == "server":
                with closing(open_store(self._settings)) as store:
                    existing = {name: info.schema for name, info in store.collections().items()}
            self._embedder(choose_models(self._settings, existing)).load()
        except LikewiseError as error:
            log.info("The models are not loaded in advance: %s", error)

    def embed(self, order: BatchOrder) -> BatchReport:
        """Embed all files of a batch.

        Raises:
            StoreError, ModelError, DecoderStartError: the whole batch can be done again without loss.
            SettingsError: this worker cannot do such batches; another one may.
            DeviceLostError: the device no longer works in this process, which should end.
        """
        batch = order.batch
        with at_work(job=batch.job, batch=batch.id):
            try:
                report = self._process(order)
            except (SpaceMismatchError, NotFoundError) as error:
                log.info("Reading the schemas of the collections again: %s", error)
                self._close_store()
                report = self._process(order)
            self._check_device(report)
            count_report(batch.kind, report)
            log.info("Took in %d files: %s.", len(batch.files), _spent(report))
        return report

    def probe(self, path: str, name: str, choice: ModelChoice) -> Probe:
        """Embed a file as the example of a query; see ``workers.batch.encode.ExampleEncoder``."""
        return ExampleEncoder(self._settings, self._pool(choice), self._embedder(choice)).probe(path, name)

    def text(self, words: str, fingerprint: str, choice: ModelChoice) -> Array:
        """Embed words; float32 ``(1, dim)``, L2-normalised. See ``workers.batch.encode.embed_words``."""
        return embed_words(self._embedder(choice), words, fingerprint)

    def choose_models(
        self, existing: Mapping[str, CollectionSchema], image: str, video: str, sound: str = "auto", text: str = "none"
    ) -> ModelChoice:
        """The models to embed with, see ``search.model_descriptions.registry``.

        Args:
            image, video, sound, text: settings of the process that asks.

        Raises:
            ModelError: a model that the settings demand is not available on this machine.
        """
        wanted = {"image_model": image, "video_model": video, "sound_model": sound, "text_model": text}
        choice = choose_models(self._settings.model_copy(update=wanted), existing)
        require_text(choice)
        return choice

    def train(self, broker: Broker, question: Json) -> Json:
        """Train in a child of this process; see ``workers.training.worker_side``."""
        return serve_training(self._settings, broker, question)

    def abandon(self) -> None:
        """Drop decoders and models after an interrupted task: decoders may be busy, models in an undefined state."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._models.clear()

    def _process(self, order: BatchOrder) -> BatchReport:
        pool, models = self._pool(order.models), self._embedder(order.models)
        if order.deliver == "store":
            into = order.batch.into
            embedding_store = BackfillStore(self._store(), [into]) if into else self._store()
            return BatchProcessor(self._settings, embedding_store, pool, models).process(order.batch)
        collected = CollectingStore()
        report = BatchProcessor(self._settings, collected, pool, models).process(order.batch)
        return replace(report, deliveries=tuple(collected.deliveries))

    def _check_device(self, report: BatchReport) -> None:
        if "torch" not in sys.modules:  # no model has used a device, so there is none to lose
            return
        from workers.device import device_works, measure_memory

        if any(outcome.code == ModelError.code for outcome in report.outcomes) and not device_works(self._settings):
            raise DeviceLostError
        measure_memory(self._settings)

    def _embedder(self, choice: ModelChoice) -> DescribedEmbedder:
        key = replace(choice, notes=())
        with self._making:
            models = self._models.pop(key, None) or self._build(self._settings, choice)
            self._models[key] = models  # the one used last comes last
            if len(self._models) > KEPT:
                del self._models[next(iter(self._models))]
        return models

    def _pool(self, choice: ModelChoice) -> DecodePool:
        needs = choice.needs_clips, choice.needs_movement
        if needs not in self._pools:
            self._pools[needs] = DecodePool(self._settings, clips=needs[0], movement=needs[1])
        return self._pools[needs]

    def _store(self) -> Store:
        if self._settings.store != "server":
            raise SettingsError(
                "This worker is to write into a Qdrant server, and knows of none.",
                "Set LIKEWISE_STORE=server and LIKEWISE_QDRANT_URL here as where the job was started.",
            )
        if self._opened is None:
            self._opened = measured(open_store(self._settings))
        return self._opened

    def _close_store(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _spent(report: BatchReport) -> str:
    return ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report.stages.items()) or "all known"
