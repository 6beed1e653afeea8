"""Finds the concepts and colours that words mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from search.store.base import Array
from search.words.morphology import singulars
from search.words.table import COLOURS, Sense, table

RARE_SENSE_WEIGHT = 0.3
"""Weight of a rare sense of a word, where a usual one has 1: big cats as ``cat``.

Chosen by AP of 37 words on 800 photos (tests/benchmarks/bench_words.py): .922, where all senses alike give .906, the
first alone .891, those alone that WordNet's texts use .913, falling by rank .918, the others at a half .921.
"""

TOO_GENERAL = 0.9
"""Share of all classes above which a concept is true of nearly every picture: entity, object, whole."""

LONGEST = 6
"""Most words of one concept that are searched."""

_VARIANTS = {
    variant: colour
    for colour, variants in {
        "gray": ("grey", "greyish", "grayish"),
        "purple": ("violet", "lilac", "mauve", "purplish"),
        "pink": ("magenta", "pinkish"),
        "red": ("crimson", "scarlet", "reddish"),
        "blue": ("navy", "azure", "turquoise", "cyan", "bluish"),
        "yellow": ("golden", "yellowish"),
        "brown": ("beige", "tan", "brownish"),
        "green": ("greenish",),
    }.items()
    for variant in variants
}
"""Other words for the basic colours: near synonyms, and what is nearly of a colour."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word or words mean.

    Attributes:
        senses: concepts with their weights, in (0, 1].
        colour: one of ``COLOURS``.
        base: the words in the singular, as they stand in the table.
    """

    senses: tuple[tuple[int, float], ...]
    colour: str | None
    base: tuple[str, ...]

    @property
    def classes(self) -> int:
        """How many classes are at or below the concepts."""
        return len({one for concept, _ in self.senses for one in table().classes[concept]})

    def shows(self) -> Array | None:
        """Weights, float32 ``(1, dim)``; None for a colour. Their dot product with a record's vector is the probability
        that it shows the concepts, each times its weight."""
        return table().at_or_below(dict(self.senses))[None] if self.senses else None

    def coloured(self) -> Array | None:
        """Weights, float32 ``(1, dim)``; None without a colour. Their dot product with a record's vector is the share
        of its pixels under the colour."""
        if self.colour is None:
            return None
        weights = table().at_or_below({})
        weights[table().colour(self.colour)] = 1
        return weights[None]


def meaning(words: Sequence[str]) -> Meaning | None:
    """What these words mean together, in the singular or plural; None if they are no one concept and no colour.

    Words of a concept win over compounds, and these over parts of a word typed apart (``sail boat``).
    """
    given = tuple(words)
    for base in _bases(given):
        colour = _colour(base)
        senses = _useful(table().words.get(base, ())) or _useful(table().compounds.get(base, ()))
        if not senses and len(base) > 1:
            whole = ("".join(base),)
            senses = _useful(table().words.get(whole, ())) or _useful(table().compounds.get(whole, ()))
        if colour or senses:
            weighed = tuple((concept, RARE_SENSE_WEIGHT if rare_sense else 1.0) for concept, rare_sense in senses)
            return Meaning(weighed, colour, base)
    return None


@cache
def vocabulary() -> frozenset[str]:
    """Every single word that is, or is part of, a word of a concept, a compound or a colour."""
    concepts = {word for words in (*table().words, *table().compounds) for word in words}
    return frozenset(concepts) | frozenset(COLOURS) | frozenset(_VARIANTS)


def is_known(word: str) -> bool:
    """Whether the table knows the word, in the singular or plural, by itself or among others, or as good English."""
    known = (word, *singulars(word))
    return not (vocabulary().isdisjoint(known) and table().english.isdisjoint(known))


def _bases(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The words with none, the last, or the first of them made singular: ``birds of prey``."""
    if not words:
        return []
    last = [(*words[:-1], word) for word in singulars(words[-1])]
    first = [(word, *words[1:]) for word in singulars(words[0])] if len(words) > 1 else []
    both = [(one, *words[1:-1], many) for one, many in product(singulars(words[0]), singulars(words[-1]))]
    return [words, *last, *first, *(both if len(words) > 1 else [])]


def _colour(base: tuple[str, ...]) -> str | None:
    if len(base) != 1:
        return None
    return base[0] if base[0] in COLOURS else _VARIANTS.get(base[0])


def _useful(senses: Sequence[Sense]) -> tuple[Sense, ...]:
    return tuple(sense for sense in senses if sense[0] not in _too_general())


@cache
def _too_general() -> frozenset[int]:
    """Concepts that distinguish no pictures."""
    sizes = [len(classes) for classes in table().classes]
    return frozenset(concept for concept, size in enumerate(sizes) if size > TOO_GENERAL * max(sizes))
