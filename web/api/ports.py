"""What the web front end needs of a node; ``ingest.node.Node`` is one, tests bring a smaller one."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest.jobs.progress import Failure, JobProgress
from search.photographers.answers import Alike, PhotographerListed, PhotographerMap, PhotographerShown, Prediction
from search.photographers.space import CodeChart
from search.settings import Settings
from search.similar.questions import Probe
from search.spaces import Space
from search.store.base import Array, Store
from workers.batch.report import Priority

if TYPE_CHECKING:
    from workers.cluster.broker import Listener


class EncoderPort(Protocol):
    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example of a question. Raises MediaError."""

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``; see ``search.words.TextEncoder``. Raises LikewiseError."""


class IngestPort(Protocol):
    """Jobs and their books; safe to call from several threads."""

    def pause(self, job_id: str) -> None: ...
    def cancel(self, job_id: str) -> None: ...
    def progress(self, job_id: str) -> JobProgress: ...
    def jobs(self, limit: int = 50) -> list[JobProgress]: ...
    def failures(
        self, *, job: str | None = None, code: str | None = None, limit: int | None = None, after: str = ""
    ) -> list[Failure]: ...


class BrokerPort(Protocol):
    """See ``workers.cluster.broker.Broker``. Every method raises BrokerUnavailableError."""

    def check(self) -> None: ...
    def depths(self) -> Mapping[str, int]: ...
    def listeners(self) -> Sequence[Listener]: ...
    def put(self, name: str, content: bytes) -> None: ...
    def get(self, name: str) -> bytes | None: ...


class PhotographersPort(Protocol):
    """See ``search.photographers.service.PhotographerService``."""

    @property
    def trained(self) -> bool: ...
    def list(self) -> tuple[PhotographerListed, ...]: ...
    def show(self, who: str) -> PhotographerShown: ...
    def name_of(self, who: str) -> str: ...
    def alike(self, who: str) -> tuple[Alike, ...]: ...
    def predict(self, probe: Probe) -> Prediction: ...
    def report(self) -> Mapping[str, object]: ...
    def map(self) -> PhotographerMap: ...
    def codes(self, most: int = 2000) -> CodeChart | None: ...


class NodePort(Protocol):
    """Everything one process needs to answer.

    Attributes:
        token: secret of this process that its own command line may send instead of ``settings.token``.
        broker: what carries batches to workers; None where the node embeds by itself.
        closing: set when the process is about to end, for what waits to stop waiting.
        notes: what to tell people about the models in use.
    """

    @property
    def settings(self) -> Settings: ...
    @property
    def token(self) -> str: ...
    @property
    def store(self) -> Store: ...
    @property
    def ingest(self) -> IngestPort: ...
    @property
    def encoder(self) -> EncoderPort: ...
    @property
    def photographers(self) -> PhotographersPort: ...
    @property
    def broker(self) -> BrokerPort | None: ...
    @property
    def closing(self) -> threading.Event: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def start_ingest(
        self,
        paths: Sequence[Path | str],
        *,
        library: str | None = None,
        confirm_missing: bool = False,
        priority: Priority = Priority.NORMAL,
    ) -> str:
        """Take in ``paths`` in the background; the id of the new job."""

    def start_task(
        self, name: str, options: Mapping[str, str] | None = None, *, priority: Priority = Priority.NORMAL
    ) -> str:
        """Do long-running work of another kind in the background, alone; the id of the new job."""

    def resume(self, job: str) -> str:
        """Go on with a paused job, or in the background with one that a stopped process left behind; its id."""

    def rename_photographer(self, old: str, new: str) -> int:
        """Call a photographer something else, also in what is taken in later; with a name that there is, make them one.
        The number of records looked at."""

    def credit_photo(self, media_id: str, photographer: str | None) -> None:
        """Note, at once, whose work one record is; None or empty says that it is nobody's whose name is known."""

    def retry_failures(self) -> str | None:
        """Try the failed files again in the background; the job's id, or None when there are none."""
