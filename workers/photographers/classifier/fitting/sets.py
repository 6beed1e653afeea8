"""Fitting of the verdict on several photos, to sets drawn from validation photos with photographers left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.sets import SIZES, SetJudge, SetKind, mean_scores, measures
from workers.photographers.classifier.fitting.pooling import likeliest_weights
from workers.photographers.classifier.fitting.splits import Index, Labels

DRAWN = 300
"""Sets of each kind and size."""

_LEAST_PHOTOS = 2
"""Photos of a photographer that sets can be drawn from."""

_RIDGE = 10.0
"""The sets are drawn from few photographers, over and over: what tells them apart is believed only in part."""

_LEAST_DEVIATION = 1e-9


@dataclass(frozen=True, eq=False)
class HeldOutAnswers:
    """What models say of photos that they were not fitted to.

    Attributes:
        rows: positions of the photos, intp ``(n,)``.  folds: number of the model, intp ``(n,)``.
        labels: photographers, intp ``(n,)``.
        strange: whether the model was not fitted to this photographer either, bool ``(n,)``.
        probabilities: float64 ``(n, photographers)``.
        nearness: to each photographer's training photos, float64 ``(n, photographers)``, see ``familiarity``.
    """

    rows: Index
    folds: NDArray[np.intp]
    labels: Labels
    strange: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    nearness: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[HeldOutAnswers]) -> HeldOutAnswers:
        """Of all photos of several; at least one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def people(self, fold: int, *, strange: bool) -> list[Index]:
        """Positions in this evidence of each known, or of each strange, photographer's photos that a model was asked
        about; of those with at least two."""
        chosen = np.flatnonzero((self.folds == fold) & (self.strange == strange))
        each = [chosen[self.labels[chosen] == label] for label in np.unique(self.labels[chosen])]
        return [rows for rows in each if len(rows) >= _LEAST_PHOTOS]


def fit_sets(evidence: HeldOutAnswers, seed: int) -> SetJudge | None:
    """The judge; None where no model was asked about two known photographers and a strange one, or there are no styles.

    The three kinds are drawn equally often, each set from what one model was asked about.
    """
    from sklearn.linear_model import LogisticRegression

    folds = [SetSource.of(evidence, int(fold)) for fold in np.unique(evidence.folds)]
    sources = [source for source in folds if len(source.known) > 1 and source.strangers]
    if not sources or not np.isfinite(evidence.nearness).any():
        return None
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(SetKind)), DRAWN)
    fitted: dict[str, list[NDArray[np.float64]]] = {name: [] for name in SetJudge.__dataclass_fields__}
    for size in SIZES:
        drawn = [sources[at % len(sources)].drawn(kind, size, rng) for kind in SetKind for at in range(DRAWN)]
        rows = np.array([measures(evidence.nearness[one]) for one in drawn])
        means = _means(rows)
        deviations = _means((rows - means) ** 2) ** 0.5
        centre, scale = np.nan_to_num(means), np.where(deviations > _LEAST_DEVIATION, deviations, 1.0)
        model = LogisticRegression(C=1 / _RIDGE, max_iter=1000).fit(np.nan_to_num((rows - centre) / scale), kinds)
        scores = np.array([mean_scores(evidence.probabilities[one]) for one in drawn[:DRAWN]])
        owners = np.array([evidence.labels[one[0]] for one in drawn[:DRAWN]], np.intp)
        values = centre, scale, model.coef_.T, model.intercept_, likeliest_weights([scores], owners)[0]
        for name, value in zip(fitted, values, strict=True):
            fitted[name].append(np.asarray(value, np.float64))
    return SetJudge(**{name: np.stack(values) for name, values in fitted.items()})


@dataclass(frozen=True, eq=False)
class SetSource:
    """Photos that one model was asked about, to draw sets from.

    Attributes:
        labels: photographer of each position in the evidence, intp ``(n,)``.
        known, strangers: positions of each one's photos, see :meth:`HeldOutAnswers.people`.
    """

    labels: Labels
    known: Sequence[Index]
    strangers: Sequence[Index]

    @classmethod
    def of(cls, evidence: HeldOutAnswers, fold: int) -> SetSource:
        """What the model of this number was asked about."""
        return cls(evidence.labels, evidence.people(fold, strange=False), evidence.people(fold, strange=True))

    def drawn(self, kind: SetKind, size: int, rng: np.random.Generator) -> Index:
        """Positions of a set's photos, no photo twice; fewer than ``size`` where a photographer has fewer.

        A mixed set is by one known photographer and, in shares between a fifth and a half, by another, known or not.
        """
        if kind is not SetKind.MIXED:
            people = self.known if kind is SetKind.OURS else self.strangers
            return _some(people[int(rng.integers(len(people)))], size, rng)
        first, second = (int(at) for at in rng.permutation(len(self.known))[:2])
        other = self.known[second] if rng.integers(2) else self.strangers[int(rng.integers(len(self.strangers)))]
        minor = max(1, int(rng.integers(max(1, size // 5), size // 2 + 1)))
        return np.concatenate([_some(self.known[first], size - minor, rng), _some(other, minor, rng)])


def _some(rows: Index, count: int, rng: np.random.Generator) -> Index:
    found: Index = rng.choice(rows, min(count, len(rows)), replace=False)
    return found


def _means(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each column without NaN, float64 ``(d,)``; NaN for a column of nothing else."""
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = np.nansum(rows, axis=0) / np.isfinite(rows).sum(axis=0)
    return means
