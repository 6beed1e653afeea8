"""The table of concepts: what pictures are said to show, in which words, and what lies above what.

Components of the space ``concepts`` are, in this order, the concepts of ``concepts.tsv`` and the eleven ``COLOURS``.
The tables are made by ``search.words.build_concepts`` and read once.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from search.media import tokens
from search.store.base import Array

CONCEPTS, COMPOUNDS, PLURALS, ENGLISH = "concepts.tsv", "compounds.tsv", "plurals.tsv", "english.tsv"
RARE_SENSE = "~"
"""Marks a word of a concept that rarely means it."""

COLOURS = ("black", "white", "red", "green", "yellow", "blue", "brown", "orange", "pink", "purple", "gray")
"""The basic colour terms, in the order in which languages come to have them.

Source: Berlin and Kay, Basic Color Terms, University of California Press 1969.
"""

SPACE = "concepts"
"""Name of the vector space."""

Sense = tuple[int, bool]
"""Number of a concept, and whether this is a rare sense of the word."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Concepts by number, in order of WordNet id.

    Attributes:
        ids: WordNet 3.0 offset of each concept, as eight digits.
        names: first word of each.
        classes: numbers of the ImageNet classes at or below each, rising.
        below: bool ``(concepts, concepts)``; ``below[a, b]``: b is a, or lies below it.
        order: numbers of all concepts, each after everything below it.
        words: words to the concepts that have them.
        compounds: words of what lies below a concept and is none itself.
        plurals: irregular plurals to their singulars.
        english: words of neither that look like a typing error in one of them.
        version: eight hex digits over what the components mean; the words have no part in it.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]
    below: NDArray[np.bool_]
    order: NDArray[np.intp]
    words: Mapping[tuple[str, ...], tuple[Sense, ...]]
    compounds: Mapping[tuple[str, ...], tuple[Sense, ...]]
    plurals: Mapping[str, tuple[str, ...]]
    english: frozenset[str]
    version: str

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        """Components of a vector: concepts, then colours."""
        return len(self.ids) + len(COLOURS)

    def colour(self, name: str) -> int:
        """Component of one of ``COLOURS``."""
        return len(self.ids) + COLOURS.index(name)

    def at_or_below(self, concepts: Mapping[int, float]) -> Array:
        """float32 ``(dim,)``: the weight of each concept for everything at or below it, where several fit the
        greatest."""
        weights = np.zeros(self.dim, np.float32)
        for concept, weight in concepts.items():
            np.maximum(weights[: len(self)], self.below[concept] * np.float32(weight), out=weights[: len(self)])
        return weights


@cache
def table() -> Table:
    """The table that ships, read when first asked for; 3.5 MB in memory."""
    rows = list(_rows(CONCEPTS))
    ids = tuple(row[0] for row in rows)
    number = {id_: n for n, id_ in enumerate(ids)}
    parents = [tuple(number[id_] for id_ in row[2].split(",") if id_ != "-") for row in rows]
    below, order = _closure(parents)
    of_class = {n: int(row[1]) for n, row in enumerate(rows) if row[1] != "-"}
    words: dict[tuple[str, ...], list[Sense]] = defaultdict(list)
    for n, row in enumerate(rows):
        for word in row[3].split(","):
            words[tokens(word)].append((n, word.startswith(RARE_SENSE)))
    return Table(
        ids=ids,
        names=tuple(row[3].split(",")[0].removeprefix(RARE_SENSE) for row in rows),
        classes=tuple(
            tuple(sorted(of_class[int(d)] for d in np.flatnonzero(row) if int(d) in of_class)) for row in below
        ),
        below=below,
        order=order,
        words={word: tuple(senses) for word, senses in words.items()},
        compounds={
            tokens(word): tuple((number[id_], False) for id_ in row.split(",")) for word, row in _rows(COMPOUNDS)
        },
        plurals={plural: tuple(singulars.split(",")) for plural, singulars in _rows(PLURALS)},
        english=frozenset(row[0] for row in _rows(ENGLISH)),
        version=hashlib.sha256(repr([row[:3] for row in rows] + [COLOURS]).encode()).hexdigest()[:8],
    )


def _closure(parents: list[tuple[int, ...]]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Who is at or below whom, and an order with everything below first."""
    above: list[frozenset[int] | None] = [None] * len(parents)

    def everything_above(n: int) -> frozenset[int]:
        known = above[n]
        if known is None:
            known = frozenset({n}).union(*(everything_above(parent) for parent in parents[n]))
            above[n] = known
        return known

    below = np.zeros((len(parents), len(parents)), bool)
    for n in range(len(parents)):
        below[list(everything_above(n)), n] = True
    return below, np.argsort(below.sum(axis=1), kind="stable")


def _rows(name: str) -> Iterator[list[str]]:
    text = files("search.words").joinpath(name).read_text("utf-8")
    return (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
