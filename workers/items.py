"""Files and batches under way, from the moment they are handed to a worker until each has its outcome."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from search.media import Kind, MediaRecord
from workers.report import Batch, BatchReport, FileRef, Outcome, Status

SAME_TIME = 1e-5
"""Seconds by which equal modification times may differ after a float has carried them."""


@dataclass(slots=True)
class Progress:
    """A batch under way."""

    batch: Batch
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
class Item:
    """A file under way. ``twins`` are files of the same content that came after it."""

    progress: Progress
    index: int
    file: FileRef
    id: str
    known: MediaRecord | None = None
    began: float = 0.0
    twins: list[Item] = field(default_factory=list)

    def skip_if_changed(self) -> bool:
        """End it if the file is no longer what the planner read: it has no identity until the next scan."""
        try:
            now = Path(self.file.path).stat()
        except OSError as error:
            self.end(Status.SKIPPED, code="gone", detail=f"The file cannot be found any more: {error.strerror}.")
            return True
        if now.st_size == self.file.size and abs(now.st_mtime - self.file.mtime) < SAME_TIME:
            return False
        self.end(Status.SKIPPED, code="changed", detail="The file changed after it was scanned; scan again.")
        return True

    def end(self, status: Status, *, kind: Kind | None = None, code: str = "", detail: str = "") -> None:
        stored = status in (Status.EMBEDDED, Status.DUPLICATE)
        seconds = time.monotonic() - self.began if self.began else 0.0
        self.progress.outcomes[self.index] = Outcome(
            self.file.path, status, self.id if stored else None, kind, code, detail, seconds
        )
