"""Types of a batch of files and of its report, with one outcome for each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from search.media import Kind
from search.store.base import Point


class Status(StrEnum):
    """Outcome of one file."""

    EMBEDDED = "embedded"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    FAILED = "failed"


class Priority(StrEnum):
    """Which job's batches workers take first. Queries come before all of them."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file to embed.

    Attributes:
        path: absolute POSIX path, or an fsspec address (``s3://bucket/prefix/a.jpg``).
        library: name of the library it belongs to.
        size: bytes.  mtime: seconds since the epoch, UTC.
        sha256: of the bytes that the planner read, hex.
        other_paths: further paths of this content that the ledger knows, so that a record written anew keeps them.
        root: the library's root at or above ``path``; a worker may see it elsewhere (``Settings.roots``).
        sidecars: names of the sidecars beside it, which are fetched with a file of a bucket. Of others, decoders find
            them by themselves.
        anew: it is decoded and embedded although its content is stored, as its sidecars have changed.
        ctime_ns: when the file or its metadata changed, in nanoseconds since the epoch; None where that is not known.
            A decoder hashes what it opens unless all times are those of the bytes that the planner read.
    """

    path: str
    library: str
    size: int
    mtime: float
    sha256: str
    other_paths: tuple[str, ...] = ()
    root: str = ""
    sidecars: tuple[str, ...] = ()
    anew: bool = False
    ctime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one kind by their names (decoding decides) that are embedded and reported together.

    Attributes:
        into: the generation of a collection to fill (``search.store.base``); None for new files.
    """

    id: str
    job: str
    kind: Kind
    files: tuple[FileRef, ...]
    priority: Priority = Priority.NORMAL
    into: str | None = None


@runtime_checkable
class BatchSource(Protocol):
    """Batches of a job that can be paused or cancelled while a cluster runs them."""

    def __iter__(self) -> Iterator[Batch]: ...

    @property
    def stopped(self) -> bool:
        """Whether batches that are not started should be given up, as the job is paused or cancelled. If it goes on,
        batches without a report are run again."""

    def say(self, message: str) -> None:
        """Set the message that the job's progress shows; empty once it proceeds again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one file.

    Attributes:
        media_id: of the record in the store; None unless embedded or duplicate.
        kind: of the decoded content; None where it was not decoded.
        code: stable failure code (``search.errors``) when failed, the reason when skipped, else empty.
        detail: one sentence for people.
        seconds: from submission to the decoders to the outcome, waiting included; 0 for a file that was not decoded.
    """

    path: str
    status: Status
    media_id: str | None = None
    kind: Kind | None = None
    code: str = ""
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A point from a worker, for a store that only its owner can write."""

    collection: str
    point: Point


@dataclass(frozen=True, slots=True)
class BatchReport:
    """Outcomes in the order of the batch's files, and seconds by stage.

    Attributes:
        deliveries: points to be written before the outcomes hold; empty where the worker has written them.
    """

    batch: str
    outcomes: tuple[Outcome, ...]
    stages: dict[str, float] = field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()


class BatchRunner(Protocol):
    """Runs batches: in this process, or by a cluster."""

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """Reports of the batches, in any order; takes only as many batches as it can work on.

        Given a :class:`BatchSource`, it may give up batches while that is stopped.
        """
        ...
