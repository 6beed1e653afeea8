"""Texts about answers that pages, terminal and notes of the API share."""

from __future__ import annotations

import math
from collections.abc import Iterable

from search.likeness.curve import Band
from search.records.differences import FactDifference
from search.similar.questions import Relation, SimilarHit
from search.similar.reuse.overlaps import manner
from search.words import Correction, MatchPlace, WordReason

COPIES = frozenset({Band.IDENTICAL, Band.SAME_PICTURE, Band.EDITED_COPY})
"""Bands that are shown without a percentage, which would say less than their name."""

ALMOST_ALL = 99.9
"""Greatest percentage shown: a comparison of vectors is never a proof of identity."""


def percent(value: float) -> str:
    """Percentage, rounded down so that no text exceeds its number: ``93 %``, ``99.2 %``."""
    value = min(round(value, 6), ALMOST_ALL)
    return f"{math.floor(10 * value) / 10:.1f} %" if value >= 99 else f"{math.floor(value)} %"


def likeness(probability: float) -> str:
    """A likeness in whole per cent, ``under 1 %`` at the low end.

    It was learnt from some thousands of pairs, so that decimals would have no meaning.
    """
    value = math.floor(round(100 * probability, 6))
    return f"{value} %" if value >= 1 else "under 1 %"


def called(hit: SimilarHit) -> str:
    """What to call a hit: its band, and that it is another shot of one burst with the example."""
    return f"{hit.band.value}, burst" if hit.relation is Relation.BURST else hit.band.value


def weaker(count: int) -> str:
    """``12 weaker results``."""
    return f"{count:,} weaker result{'' if count == 1 else 's'}"


def split_weak_hits(hits: Iterable[SimilarHit]) -> tuple[list[SimilarHit], list[SimilarHit]]:
    """Hits to show, and weak ones to fold away, each in their order.

    No hit is weak where subject and style are weighed against each other: these are ordered by another measure.
    """
    shown: list[SimilarHit] = []
    folded: list[SimilarHit] = []
    for hit in hits:
        (folded if hit.band is Band.WEAK and hit.parts is None else shown).append(hit)
    return shown, folded


def explained(hit: SimilarHit, model: str = "") -> list[str]:
    """Lines that explain the rank of a hit: its likeness, how rare its score is in the library, and the score.

    Args:
        model: model of the vectors of its space, if known.
    """
    rare = f"More alike than {percent(hit.match)} of random pairs here"
    score = f"Cosine {hit.score:.3f} in {hit.space}" + (f", by {model}" if model else "")
    if hit.parts is not None:
        return [f"Subject and style weighed together: {rare[0].lower()}{rare[1:]}", score]
    return [*shared(hit), *likely(hit), rare, score]


def shared(hit: SimilarHit) -> list[str]:
    """The span that the example shares with a hit, in one line; no line where none is known."""
    if (one := hit.overlap) is None:
        return []
    if not one.seconds:
        return [f"The example is a still of this, at {moment(one.other_start)}"]
    mine, theirs = place(one.start, (one.start, one.end)), place(one.other_start, (one.other_start, one.other_end))
    return [f"{mine} of the example is {theirs} of this{manner(one.flipped, one.heard)}"]


def likely(hit: SimilarHit) -> list[str]:
    """The likeness of a hit in one line; no line for copies, whose band says it."""
    if hit.band in COPIES:
        return []
    if hit.via is not None:
        return [f"{likeness(hit.likeness)} likely the same label, by both steps through the video"]
    return [f"{likeness(hit.likeness)} likely the same label, when as many pairs are as are not"]


def moment(seconds: float) -> str:
    """A moment of a recording, the same wherever it is shown: ``7.3 s``, from a minute on ``1:02`` or ``1:02:03``."""
    tenths = math.floor(10 * round(seconds, 2) + 0.5)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(max(60, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def place(seconds: float | None, span: tuple[float, float] | None = None) -> str:
    """Where in a recording a hit matches: a moment, or ``45.0 s to 55.0 s``; empty where that is not known."""
    if span is not None:
        return f"{moment(span[0])} to {moment(span[1])}"
    return "" if seconds is None else moment(seconds)


def reasons(of: Iterable[WordReason]) -> list[str]:
    """The strongest reason per word why a record matches: ``shows dog``, ``colour red``, ``name``."""
    strongest: dict[str, WordReason] = {}
    for reason in of:
        strongest.setdefault(reason.word, reason)
    return list(dict.fromkeys(map(_reason, strongest.values())))


def reasons_in_full(of: Iterable[WordReason]) -> list[str]:
    """Every reason, with the probability that a picture shows something, and how much of it has a colour."""
    return list(dict.fromkeys(_reason(reason) + _strength(reason) for reason in of))


def _reason(reason: WordReason) -> str:
    return reason.place.value if reason.place is MatchPlace.NAME else f"{reason.place.value} {reason.text}"


def _strength(reason: WordReason) -> str:
    share = likeness(reason.strength)
    sure = f" ({share} sure)"
    return {MatchPlace.SHOWS: sure, MatchPlace.MEANING: sure, MatchPlace.COLOUR: f" ({share} of its area)"}.get(
        reason.place, ""
    )


_FACT_LABELS = {
    "taken_at": "Taken",
    "artist": "Author in the file",
    "iso": "ISO",
    "focal_length": "Focal length",
    "mime": "Format",
    "size": "Bytes",
}


def fact_label(field: str) -> str:
    """Name of a fact of a record in words: ``Taken`` for ``taken_at``."""
    return _FACT_LABELS.get(field, field.replace("_", " ").capitalize())


def fact_values(differing: FactDifference) -> tuple[str, ...]:
    """The values of a fact, a dash for what is not known."""
    return tuple(map(_fact, differing.values))


def _fact(value: str | int | float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def understood(corrected: Iterable[Correction], ignored: Iterable[str] = ()) -> list[str]:
    """How words were interpreted: typing errors that were corrected, and words that were ignored."""
    said = []
    typing = list(corrected)
    if typing:
        instead = ", ".join(one.instead for one in typing)
        said.append(f"Showing results for {instead} instead of {', '.join(one.typed for one in typing)}.")
    if left := list(ignored):
        said.append(f"Not looked for, because most pictures would answer to it: {', '.join(left)}.")
    return said
