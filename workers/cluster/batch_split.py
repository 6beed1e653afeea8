"""A batch that is with the workers: whole, or cut where one of its files ends whatever works on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from workers.batch.report import Batch, BatchReport, Outcome, Status
from workers.cluster.backoff import Outage

MOST_DEATHS = 2
"""Processes that may die with a piece before a file in it is taken to be the cause."""


@dataclass(slots=True, eq=False)
class Piece:
    """Files of a batch that are sent together as one task; at first all of them.

    Attributes:
        files: their places in the batch.
        deaths: processes that died with it.
        task: id under which it was sent last.
        due: when to send it (again), on the monotonic clock; None while it is with the workers.
        seen: when it was last sent or looked for.  unseen: how many looks in a row did not find it.
        outage: of whatever it fails for want of.
    """

    ordered: Ordered
    files: tuple[int, ...]
    outage: Outage
    deaths: int = 0
    task: str = ""
    due: float | None = 0.0
    seen: float = 0.0
    unseen: int = 0

    @property
    def batch(self) -> Batch:
        """The piece as a batch of its own."""
        whole = self.ordered.batch
        if len(self.files) == len(whole.files):
            return whole
        name = f"{whole.id}.{self.files[0]}-{self.files[-1]}"
        return replace(whole, id=name, files=tuple(whole.files[at] for at in self.files))


class Ordered:
    """A batch under way.

    Attributes:
        pieces: what is still to be reported.

    Args:
        patience: seconds for which each piece may fail for want of the same thing.
    """

    def __init__(self, batch: Batch, patience: float) -> None:
        self.batch = batch
        self._patience = patience
        self.pieces = [Piece(self, tuple(range(len(batch.files))), Outage(patience))]
        self._outcomes: dict[int, Outcome] = {}
        self._blamed: dict[int, Outcome] = {}
        self._stages: Counter[str] = Counter()

    @property
    def done(self) -> bool:
        return not self.pieces

    def take(self, piece: Piece, report: BatchReport) -> None:
        """Enter what a worker says of a piece, also of one that has been cut or sent again meanwhile."""
        place = {file.path: at for at, file in enumerate(self.batch.files)}
        for outcome in report.outcomes:
            self._outcomes.setdefault(place[outcome.path], outcome)
        self._stages.update(report.stages)
        piece.files = tuple(at for at in piece.files if at not in self._outcomes) or piece.files
        self.pieces = [left for left in self.pieces if not self._outcomes.keys() >= set(left.files)]

    def cut(self, piece: Piece) -> None:
        """Replace a piece of several files by its halves.

        Either half has seen as many deaths as leave it one more, so that finding the culprit is quick; a file that
        stands alone is given every chance again, lest an accident be held against it.
        """
        middle = len(piece.files) // 2
        halves = [
            Piece(self, files, Outage(self._patience), deaths=MOST_DEATHS - 1 if len(files) > 1 else 0)
            for files in (piece.files[:middle], piece.files[middle:])
        ]
        at = self.pieces.index(piece)
        self.pieces[at : at + 1] = halves

    def blame(self, piece: Piece, code: str, detail: str) -> Outcome:
        """Give up a piece that is one file; how it ended, unless some worker reports it yet."""
        (at,) = piece.files
        self._blamed[at] = Outcome(self.batch.files[at].path, Status.FAILED, code=code, detail=detail)
        self.pieces.remove(piece)
        return self._blamed[at]

    def report(self) -> BatchReport:
        """What the pieces said together; the points themselves have been delivered."""
        ended = self._blamed | self._outcomes
        return BatchReport(self.batch.id, tuple(ended[at] for at in range(len(self.batch.files))), dict(self._stages))
