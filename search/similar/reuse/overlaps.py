"""What a comparison of fingerprints over time has found."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST_SECONDS = 1.5
"""Shortest span that is told."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A span of one content that is in another.

    Attributes:
        one, other: ids of the contents.
        start, other_start: seconds at which the span begins in each.
        seconds: length of the span; 0 of a picture that is a still of a film, which begins at its second.
        flipped: the one shows the other's mirror image.
        heard: found by what is heard and not by what is seen.
    """

    one: str
    other: str
    start: float
    other_start: float
    seconds: float
    flipped: bool = False
    heard: bool = False

    @property
    def end(self) -> float:
        return self.start + self.seconds

    @property
    def other_end(self) -> float:
        return self.other_start + self.seconds

    def seen_from(self, media_id: str) -> Overlap:
        """The same with this content as the one."""
        if media_id == self.one:
            return self
        return replace(self, one=self.other, other=self.one, start=self.other_start, other_start=self.start)


def manner(flipped: bool, heard: bool) -> str:
    """What is to be said behind a span, for people."""
    return ", by its sound" if heard else ", mirrored" if flipped else ""
