"""A batch on the workers, whole or split in halves to find the file that ends the worker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from search.media import MediaRecord, media_id
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Status
from workers.cluster.backoff import Backoff
from workers.cluster.checks import refuse
from workers.storage.previews import preview_key

MOST_DEATHS = 2
"""Processes that may die with a part before one of its files is considered the cause."""


@dataclass(slots=True, eq=False)
class BatchPart:
    """Files of a batch that are sent together as one task; at first all of them.

    Attributes:
        files: indices in the batch.
        deaths: processes that died with it.
        task: id of its latest task.
        due: when to send it (again), on the monotonic clock; None while it is with the workers.
        checked: when it was last sent or looked up.  missed: how many look-ups in a row did not find it.
        backoff: of the service whose outage makes it fail.
    """

    split: SplitBatch
    files: tuple[int, ...]
    backoff: Backoff
    deaths: int = 0
    task: str = ""
    due: float | None = 0.0
    checked: float = 0.0
    missed: int = 0

    @property
    def batch(self) -> Batch:
        """The part as a batch of its own."""
        whole = self.split.batch
        if len(self.files) == len(whole.files):
            return whole
        name = f"{whole.id}.{self.files[0]}-{self.files[-1]}"
        return replace(whole, id=name, files=tuple(whole.files[at] for at in self.files))


class SplitBatch:
    """A batch in work.

    Attributes:
        parts: what is still to be reported.

    Args:
        retry_seconds: for how long each part may fail because a service is unavailable.
    """

    def __init__(self, batch: Batch, retry_seconds: float) -> None:
        self.batch = batch
        self._retry_seconds = retry_seconds
        self.parts = [BatchPart(self, tuple(range(len(batch.files))), Backoff(retry_seconds))]
        self._outcomes: dict[int, Outcome] = {}
        self._failed: dict[int, Outcome] = {}
        self._stages: Counter[str] = Counter()

    @property
    def done(self) -> bool:
        return not self.parts

    def add_report(self, part: BatchPart, report: BatchReport) -> None:
        """Add the report of a part, also of one that has been split or sent again meanwhile."""
        place = {file.path: at for at, file in enumerate(self.batch.files)}
        for outcome in report.outcomes:
            self._outcomes.setdefault(place[outcome.path], outcome)
        self._stages.update(report.stages)
        part.files = tuple(at for at in part.files if at not in self._outcomes) or part.files
        self.parts = [left for left in self.parts if not self._outcomes.keys() >= set(left.files)]

    def halve(self, part: BatchPart) -> None:
        """Replace a part of several files by its halves.

        A half of several files may end one more process, so that the cause is found quickly; a single file may end
        ``MOST_DEATHS`` again, so that an accident is not attributed to it.
        """
        middle = len(part.files) // 2
        halves = [
            BatchPart(self, files, Backoff(self._retry_seconds), deaths=MOST_DEATHS - 1 if len(files) > 1 else 0)
            for files in (part.files[:middle], part.files[middle:])
        ]
        at = self.parts.index(part)
        self.parts[at : at + 1] = halves

    def give_up(self, part: BatchPart, code: str, detail: str) -> Outcome:
        """Record a part of one file as failed; its outcome, unless a worker still reports it."""
        (at,) = part.files
        self._failed[at] = Outcome(self.batch.files[at].path, Status.FAILED, code=code, detail=detail)
        self.parts.remove(part)
        return self._failed[at]

    def report(self) -> BatchReport:
        """The reports of all parts as one; the points have been stored before."""
        ended = self._failed | self._outcomes
        return BatchReport(self.batch.id, tuple(ended[at] for at in range(len(self.batch.files))), dict(self._stages))


def check_report(report: BatchReport, batch: Batch) -> None:
    """Check that a report says something of these files alone: each of them once at most, under the id of its content,
    and points of those that it calls embedded.

    Raises:
        MessageRefusedError: it does not.
    """
    if report.batch != batch.id:
        refuse("report", f"{report.batch} instead of {batch.id}")
    files = {file.path: file for file in batch.files}
    embedded: dict[str, list[FileRef]] = {}
    for outcome in report.outcomes:
        file = files.pop(outcome.path, None)
        if file is None:
            refuse("path", f"{outcome.path} of a file that is not in the batch, or is for the second time")
        stored = outcome.status in (Status.EMBEDDED, Status.DUPLICATE)
        id_ = media_id(file.sha256)
        if outcome.media_id != (id_ if stored else None) or (stored and outcome.kind is None):
            refuse("media id", f"{outcome.media_id} of {outcome.path}")
        if stored:
            embedded.setdefault(id_, []).append(file)
    for delivery in report.deliveries:
        _check_point(delivery, embedded.pop(delivery.point.id, []), batch.job)


def _check_point(delivery: Delivery, files: list[FileRef], job: str) -> None:
    """
    Args:
        files: those of the batch that have its content; none where the report has no such content, or twice.
    """
    point, record = delivery.point, MediaRecord.from_payload(delivery.point.payload)
    if not files:
        refuse("point", f"{point.id}, which is of no file that was embedded")
    if record.kind.collection != delivery.collection:
        refuse("collection", f"{delivery.collection} for {record.kind}")
    paths = {path for file in files for path in (file.path, *file.other_paths)}
    if not paths.issuperset(record.paths) or not {file.library for file in files}.issuperset(record.libraries):
        refuse("path or library of a record", f"{record.paths} in {record.libraries}")
    if record.thumbnail not in (None, preview_key(point.id)) or record.job != job or record.missing:
        refuse("preview or job of a record", f"{record.thumbnail} of {record.job}")
    frames = len(point.vectors.get("visual", record.moments))
    if len(record.moments) not in (0, frames) or any(frame >= max(1, frames) for frame in record.concept_frames):
        refuse("number of moments", len(record.moments))
