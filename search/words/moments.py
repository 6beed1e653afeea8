"""Finds the moment of a video that shows best what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from search.media import Kind, MediaRecord
from search.spaces import MEANING, Space
from search.store.base import Array
from search.words.answers import MatchPlace, WordReason
from search.words.parse import Term
from search.words.phrase import PhraseAnswer


def moment_of(
    record: MediaRecord,
    collection: str,
    vectors: Mapping[str, Array],
    reasons: Iterable[tuple[Term, Sequence[WordReason]]],
    whole: float,
    space: Space | None,
    phrase_answer: PhraseAnswer,
) -> float | None:
    """Seconds into a video of the frame that gave the strongest of the concepts and colours asked for, or that looks
    most like all words, if that is stronger; None where words alone were met.

    Args:
        vectors: its own of ``space`` and ``meaning``, as far as it has them.
        reasons: each term, with the reasons why the record answers to it.
        whole: probability that it looks like all words together.
        space: of its concepts.
    """
    shown = [
        (reason.strength, term, reason.place)
        for term, some in reasons
        for reason in some
        if reason.place in (MatchPlace.SHOWS, MatchPlace.COLOUR)
    ]
    if record.kind is not Kind.VIDEO or not (shown or whole):
        return None
    if len(record.moments) == 1:
        return record.moments[0]
    if whole > max((strength for strength, *_ in shown), default=0.0) and MEANING in vectors:
        frame = phrase_answer.frame(collection, vectors[MEANING])
        return record.moments[frame] if frame < len(record.moments) else None
    if not shown or space is None or space.name not in vectors:
        return None
    _, term, place = max(shown, key=lambda entry: entry[0])
    sense = term.meaning
    weights = None if sense is None else sense.shows() if place is MatchPlace.SHOWS else sense.coloured()
    if sense is None or weights is None:
        return None
    own = vectors[space.name][0]
    components = np.flatnonzero(own)
    asked = [concept for concept, _ in sense.senses] if place is MatchPlace.SHOWS else []
    best = next((concept for concept in asked if len(asked) == 1 and own[concept]), int(np.argmax(own * weights[0])))
    at = int(np.searchsorted(components, best))
    if at >= len(record.concept_frames) or record.concept_frames[at] >= len(record.moments):
        return None
    return record.moments[record.concept_frames[at]]
