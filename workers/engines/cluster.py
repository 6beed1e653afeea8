"""Engine that sends batches and uploads to workers through the broker; imports no model library."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.errors import BrokerUnavailableError, WorkerUnavailableError
from search.settings import Settings
from search.store.base import Store
from workers.cluster.app import make_app
from workers.cluster.broker import Broker
from workers.cluster.remote_encoder import RemoteEncoder, choose_models_remotely
from workers.cluster.runner import CeleryRunner
from workers.embedders.choice import ensure_collections
from workers.engines.local import bring_sounds_up_to_date
from workers.training.remote import RemoteTrainer

if TYPE_CHECKING:
    from search.model_descriptions.model_choice import ModelChoice

log = logging.getLogger(__name__)


class ClusterEngine:
    """Engine whose batches and queries are embedded by workers."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._notes: tuple[str, ...] = ()
        self.app = make_app(settings)
        self.broker = Broker(self.app)
        self.encoder = RemoteEncoder(settings, self.app, store)

    @property
    def notes(self) -> tuple[str, ...]:
        return self._notes

    def prepare(self) -> None:
        """Choose the models; left for later while no worker answers, so that the page is served meanwhile."""
        try:
            self._choose()
        except (WorkerUnavailableError, BrokerUnavailableError) as error:
            log.warning("The models are not chosen yet. %s", error)

    def warm(self) -> None:
        """Nothing to do: workers load their own models."""

    @property
    def runner(self) -> CeleryRunner:
        """A runner of batches.

        Raises:
            WorkerUnavailableError, BrokerUnavailableError: the models of an empty store cannot be chosen now.
        """
        return CeleryRunner(self._settings, self.app, self._store, self._choose())

    def runner_for(self, choice: ModelChoice, generations: Sequence[str]) -> CeleryRunner:
        """A runner of batches, each of which names its generation."""
        return CeleryRunner(self._settings, self.app, self._store, choice)

    @property
    def trainer(self) -> RemoteTrainer:
        return RemoteTrainer(self._settings, self.app)

    def forget(self) -> None:
        """Nothing to do: no choice of models is kept, because other processes may change collections."""

    def close(self) -> None:
        self.app.close()

    def _choose(self) -> ModelChoice:
        choice = ensure_collections(self._store, choose_models_remotely(self._settings, self.app, self._store))
        bring_sounds_up_to_date(self._store)
        for note in choice.notes:
            if note not in self._notes:
                log.info("%s", note)
        self._notes = choice.notes
        return choice
