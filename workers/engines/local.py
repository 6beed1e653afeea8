"""Engine that decodes and embeds on this machine; models and decoders are made when first used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from search.media import COLLECTIONS
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.similar.questions import Probe
from search.spaces import CollectionSchema, Space
from search.store.base import Array, Store
from workers.batch.report import BatchRunner
from workers.embedders.choice import choose_models, ensure_collections, require_text
from workers.runtime import make_ready_for_models

if TYPE_CHECKING:
    from workers.batch.encode import ExampleEncoder
    from workers.batch.local_runner import LocalRunner
    from workers.decode.sandbox.pool import DecodePool
    from workers.embedders.models import Models
    from workers.training.local import ChildTrainer
    from workers.training.request import Trainer

log = logging.getLogger(__name__)


class EngineEncoder(Protocol):
    """Embeds a file as the example of a query, and words as a vector."""

    def probe(self, path: str, name: str = "") -> Probe: ...

    def text(self, words: str, space: Space) -> Array: ...


class Engine(Protocol):
    """What a node embeds with: this process, or workers elsewhere (``workers.engines.cluster``). Safe to use from
    several threads; models and decoders are made when first used."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for people about the models in use; empty until they are chosen."""

    def prepare(self) -> None:
        """Choose the models and create or check the collections, which may take seconds.

        Raises:
            SpaceMismatchError: a collection was made with other models than the settings demand.
            ModelError: the settings name a model that cannot be had.
        """

    def warm(self) -> None:
        """Load the models before the first query about a file. Slow; for the background."""

    @property
    def encoder(self) -> EngineEncoder: ...

    @property
    def runner(self) -> BatchRunner: ...

    def runner_for(self, choice: ModelChoice, generations: Sequence[str]) -> BatchRunner:
        """A runner that embeds with other models than those in use, into these generations."""

    @property
    def trainer(self) -> Trainer: ...

    def forget(self) -> None:
        """Choose the models again at the next use, because collections have changed."""

    def close(self) -> None:
        """Release decoders and models. No batch may be running."""


def existing_schemas(store: Store) -> Mapping[str, CollectionSchema]:
    """Schemas of the collections of media by name; the choice of models keeps to them."""
    return {name: info.schema for name, info in store.collections().items() if name in COLLECTIONS}


def bring_sounds_up_to_date(store: Store) -> None:
    """Standardise the sounds that an older version ingested as this version does; continues after a kill.

    Queries cannot be compared with stored sounds before.

    Raises:
        StoreError: the store refused.
    """
    from workers.embedders.sound.standardise import restandardise

    if restandardise(store):
        log.info("Standardised the sounds of an older version anew.")


class LocalEngine:
    """Engine that decodes in child processes and embeds in this one."""

    def __init__(self, settings: Settings, store: Store) -> None:
        make_ready_for_models()
        self._settings, self._store = settings, store
        self._making = threading.RLock()
        self._pools: dict[tuple[bool, bool], DecodePool] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        return self._choice.notes if "_choice" in self.__dict__ else ()

    def prepare(self) -> None:
        with self._making:
            self._models  # noqa: B018  (a cached property makes it)

    def warm(self) -> None:
        self.prepare()
        self._models.load()

    @property
    def encoder(self) -> ExampleEncoder:
        with self._making:
            return self._encoder

    @property
    def runner(self) -> LocalRunner:
        with self._making:
            return self._runner

    def runner_for(self, choice: ModelChoice, generations: Sequence[str]) -> LocalRunner:
        from workers.batch.backfill import BackfillStore
        from workers.batch.local_runner import LocalRunner
        from workers.batch.processor import BatchProcessor
        from workers.embedders.models import Models

        renewal, models = BackfillStore(self._store, generations), Models(self._settings, choice)
        return LocalRunner(BatchProcessor(self._settings, renewal, self._pool(choice), models))

    @property
    def trainer(self) -> ChildTrainer:
        from workers.training.local import ChildTrainer

        return ChildTrainer(self._settings)

    def forget(self) -> None:
        with self._making:
            for name in ("_choice", "_models", "_encoder", "_runner"):
                self.__dict__.pop(name, None)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    @cached_property
    def _choice(self) -> ModelChoice:
        chosen = choose_models(self._settings, existing_schemas(self._store))
        require_text(chosen)
        choice = ensure_collections(self._store, chosen)
        for note in choice.notes:
            log.info("%s", note)
        return choice

    @cached_property
    def _models(self) -> Models:
        from workers.embedders.models import Models

        models = Models(self._settings, self._choice)
        bring_sounds_up_to_date(self._store)
        return models

    def _pool(self, choice: ModelChoice) -> DecodePool:
        """The decoders, which take of videos what the model of motion needs."""
        from workers.decode.sandbox.pool import DecodePool

        needs = choice.needs_clips, choice.needs_movement
        with self._making:
            if needs not in self._pools:
                self._pools[needs] = DecodePool(self._settings, clips=needs[0], movement=needs[1])
            return self._pools[needs]

    @cached_property
    def _encoder(self) -> ExampleEncoder:
        from workers.batch.encode import ExampleEncoder

        return ExampleEncoder(self._settings, self._pool(self._choice), self._models)

    @cached_property
    def _runner(self) -> LocalRunner:
        from workers.batch.local_runner import LocalRunner
        from workers.batch.processor import BatchProcessor

        return LocalRunner(BatchProcessor(self._settings, self._store, self._pool(self._choice), self._models))
