"""State of files and batches between submission to the decoders and their outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from search.media import Kind, MediaRecord
from workers.batch.report import Batch, BatchReport, FileRef, Outcome, Status
from workers.storage.files import SAME_TIME, FileAccess
from workers.storage.objects import UnreachableError


@dataclass(slots=True)
class BatchProgress:
    """A batch in progress.

    Attributes:
        outcomes: by index of the file in the batch.
        stages: seconds by name of the stage.
    """

    batch: Batch
    access: FileAccess
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return len(self.outcomes) == len(self.batch.files)

    def spend(self, stage: str, seconds: float) -> None:
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds

    def report(self) -> BatchReport:
        ordered = tuple(self.outcomes[index] for index in range(len(self.batch.files)))
        return BatchReport(self.batch.id, ordered, self.stages)


@dataclass(slots=True)
class BatchItem:
    """A file of a batch in progress.

    Attributes:
        id: of its content.
        known: the record of its content that is stored already.
        began: when it was submitted to the decoders, by the monotonic clock; 0 before.
        twins: later files of the same content, which wait for its outcome.
    """

    progress: BatchProgress
    index: int
    file: FileRef
    id: str
    known: MediaRecord | None = None
    began: float = 0.0
    twins: list[BatchItem] = field(default_factory=list)

    def skip_if_changed(self) -> bool:
        """Whether the file is no longer the one that the planner read; if so, it ends as skipped until the next
        scan."""
        access = self.progress.access
        try:
            size, mtime_ns = access.size_and_time(self.file.path)
        except UnreachableError:
            return False  # unknown; the bytes that were decoded are those that were scanned
        except OSError as error:
            self.end(Status.SKIPPED, code="gone", detail=f"The file cannot be found any more: {error.strerror}.")
            return True
        same_time = abs(mtime_ns / 1e9 - self.file.mtime) < SAME_TIME or not access.is_same_place(self.file.path)
        if size == self.file.size and same_time:
            return False
        self.skip_changed()
        return True

    def skip_changed(self) -> None:
        self.end(Status.SKIPPED, code="changed", detail="The file changed after it was scanned; scan again.")

    def end(self, status: Status, *, kind: Kind | None = None, code: str = "", detail: str = "") -> None:
        stored = status in (Status.EMBEDDED, Status.DUPLICATE)
        seconds = time.monotonic() - self.began if self.began else 0.0
        self.progress.outcomes[self.index] = Outcome(
            self.file.path, status, self.id if stored else None, kind, code, detail, seconds
        )
