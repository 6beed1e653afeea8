"""Ranking quality of words: each label that is a visual concept is a query, by concepts alone.

Names, folders and tags are not searched, for they often contain the label. ``p_at_10`` is the share of the first ten
answers with the label (of as many as there are, where a label has fewer than ten), ``ap`` the average precision over
all pictures and videos, those that do not answer ranked last and counted as not found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from search.evaluation.statistics import average_precision
from search.media import Kind, tokens
from search.store.base import Store
from search.store.filters import Filter
from search.words import search_words
from search.words.meaning import meaning

FIRST = 10
LEAST = 2
"""Fewest items of a label that is a query."""

_SEEN = (Kind.IMAGE.collection, Kind.VIDEO.collection)
_MOST = 1000


@dataclass(frozen=True, slots=True)
class WordFigures:
    """One label; ``relevant`` counts the items that have it."""

    word: str
    relevant: int
    p_at_10: float
    ap: float


@dataclass(frozen=True, slots=True)
class WordEvaluation:
    """Means over the labels in ``labels``, which are words; ``passed_over`` counts the labels that are none."""

    p_at_10: float
    map: float
    labels: Mapping[str, WordFigures]
    passed_over: int


def word_of(label: str) -> str:
    """A label as people type it: the last part of a folder's name, underscores as spaces."""
    return " ".join(tokens(label.rsplit("/", 1)[-1].replace("_", " ")))


def evaluate_words(store: Store, labels: Mapping[str, str]) -> WordEvaluation | None:
    """Figures of every label that is a concept's word and that two pictures or videos have; None without any."""
    from search.words.table import SPACE

    held: dict[str, str] = {}
    for collection in _SEEN:
        info = store.collections().get(collection)
        if info is not None and info.schema.space(SPACE) is not None:
            where = Filter(has_space=SPACE)
            held |= {p.id: collection for p in store.scroll(collection, where=where, payload=False) if p.id in labels}
    of_label: dict[str, set[str]] = {}
    for id_ in held:
        of_label.setdefault(labels[id_], set()).add(id_)
    figures: dict[str, WordFigures] = {}
    passed_over = 0
    for label, relevant in sorted(of_label.items()):
        if len(relevant) < LEAST:
            continue
        word = word_of(label)
        if not word or meaning(word.split()) is None:
            passed_over += 1
            continue
        found = search_words(store, word, collections=_SEEN, limit=_MOST, by="shows")
        right = np.array([hit.id in relevant for hit in found.hits if hit.id in labels], bool)
        precision = average_precision(right) * right.sum() / len(relevant)
        at_10 = float(right[:FIRST].sum() / min(FIRST, len(relevant)))
        figures[label] = WordFigures(word, len(relevant), at_10, float(precision))
    if not figures:
        return None
    mean_at_10, mean_precision = np.mean([(one.p_at_10, one.ap) for one in figures.values()], axis=0)
    return WordEvaluation(float(mean_at_10), float(mean_precision), figures, passed_over)
