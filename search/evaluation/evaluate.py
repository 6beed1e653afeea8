"""Measure all figures of a library on labelled media."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search.evaluation.fused import FusedEvaluation, evaluate_fused
from search.evaluation.reliability import Reliability, evaluate_likeness
from search.evaluation.spaces import SpaceEvaluation, evaluate_spaces
from search.evaluation.words import WordEvaluation, evaluate_words
from search.media import COLLECTIONS
from search.store.base import Store


@dataclass(frozen=True, slots=True)
class Evaluation:
    """
    Attributes:
        spaces: by space; ``space:collection`` where labelled items of several collections share a space.
        fused: the one list of all kinds, by set of labels.
        likeness: predicted against true shares, by space.
        words: labels as queries in words; None where no label is a visual concept, or nothing has concepts.
    """

    spaces: Mapping[str, SpaceEvaluation]
    fused: Mapping[str, FusedEvaluation] = field(default_factory=dict)
    likeness: Mapping[str, Reliability] = field(default_factory=dict)
    words: WordEvaluation | None = None


def evaluate(
    store: Store,
    labels: Mapping[str, str],
    *,
    sets: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    k: int | None = None,
    collections: Sequence[str] = COLLECTIONS,
) -> Evaluation:
    """Everything that can be measured on these labels.

    Args:
        labels: media id to label; ids that are not stored are passed over.
        sets: media id to the set that its label is of; one set, ``all``, when left out.
        groups: media id to what it is right or wrong together with, as the speaker of a recording: intervals draw such
            groups, and labels where there are none.
        k: of precision at k; by default 10 where the median class has more than 10 items, else 5.

    Raises:
        UsageError: k is not positive, or no label has two stored items, so there is nothing to measure.
    """
    spaces = evaluate_spaces(store, labels, groups=groups, k=k, collections=collections)
    of_set = dict.fromkeys(labels, "all") if sets is None else sets
    return Evaluation(
        spaces,
        evaluate_fused(store, labels, of_set, k, groups),
        evaluate_likeness(store, labels, of_set),
        evaluate_words(store, labels),
    )
