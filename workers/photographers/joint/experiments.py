"""Trainings on extracted features: the photographers' vectors, and the baselines beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import grouped_mean
from search.photographers.space import PseudoPhotographers, VectorErrors
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.fit import (
    FittedNetwork,
    TrainingExamples,
    error_rows,
    errors_of,
    fit,
    procrustes,
    turned_onto,
)
from workers.photographers.joint.network import JointNetwork, PublishedNetwork, ShiftNetwork
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.targets.coordinates import Standardisation, StyleCoordinates
from workers.photographers.joint.targets.mds_targets import MdsTargets

PUBLISHED_DIMENSIONS = 3

_LEAST_CLUSTER = 10
"""Photos a cluster has on average at least."""

CIRCULAR = (
    "The task is circular: these clusters were made from the very features that are foretold, so the nearest centroid "
    "names them without any model."
)

MetricCallback = Callable[[str, float, int], None]


@dataclass(frozen=True, slots=True)
class JointData:
    """Features of all photos in one order, not yet standardised.

    Attributes:
        codes: float32 (n, 16).
        features: float32 (n, 4), the published global features.
        statistics: float32 (n, t), what style coordinates are made from.
        developments: float32 (n, 12), settings of development, from which distances of photographers come.
        owners: int64 (n,), photographers counted from 0.
        groups: int64 (n,), photos that belong together.
        held: bool (n,), held-out photos.
    """

    codes: NDArray[np.float32]
    features: NDArray[np.float32]
    statistics: NDArray[np.float32]
    developments: NDArray[np.float32]
    owners: NDArray[np.int64]
    groups: NDArray[np.int64]
    held: NDArray[np.bool_]

    @property
    def learnt(self) -> NDArray[np.intp]:
        return np.flatnonzero(~self.held)

    @property
    def people(self) -> int:
        return int(self.owners.max()) + 1

    def examples(self, scale: Standardisation, targets: NDArray[np.float32]) -> TrainingExamples:
        return TrainingExamples(scale(self.codes), np.ascontiguousarray(targets, np.float32), self.owners, self.groups)


@dataclass(frozen=True, slots=True)
class LearntVectors:
    """The trained model, and the standardisation of its inputs and targets."""

    fitted: FittedNetwork
    codes: Standardisation
    coordinates: StyleCoordinates
    errors: VectorErrors
    examples: TrainingExamples


def learn(
    data: JointData,
    options: JointOptions,
    budget: TrainingBudget,
    watch: MetricCallback = lambda name, value, step: None,
    *,
    random_start: bool = False,
) -> LearntVectors:
    """Train the model whose vectors are kept, or with ``random_start`` one like it that starts from random vectors.

    Raises:
        StoppedError: the budget stops the training.
    """
    rows = data.learnt
    codes = Standardisation.of(data.codes[rows])
    coordinates = StyleCoordinates.of(data.statistics[rows], data.owners[rows], options.dimensions)
    examples = data.examples(codes, coordinates(data.statistics))
    held = examples.take(np.flatnonzero(data.held))

    found = MdsTargets.of(data.developments[rows], data.owners[rows], options.dimensions)
    mds_targets = found if found.distances.any() else None

    def make() -> ShiftNetwork:
        outputs = coordinates.axes.shape[1]
        return ShiftNetwork(data.people, options.dimensions, outputs, mds_targets, random_start=random_start)

    def observe(network: JointNetwork, step: int, loss: float) -> None:
        right, wrong = error_rows(network, held)
        watch("vectors/loss", loss, step)
        watch("vectors/error_right", float(right.mean()), step)
        watch("vectors/error_wrong", float(wrong.mean()), step)

    fitted = fit(make, examples.take(rows), options.epochs, options.seed, budget, observe)
    return LearntVectors(fitted, codes, coordinates, errors_of(fitted.network, held), examples)


def fit_published(data: JointData, options: JointOptions, budget: TrainingBudget) -> tuple[VectorErrors, FittedNetwork]:
    """Train the published set-up on the same photos: its network predicts the four global features.

    Raises:
        StoppedError: the budget stops the training.
    """
    rows = data.learnt
    targets = Standardisation.of(data.features[rows])(data.features)
    examples = data.examples(Standardisation.of(data.codes[rows]), targets)

    def make() -> PublishedNetwork:
        return PublishedNetwork(data.people, PUBLISHED_DIMENSIONS, targets.shape[1])

    fitted = fit(make, examples.take(rows), options.epochs, options.seed, budget)
    return errors_of(fitted.network, examples.take(np.flatnonzero(data.held))), fitted


def pseudo_photographers(
    data: JointData, clusters: NDArray[np.int64], options: JointOptions, budget: TrainingBudget
) -> PseudoPhotographers:
    """The published set-up with clusters (n,) of its own targets for photographers, and what shows their circularity.

    Raises:
        StoppedError: the budget stops the training.
    """
    rows, held = data.learnt, np.flatnonzero(data.held)
    errors, _ = fit_published(replace(data, owners=clusters), options, budget)
    scaled = Standardisation.of(data.features[rows])(data.features)
    count = int(clusters.max()) + 1
    centroids = np.full((count, scaled.shape[1]), np.inf, np.float32)
    for cluster in np.unique(clusters[rows]):
        centroids[cluster] = scaled[rows][clusters[rows] == cluster].mean(axis=0)
    nearest = np.square(scaled[held][:, None] - centroids[None]).sum(axis=2).argmin(axis=1)
    right = (nearest == clusters[held]).astype(np.float64)
    return PseudoPhotographers(count, errors, grouped_mean(right, data.groups[held]), CIRCULAR)


def clusters_of(features: NDArray[np.float32], wanted: int, seed: int) -> NDArray[np.int64]:
    """KMeans clusters int64 (n,) of the four global features, each of which counts alike; fewer where photos are few
    or the same."""
    from sklearn.cluster import KMeans

    scaled = Standardisation.of(features)(features)
    count = max(1, min(wanted, len(features) // _LEAST_CLUSTER, len(np.unique(scaled, axis=0))))
    found = KMeans(count, n_init=4, random_state=seed).fit_predict(scaled)
    _, numbers = np.unique(found, return_inverse=True)
    return numbers.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of the vectors with trainings that start from random vectors, under other seeds.

    Attributes:
        kept: mean Procrustes R² with the kept vectors; None if no training ended in time.
        random: mean Procrustes R² among those trainings; None with fewer than two.
        frames: float32 (g, p, d), vectors of the first of them while they converged, all turned and scaled alike so
            that the last frame lies as close as possible to the kept vectors; empty without one.
        steps: int64 (g,).
    """

    kept: float | None
    random: float | None
    frames: NDArray[np.float32]
    steps: NDArray[np.int64]


def agreement(data: JointData, first: LearntVectors, options: JointOptions, budget: TrainingBudget) -> Agreement:
    """Train ``options.repeats`` times from random vectors, and compare; trainings cut short are not compared.

    Raises:
        StoppedError: the budget stops the training.
    """
    vectors, others = first.fitted.vectors, []
    for repeat in range(options.repeats):
        share = budget.share(1 / (options.repeats - repeat))
        learnt = learn(data, replace(options, seed=options.seed + 1 + repeat), share, random_start=True)
        budget.cut_short |= share.cut_short
        if not share.cut_short:
            others.append(learnt.fitted)
    if not others:
        return Agreement(None, None, np.empty((0, *vectors.shape), np.float32), np.empty(0, np.int64))
    kept = [procrustes(vectors, other.vectors) for other in others]
    among = [procrustes(one.vectors, other.vectors) for one, other in combinations(others, 2)]
    return Agreement(
        float(np.mean(kept)),
        float(np.mean(among)) if among else None,
        turned_onto(vectors, others[0].frames),
        others[0].steps,
    )
