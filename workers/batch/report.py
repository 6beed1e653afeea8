"""What goes into a batch and what comes out of it, one outcome a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from search.media import Kind
from search.store.base import Point


class Status(StrEnum):
    """How one file ended."""

    EMBEDDED = "embedded"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    FAILED = "failed"


class Priority(StrEnum):
    """Which job's batches workers take first. Questions of people who wait come before all of them."""

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
        sha256: of its bytes as the planner read them, hex.
        other_paths: further paths of this content that the ledger knows, so that a record written anew keeps them.
        root: the library's root at or above ``path``; a worker may see it elsewhere (``Settings.roots``).
    """

    path: str
    library: str
    size: int
    mtime: float
    sha256: str
    other_paths: tuple[str, ...] = ()
    root: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one kind (by their name; decoding has the last word) that are embedded and reported together.

    Attributes:
        into: the generation of a collection that is being filled anew (``search.store.base``); None for what is new.
    """

    id: str
    job: str
    kind: Kind
    files: tuple[FileRef, ...]
    priority: Priority = Priority.NORMAL
    into: str | None = None


@runtime_checkable
class BatchSource(Protocol):
    """Batches of a job that somebody may pause or cancel while they are with a cluster."""

    def __iter__(self) -> Iterator[Batch]: ...

    @property
    def stopped(self) -> bool:
        """Whether batches that nobody has begun are not wanted just now. Should the job go on, those that ended without
        a report come again."""

    def say(self, message: str) -> None:
        """Tell whoever looks at the job why it does not come on; empty when it does again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one file ended.

    Attributes:
        media_id: of the record now in the store; None unless embedded or duplicate.
        kind: what the content turned out to be; None when that was never known.
        code: stable failure code (``search.errors``) when failed, the reason when skipped, else empty.
        detail: one sentence for a person.
        seconds: from when it was handed to the decoders until it ended, waiting for its turn included; 0 for a file
            that needed no decoding.
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
    """A point that a worker made for a store that only its owner can write."""

    collection: str
    point: Point


@dataclass(frozen=True, slots=True)
class BatchReport:
    """Outcomes in the order of the batch's files, and where the time went (stage to seconds).

    Attributes:
        deliveries: what is still to be stored before the outcomes are true; empty when the worker did that.
    """

    batch: str
    outcomes: tuple[Outcome, ...]
    stages: dict[str, float] = field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()


class BatchRunner(Protocol):
    """Whatever turns batches into reports: this process, or a cluster."""

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """Reports of the batches, in any order; pulls only as many batches as it can work on.

        Given a :class:`BatchSource`, it may give batches up while that is stopped.
        """
        ...
