"""The result of a job that labels, counted while it runs, and in sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from search.photographers.photos.labels import listed_names

SHOWN_LINES = 5
"""So many unusable lines of a table are reported one by one."""


@dataclass(slots=True)
class Tally:
    """The result of a job so far.

    Attributes:
        credited: photographer to number of records that this source credits now.
        kept: another source to number of records that it still credits.
        untouched: reason to number of records that this source does not credit.
        taken_back: number of records that have lost the credits of a source.
        wrong: sentences about lines of the table that cannot be used, in the order of the table.
        nothing: message when no record was changed.
    """

    credited: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    untouched: Counter[str] = field(default_factory=Counter)
    taken_back: int = 0
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    nothing: str = "Nothing is credited."

    def message(self) -> str:
        """The result in sentences."""
        sentences = [f"The credits of {self.taken_back:,} are taken back."] if self.taken_back else []
        if unknown := self.credited.pop("", 0):
            sentences.append(f"{unknown:,} are nobody's now.")
        if self.credited:
            people = "1 photographer" if len(self.credited) == 1 else f"{len(self.credited):,} photographers"
            sentences.append(f"{self.credited.total():,} are credited to {people}: {listed_names(self.credited)}.")
        if self.kept:
            sentences.append(f"{self.kept.total():,} go by another source ({listed_names(self.kept)}).")
        if not sentences:
            sentences.append(self.nothing)
        sentences += [f"{n:,} {why}." for why, n in self.untouched.most_common()]
        sentences += self.wrong[:SHOWN_LINES]
        if len(self.wrong) > SHOWN_LINES:
            sentences.append(f"So it is with {len(self.wrong) - SHOWN_LINES:,} more lines.")
        return " ".join([*sentences, *self.notes])
