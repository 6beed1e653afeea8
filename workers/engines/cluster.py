"""What a node embeds with where a broker is set: workers elsewhere. Nothing here imports a model library."""

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
    """Sends batches and uploads to workers by way of the broker."""

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
        """As every engine, and while no worker can be asked for the models of an empty store, leave it for later: that
        must not keep the page from being served."""
        try:
            self._choose()
        except (WorkerUnavailableError, BrokerUnavailableError) as error:
            log.warning("The models are not chosen yet. %s", error)

    def warm(self) -> None:
        """Workers load their models by themselves."""

    @property
    def runner(self) -> CeleryRunner:
        """
        Raises:
            WorkerUnavailableError, BrokerUnavailableError: the models of an empty store cannot be chosen just now.
        """
        return CeleryRunner(self._settings, self.app, self._store, self._choose())

    def runner_for(self, choice: ModelChoice, generations: Sequence[str]) -> CeleryRunner:
        """Each batch says itself which generation it goes into."""
        return CeleryRunner(self._settings, self.app, self._store, choice)

    @property
    def trainer(self) -> RemoteTrainer:
        return RemoteTrainer(self._settings, self.app)

    def forget(self) -> None:
        """Nothing is kept: another process may have changed the collections as well."""

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
