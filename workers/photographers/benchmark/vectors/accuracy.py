"""Accuracy of photographers' vectors where the truth is known: invented photographers, each a preset."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from search.errors import UsageError
from search.photographers.develop.settings import Preset
from search.photographers.space import PseudoPhotographers, VectorErrors
from workers.photographers.benchmark.presets import JITTER, distance, draw_presets, jitter
from workers.photographers.benchmark.vectors.colour_distance import colour_distances
from workers.photographers.develop.render import apply
from workers.photographers.joint.autoencoder import codes_of, train_autoencoder
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.experiments import (
    JointData,
    LearntVectors,
    clusters_of,
    fit_published,
    learn,
    pseudo_photographers,
)
from workers.photographers.joint.fit import procrustes
from workers.photographers.joint.fold_in import vector_of
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.targets.mds_targets import mds, pairwise_distances
from workers.photographers.joint.targets.style import extract, open_reader

DIMENSIONS = (3, 6)
"""Sizes of vectors that are measured: the published one, and one that has room for more of twelve parameters.

Three hardly hold the information of twelve parameters: over 30 draws the parameters projected to three components
have a Spearman of .70 to .81 with their own distances, into six .89 to .95. Three stay the default because they are
what was published and can be drawn; six are measured beside them."""

LEAST_RATIO, LEAST_SPEARMAN, LEAST_AGREEMENT = 3.0, 0.6, 0.8
"""Targets of this project: the error with a wrong vector is three times that with the right one, distances of vectors
rank like those of presets, and vectors of several seeds agree."""

FOLDED, FOLD_PHOTOS = 10, 10
"""Photographers left out of the training, and photos that each of them is folded in from."""

COLOURED = 10
"""Photos whose colours are compared under every pair of presets."""

EPOCHS = 60
"""Enough for the thousands of photos of a benchmark to converge; a library's few need the 200 of ``JointOptions``."""


@dataclass(frozen=True, slots=True)
class VectorMeasure:
    """Vectors of one size; means over seeds.

    Attributes:
        errors: held-out photos, first seed, with intervals by base photo.
        ratio: error with a wrong photographer's vector over that with the right one's.
        spearman: between distances of presets and of vectors, over all pairs.
        colour_spearman: between mean colour differences of the same photos, developed with either preset, and distances
            of vectors; no target is set for it.
        best_spearman: as ``spearman``, for the true parameters projected to as many components.
        agreement: mean Procrustes R² over all pairs of seeds, which begin anew on the same photos.
        folded_ratio: as ``ratio``, of photographers folded in from ten photos and asked about others.
        folded_error: their error with the vector found for them.
    """

    dimensions: int
    errors: VectorErrors
    ratio: float
    spearman: float
    colour_spearman: float
    best_spearman: float
    agreement: float
    folded_error: float
    folded_ratio: float


@dataclass(frozen=True, slots=True)
class JointMeasure:
    """All figures of one measurement; ``published_*`` as in ``VectorMeasure``, of the published set-up."""

    presets: int
    photos: int
    held_out: int
    seeds: int
    vectors: tuple[VectorMeasure, ...]
    published: VectorErrors
    published_spearman: float
    published_agreement: float
    pseudo: PseudoPhotographers


def measure_presets(
    pictures: NDArray[np.uint8],
    classes: Sequence[str],
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    *,
    draw: int = 0,
    presets: int = 30,
    level: float = JITTER["medium"],
    most: tuple[int, int] = (120, 50),
    options: JointOptions | None = None,
    say: Callable[[str], None] = lambda line: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> JointMeasure:
    """Develop base pictures by invented photographers, learn their vectors, and hold them against the truth.

    Photographers, photos and their codes come from ``draw`` and are the same for all seeds, which vary what is drawn
    in training: so the vectors of two seeds are of the same people and can be compared. What another choice of photos
    and presets would give, another ``draw`` tells.

    Args:
        pictures: uint8 (n, 224, 224, 3), whole base pictures before any development.
        classes: what each shows; no class is both learnt from and asked about.
        presets: photographers to learn; ten more are folded in.
        most: base photos to learn from and to ask about at most.

    Raises:
        UsageError: there are too few classes or pictures to split.
        StoppedError: ``goes_on`` returned False.
    """
    options, budget = options or JointOptions(epochs=EPOCHS, autoencoder_epochs=6), TrainingBudget(goes_on)
    read = open_reader()
    rng = np.random.default_rng(draw)
    learnt, held = _bases(classes, most, rng)
    drawn = draw_presets(presets, rng)
    strangers = draw_presets(FOLDED, rng)
    say(f"Developing {len(learnt) + len(held)} photos by {presets + FOLDED} photographers")
    bases = pictures[np.concatenate([learnt, held])]
    made = np.concatenate([_develop(bases, preset, level, rng, budget) for preset in (*drawn, *strangers)])
    base = np.tile(np.arange(len(bases)), presets + FOLDED)
    owner = np.repeat(np.arange(presets + FOLDED), len(bases))
    known = owner < presets
    rows = np.flatnonzero(known & (base < len(learnt)))
    autoencoder = train_autoencoder(made, rows, options.autoencoder_epochs, seeds[0], budget.share(0.5), say)
    codes = codes_of(autoencoder, made, budget)
    features, extracted = extract(made, budget, say)
    everyone = JointData(codes, features, extracted, read(extracted), owner, base, base >= len(learnt))
    data = _take(everyone, known)
    truth = np.array([distance(a, b) for i, a in enumerate(drawn) for b in drawn[i + 1 :]])
    colours = colour_distances(drawn, pictures[held[:COLOURED], ::2, ::2])
    say("Learning the published set-up")
    baselines = [fit_published(data, replace(options, seed=seed), budget) for seed in seeds]
    measures = []
    for dimensions in DIMENSIONS:
        say(f"Learning vectors of {dimensions} components, {len(seeds)} times")
        sized = replace(options, dimensions=dimensions)
        measures.append(_vectors(everyone, data, known, drawn, truth, colours, sized, seeds, budget))
    say("Learning the published set-up with clusters for photographers")
    clusters = clusters_of(data.features, options.clusters, seeds[0])
    return JointMeasure(
        presets,
        int((~data.held).sum()),
        int(data.held.sum()),
        len(seeds),
        tuple(measures),
        baselines[0][0],
        statistics.fmean(spearman(truth, pairwise_distances(fitted.vectors)) for _, fitted in baselines),
        _agreement([fitted.vectors for _, fitted in baselines]),
        pseudo_photographers(data, clusters, options, budget),
    )


def _vectors(
    everyone: JointData,
    data: JointData,
    known: NDArray[np.bool_],
    drawn: Sequence[Preset],
    truth: NDArray[np.float64],
    colours: NDArray[np.float64],
    options: JointOptions,
    seeds: Sequence[int],
    budget: TrainingBudget,
) -> VectorMeasure:
    made = [learn(data, replace(options, seed=seed), budget) for seed in seeds]
    folded = _folded(everyone, known, made[0], np.random.default_rng(seeds[0]))
    parameters = np.stack([preset.vector for preset in drawn])
    return VectorMeasure(
        options.dimensions,
        made[0].errors,
        statistics.fmean(one.errors.ratio for one in made),
        statistics.fmean(spearman(truth, pairwise_distances(one.fitted.vectors)) for one in made),
        statistics.fmean(spearman(colours, pairwise_distances(one.fitted.vectors)) for one in made),
        spearman(truth, pairwise_distances(mds(parameters, options.dimensions))),
        _agreement([one.fitted.vectors for one in made]),
        *folded,
    )


def _folded(
    everyone: JointData, known: NDArray[np.bool_], learnt: LearntVectors, rng: np.random.Generator
) -> tuple[float, float]:
    """Error of strangers' photos with the vector found from ten others, and how many times as much others' give."""
    codes, targets = learnt.codes(everyone.codes), learnt.coordinates(everyone.statistics)
    network = learnt.fitted.network
    strangers = np.unique(everyone.owners[~known])
    right, wrong = [], []
    for stranger in strangers:
        mine = everyone.owners == stranger
        placing = rng.permutation(np.flatnonzero(mine & ~everyone.held))[:FOLD_PHOTOS]
        asked = np.flatnonzero(mine & everyone.held)
        vector = vector_of(network, codes[placing], targets[placing])
        inputs = torch.from_numpy(codes[asked])
        with torch.inference_mode():
            candidates = torch.cat([torch.from_numpy(vector)[None], network.vectors])
            errors = [
                float((network(inputs, who.expand(len(inputs), -1)) - torch.from_numpy(targets[asked])).square().mean())
                for who in candidates
            ]
        right.append(errors[0])
        wrong.append(float(np.mean(errors[1:])))
    return float(np.mean(right)), float(np.mean(wrong) / np.mean(right))


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's rank correlation of values float64 (n,) each, -1 to 1; 0 where one of them is constant."""
    from scipy.stats import spearmanr  # takes a second to import

    constant = np.ptp(one) == 0 or np.ptp(other) == 0
    return 0.0 if constant else float(spearmanr(one, other).statistic)


def _agreement(vectors: Sequence[NDArray[np.float32]]) -> float:
    pairs = [procrustes(one, other) for one, other in combinations(vectors, 2)]
    return statistics.fmean(pairs) if pairs else 1.0


def _bases(
    classes: Sequence[str], most: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Base pictures to learn from and to ask about: seven of ten classes, and the others."""
    kinds = sorted(set(classes))
    if len(kinds) < 2:
        raise UsageError("Photos of two classes or more are needed: one side learns, the other is asked about.")
    shuffled = [kinds[place] for place in rng.permutation(len(kinds))]
    cut = min(max(1, round(0.7 * len(kinds))), len(kinds) - 1)
    sides = []
    for side, size in zip((shuffled[:cut], shuffled[cut:]), most, strict=True):
        rows = np.flatnonzero(np.isin(classes, side))
        sides.append(np.sort(rng.permutation(rows)[:size]))
    if min(map(len, sides)) < FOLD_PHOTOS:
        raise UsageError(f"Too few photos: {FOLD_PHOTOS} of classes to learn from, and as many of others, are needed.")
    return sides[0], sides[1]


def _develop(
    bases: NDArray[np.uint8], preset: Preset, level: float, rng: np.random.Generator, budget: TrainingBudget
) -> NDArray[np.uint8]:
    budget.is_spent()
    return np.stack([apply(picture, jitter(preset, level, rng), rng) for picture in bases])


def _take(data: JointData, rows: NDArray[np.bool_]) -> JointData:
    return JointData(
        data.codes[rows],
        data.features[rows],
        data.statistics[rows],
        data.developments[rows],
        data.owners[rows],
        data.groups[rows],
        data.held[rows],
    )
