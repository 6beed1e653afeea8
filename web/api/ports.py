"""Protocols of the node that the web front end needs; ``ingest.node.Node`` implements them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest.jobs.progress import Failure, JobProgress
from ingest.ledger.access import Access
from ingest.ledger.credit_edits import CreditEdit, LabelEdit
from ingest.ledger.request_keys import RequestKeys
from ingest.maintenance.verify.findings import Verification
from ingest.photographers.facts import FactsPreview
from ingest.photographers.label_preview import LabelPreview
from ingest.scan.allowed import AllowedFolders
from ingest.scan.stored_files import StoredFiles
from search.photographers.answers import (
    Alike,
    Basis,
    PhotoEvidence,
    PhotographerListed,
    PhotographerMap,
    PhotographerShown,
    Prediction,
    Session,
    SetPrediction,
)
from search.photographers.develop.developing import Development, DevelopQuestion, SettingsCourse
from search.photographers.model_facts import ModelFacts
from search.photographers.profiles.comparison import Comparison
from search.photographers.profiles.timeline import Timeline
from search.photographers.space import CodeChart
from search.photographers.training_files import TrainingFiles
from search.settings import Settings
from search.similar.questions import Probe
from search.similar.reuse.overlaps import Overlap
from search.spaces import Space
from search.store.base import Array, Store
from workers.batch.report import Priority

if TYPE_CHECKING:
    from workers.cluster.broker import Listener


class EncoderPort(Protocol):
    """Embeds the examples and the words of queries."""

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as the example of a query.

        Raises:
            MediaError: it cannot be read or decoded.
        """

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``, float32 ``(1, dim)``; see ``search.words.TextEncoder``.

        Raises:
            LikewiseError: there is no model of words, or it failed.
        """


class IngestPort(Protocol):
    """Jobs and their records in the ledger. Thread-safe."""

    def pause(self, job_id: str) -> None: ...
    def cancel(self, job_id: str) -> None: ...
    def progress(self, job_id: str) -> JobProgress: ...
    def jobs(self, limit: int = 50, before: int | None = None) -> list[JobProgress]: ...
    def failures(
        self, *, job: str | None = None, code: str | None = None, limit: int | None = None, after: str = ""
    ) -> list[Failure]: ...


class BrokerPort(Protocol):
    """See ``workers.cluster.broker.Broker``.

    Raises:
        BrokerUnavailableError: it does not answer (any method).
    """

    def check(self) -> None: ...
    def depths(self) -> Mapping[str, int]: ...
    def listeners(self) -> Sequence[Listener]: ...
    def put(self, name: str, content: str) -> None: ...
    def get(self, name: str) -> str | None: ...


class PhotographersPort(Protocol):
    """See ``search.photographers.service.PhotographerService``."""

    @property
    def trained(self) -> bool: ...
    def list(self) -> tuple[PhotographerListed, ...]: ...
    def show(self, who: str) -> PhotographerShown: ...
    def name_of(self, who: str) -> str: ...
    def alike(self, who: str) -> tuple[Alike, ...]: ...
    def shoots(self, who: str) -> tuple[Session, ...]: ...
    def photos_of_shoot(self, media_id: str) -> tuple[str, ...]: ...
    def timeline(self, who: str) -> Timeline: ...
    def compare(self, one: str, other: str) -> Comparison: ...
    def predict(self, probe: Probe, evidence: Basis = Basis.PICTURE, *, nearest: bool = True) -> Prediction: ...
    def predict_set(self, photos: Sequence[PhotoEvidence]) -> SetPrediction: ...
    def develop(self, probe: Probe, question: DevelopQuestion) -> Development: ...
    def development(self, who: str) -> tuple[SettingsCourse, ...]: ...
    def report(self) -> Mapping[str, object]: ...
    def model_facts(self) -> ModelFacts: ...
    def map(self) -> PhotographerMap: ...
    def codes(self, most: int = 2000) -> CodeChart | None: ...
    def training_files(self) -> TrainingFiles | None: ...


class DeskPort(Protocol):
    """What people do by hand; see ``ingest.photographers.desk.Desk``."""

    def rename(self, old: str, new: str) -> int: ...
    def credit(self, names: Mapping[str, str]) -> CreditEdit: ...
    def edit(self, edit: str) -> CreditEdit: ...
    def undo(self, edit: str) -> int: ...
    def preview_labels(self, options: Mapping[str, str]) -> LabelPreview: ...
    def label_edits(self) -> Sequence[LabelEdit]: ...
    def displayed(self) -> Mapping[str, str]: ...
    def show_as(self, name: str, display: str) -> str: ...
    def shoot_names(self) -> Mapping[str, str]: ...
    def name_shoot(self, ids: Collection[str], name: str) -> str: ...
    def preview_facts(self, table: str, base: str = "", *, overwrite: bool = False) -> FactsPreview: ...


class OverlapsPort(Protocol):
    """Spans of films and sounds that are in others; see ``ingest.maintenance.overlaps.FoundOverlaps``."""

    def of(self, ids: Sequence[str]) -> Sequence[Overlap]: ...
    def page(self, limit: int, after: int = 0) -> Sequence[tuple[int, Overlap]]: ...
    def count(self) -> int: ...
    def uncompared(self) -> int: ...


class NodePort(Protocol):
    """Everything one process needs to answer.

    Attributes:
        token: of the data directory, which this machine's command line sends (``ingest.home``).
        access: tokens with a scope, sessions and login codes.
        request_keys: idempotency keys of requests that start jobs.
        allowed: where media may lie.
        stored_files: opens the files of records.
        broker: queue of batches for the workers; None where the node embeds by itself.
        closing: set when the process is about to end, so that waiting code returns.
        notes: messages for people about the models in use.
    """

    @property
    def settings(self) -> Settings: ...
    @property
    def token(self) -> str: ...
    @property
    def access(self) -> Access: ...
    @property
    def request_keys(self) -> RequestKeys: ...
    @property
    def allowed(self) -> AllowedFolders: ...
    @property
    def stored_files(self) -> StoredFiles: ...
    @property
    def store(self) -> Store: ...
    def verification(self) -> Verification: ...
    @property
    def ingest(self) -> IngestPort: ...
    @property
    def encoder(self) -> EncoderPort: ...
    @property
    def photographers(self) -> PhotographersPort: ...
    @property
    def desk(self) -> DeskPort: ...
    @property
    def overlaps(self) -> OverlapsPort: ...
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
        reread: bool = False,
        priority: Priority = Priority.NORMAL,
        anywhere: bool = True,
    ) -> str:
        """Ingest ``paths`` in the background; the id of the new job.

        Raises:
            NotAllowedError: a path is not in an allowed folder, and they are not allowed ``anywhere``.
        """

    def start_task(
        self, name: str, options: Mapping[str, str] | None = None, *, priority: Priority = Priority.NORMAL
    ) -> str:
        """Run a task of another kind in the background, with no other job beside it; the id of the new job."""

    def resume(self, job: str) -> str:
        """Resume a paused job, or in the background one whose process has ended; its id."""

    def retry_failures(self) -> str | None:
        """Retry the failed files in the background; the id of the job, or None when there are none."""
