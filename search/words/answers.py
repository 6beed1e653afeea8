"""Types of the answer to a question in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from search.media import Kind


class MatchPlace(StrEnum):
    """Where a word was found."""

    SHOWS = "shows"
    COLOUR = "colour"
    MEANING = "looks like"
    TAG = "tag"
    NAME = "name"
    FOLDER = "folder"
    PHOTOGRAPHER = "photographer"
    ARTIST = "artist"
    CAMERA = "camera"
    DATE = "date"


WORTH: Mapping[MatchPlace, float] = MappingProxyType(
    {
        MatchPlace.TAG: 1.0,
        MatchPlace.PHOTOGRAPHER: 1.0,
        MatchPlace.ARTIST: 1.0,
        MatchPlace.NAME: 0.9,
        MatchPlace.DATE: 0.9,
        MatchPlace.FOLDER: 0.7,
        MatchPlace.CAMERA: 0.5,
    }
)
"""Strength of a word by where it is written: what a picture shows counts more than where it lies. Concepts, colours and
the likeness to all words have strengths of their own."""

HOLDS = 0.1
"""Strength from which a record holds a word.

Chosen by F1 of 37 words on 800 photos (tests/benchmarks/bench_words.py): .824, precision .88, recall .82; at .05 .810,
at .2 .797.
"""


@dataclass(frozen=True, slots=True)
class WordReason:
    """Why a record answers to a word.

    Attributes:
        word: as typed, or as corrected; of what a picture looks like, all that were typed.
        text: what it met there: the concept's or colour's name, the tag, the name, the folder.
        strength: in (0, 1]: the probability that a picture shows it, the share of its pixels that have the colour, the
            probability that it looks like the words (see ``search.words.phrase``), or ``WORTH``.
    """

    word: str
    place: MatchPlace
    text: str
    strength: float


@dataclass(frozen=True, slots=True)
class WordHit:
    """A record that answers to the words.

    Attributes:
        score: in (0, 1]; the geometric mean over the words of the strongest reason of each, so that no word makes up
            for one that hardly holds; where no record holds all words, the mean, with 0 for a word that does not. Where
            it is greater, the probability that it looks like all of them together.
        matched: which words it holds, in the order typed.
        reasons: for each word, in that order, its places, strongest first; then what it looks like, of several words.
        moment: seconds into a video where it shows best what was asked; None where words alone were met.
        weak: it holds not all of the words, but may show what is missing (strength below ``HOLDS``).
    """

    id: str
    kind: Kind
    paths: tuple[str, ...]
    thumbnail: str | None
    tags: tuple[str, ...]
    score: float
    matched: tuple[str, ...]
    reasons: tuple[WordReason, ...] = ()
    moment: float | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that is known nowhere, and the word that was searched in its place."""

    typed: str
    instead: str


@dataclass(frozen=True, slots=True)
class FoundByWords:
    """Answer to a question in words.

    Attributes:
        hits: from ``offset`` on; those that hold the words, then the weak ones.
        total: records that hold the words.
        weaker: records that follow them as weak hits.
        at_least: more records than ``total`` may hold the words, because for each word ``MOST`` records of a
            collection are compared, and there are more that hold it.
        corrected: typing errors.
        ignored: words that were not searched (``the``, ``photo``).
        matched_any: no record holds all words, so those that hold any are given, those with most of them first.
        notes: in words, what the reader should know.
    """

    hits: tuple[WordHit, ...]
    total: int
    weaker: int = 0
    at_least: bool = False
    corrected: tuple[Correction, ...] = ()
    ignored: tuple[str, ...] = ()
    matched_any: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """Which records of one collection hold the words.

    Attributes:
        ids: best first.
        capped: more records may hold them.
    """

    ids: tuple[str, ...]
    capped: bool


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What narrows a question by example.

    Attributes:
        held: by collection, of each that was asked about; empty where no word was typed that could be looked for.
        corrected, ignored, notes: as in :class:`FoundByWords`.
    """

    held: Mapping[str, Holding]
    corrected: tuple[Correction, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
