"""Finds the singular of an English noun in the plural, by the rules of WordNet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from search.words.table import table

_RULES = (
    *(("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh")),
    *(("men", "man"), ("ies", "y"), ("s", "")),
)
"""Endings and what replaces them. Source: WordNet's rules of detachment for nouns, morphy(7WN)."""

_NO_MEN = (
    *("brahman", "caiman", "cayman", "doberman", "german", "human"),
    *("norman", "ottoman", "roman", "shaman", "talisman"),
)
"""Words that end in ``man`` and have a regular plural."""

_SHORTEST = 3
"""Letters of a word that an ending is taken from or given to."""


def singulars(word: str) -> tuple[str, ...]:
    """What the word may be the plural of: the exceptions first, then what the rules make of it; some of that is none.

    Not the word itself.
    """
    found = list(table().plurals.get(word, ()))
    if not word.endswith("ss"):
        found += [
            word.removesuffix(ending) + instead
            for ending, instead in _RULES
            if word.endswith(ending) and len(word) - len(ending) + len(instead) >= _SHORTEST
        ]
    return tuple(dict.fromkeys(found))


def plural(word: str) -> str:
    """The usual plural of a word that is none: ``dogs``, ``boxes``, ``berries``, ``firemen``."""
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and not word.endswith(("ay", "ey", "oy", "uy")):
        return word[:-1] + "ies"
    return word[:-3] + "men" if word.endswith("man") and not word.endswith(_NO_MEN) else word + "s"


@lru_cache(maxsize=1024)
def forms(word: str, base: str | None = None) -> tuple[str, ...]:
    """How the word may stand in a text: as typed, in the singular, in the plural; each once.

    Args:
        base: the singular, where it is known.
    """
    if not word.isascii() or not word.isalpha() or len(word) < _SHORTEST:
        return (word,)
    singles: tuple[str, ...] = (word,) if base is None else (base,)
    if base is None and _looks_plural(word):
        # Of "beaches" both "beach" and "beache" may be the singular: what is no word is found nowhere.
        singles = singulars(word)
    elif base is None and word.endswith("men"):  # "women" is a plural, "omen" is none
        singles = (word, *singulars(word))
    return tuple(dict.fromkeys((word, *singles, *(many for one in singles for many in _plurals(one)))))


def _looks_plural(word: str) -> bool:
    regular = word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > _SHORTEST
    return regular or word in table().plurals


def _plurals(word: str) -> Sequence[str]:
    return _irregular().get(word) or (plural(word),)


@cache
def _irregular() -> Mapping[str, list[str]]:
    """The exceptions the other way round: singular to its plurals."""
    by_single: dict[str, list[str]] = defaultdict(list)
    for many, singles in table().plurals.items():
        for one in singles:
            by_single[one].append(many)
    return dict(by_single)
