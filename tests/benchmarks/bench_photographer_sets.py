"""How well sets of photos by strangers are told, and whether sets of names hold the right one as often as they say.

    .venv/bin/python tests/benchmarks/bench_photographer_sets.py [FOLDER] [--seed N]

By default photographers_fsa_color of ../shared/data. Shoots are dealt to two halves. **Strangers**: each photographer
in turn is left out; the model learns from the others' first half and judges sets from the other half: ten photos by one
photographer whom it knows, or ten by the one left out. **Sets of names**: learnt from and asked about in five folds
that keep shoots together, over all photos, for each of three coverages.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_photographers import DATA, photos_of, told, vars_of

from search.evaluation.statistics import Estimate, GroupBootstrap, auroc
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.sets import SetJudge, SetKind, measures
from search.store.base import Array
from workers.photographers.classifier.fitting.conformal import fit_conformal
from workers.photographers.classifier.fitting.ensemble import fit_ensemble
from workers.photographers.classifier.fitting.sets import HeldOutAnswers, SetSource
from workers.photographers.classifier.fitting.splits import Index, grouped_folds
from workers.photographers.classifier.measure import FOLDS
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.scores import share
from workers.photographers.classifier.training_set import TrainingSet, training_set

COVERAGES = (0.8, 0.9, 0.95)
PHOTOS = 10
DRAWN, RESAMPLED = 60, 200
SCORES = ("verdict's odds", "mean nearness to the one photographer", "mean nearness to anybody")


class Unheld:
    """What one model, which was left without one photographer, says of the other half."""

    def __init__(self, evidence: HeldOutAnswers, judge: SetJudge, groups: Array) -> None:
        self._evidence, self._judge, self._groups = evidence, judge, groups

    def figures(self, rng: np.random.Generator, *, resampled: bool) -> tuple[Array, float]:
        """AUROC by each of :data:`SCORES` of sets by the known against sets by the stranger, and the share of sets of
        all three kinds with the right verdict; of the photos as they are, or of shoots drawn with replacement."""
        evidence, judge = self._evidence, self._judge
        shoots = np.unique(self._groups)
        drawn = rng.choice(shoots, len(shoots)) if resampled else shoots
        kept = np.flatnonzero(np.isin(self._groups, drawn))
        known, strangers = (
            [np.intersect1d(rows, kept) for rows in evidence.people(0, strange=s)] for s in (False, True)
        )
        source = SetSource(evidence.labels, [r for r in known if len(r) > 2], [r for r in strangers if len(r) > 2])
        if len(source.known) < 2 or not source.strangers:
            return np.full(len(SCORES), np.nan), np.nan
        rows, right, positive = [], [], []
        for kind in SetKind:
            for _ in range(DRAWN):
                one = source.drawn(kind, PHOTOS, rng)
                kinds = judge.kinds(evidence.nearness[one])
                right.append(int(kinds.argmax()) == list(SetKind).index(kind))
                if kind is not SetKind.MIXED:
                    near, scatter = measures(evidence.nearness[one])
                    rows.append([float(np.log(kinds[0] / kinds[1])), near - scatter, near])
                    positive.append(kind is SetKind.OURS)
        scores = np.array(rows).T
        return np.array([auroc(np.array(positive), one) for one in scores]), float(np.mean(right))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA / "photographers_fsa_color")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        print(f"Not measured: {chosen.folder} is absent.")
        return
    training = training_set(photos_of(chosen.folder), chosen.seed)
    shoots = len(np.unique(training.shoots.shoots))
    print(f"{len(training.labels)} photos, {len(training.names)} photographers, {shoots} shoots")
    strangers(training, chosen.seed)
    names(training, chosen.seed)


def strangers(training: TrainingSet, seed: int) -> None:
    labels, inputs = training.labels, Inputs.of(training.photos)
    first, other = (fold.test for fold in grouped_folds(labels, training.shoots.shoots, 2, seed))
    models = [_left_out(training, inputs, at, first, other, seed) for at in range(len(training.names))]
    found = [model for model in models if model is not None]
    rng = np.random.default_rng(seed)
    whole = [model.figures(rng, resampled=False) for model in found]
    draws: list[Array] = []
    rights: list[float] = []
    for _ in range(RESAMPLED):
        some = [found[at].figures(rng, resampled=True) for at in rng.integers(len(found), size=len(found))]
        draws.append(np.nanmean([one[0] for one in some], axis=0))
        rights.append(float(np.nanmean([one[1] for one in some])))
    for at, score in enumerate(SCORES):
        _print(f"AUROC, {PHOTOS} photos: {score}", [float(one[0][at]) for one in whole], [float(d[at]) for d in draws])
    _print("right verdict of three, sets equally frequent", [one[1] for one in whole], rights)


def _print(words: str, each: Sequence[float], draws: Sequence[float]) -> None:
    low, high = np.nanquantile(draws, (0.025, 0.975))
    figure = Estimate(float(np.mean(each)), float(low), float(high), len(each))
    print(f"{words:60} {told(vars_of(figure))} left out, each: {' '.join(f'{one:.2f}' for one in each)}", flush=True)


def _left_out(
    training: TrainingSet, inputs: Inputs, stranger: int, first: Index, other: Index, seed: int
) -> Unheld | None:
    labels, shoots = training.labels, training.shoots
    rows = first[labels[first] != stranger]
    progress = TrainingProgress(lambda text: None, lambda: True)
    known = np.delete(np.arange(len(training.names)), stranger)
    given = np.searchsorted(known, labels[rows])
    model = fit_ensemble(inputs.take(rows), given, len(known), shoots.take(rows), seed, progress)
    if model.sets is None:
        return None
    asked = inputs.take(other)
    evidence = HeldOutAnswers(
        other,
        np.zeros(len(other), np.intp),
        labels[other],
        labels[other] == stranger,
        model.probabilities(asked),
        model.nearness(asked),
    )
    return Unheld(evidence, model.sets, shoots.shoots[other])


def names(training: TrainingSet, seed: int) -> None:
    labels, inputs = training.labels, Inputs.of(training.photos)
    shoots, groups = training.shoots, training.shoots.shoots
    held = np.zeros((len(COVERAGES), len(labels), len(training.names)), bool)
    progress = TrainingProgress(lambda text: None, lambda: True)
    for fold in grouped_folds(labels, groups, FOLDS, seed):
        rows = fold.train
        model = fit_ensemble(
            inputs.take(rows),
            labels[rows],
            len(training.names),
            shoots.take(rows),
            seed,
            progress,
        )
        probabilities = model.probabilities(inputs.take(fold.test))
        for at, coverage in enumerate(COVERAGES):
            rule = fit_conformal(model.out_of_fold, labels[rows], groups[rows], coverage)
            held[at, fold.test] = rule.holds(probabilities)
    bootstrap = GroupBootstrap(groups, seed)
    for coverage, one in zip(COVERAGES, held, strict=True):
        covered = bootstrap.estimate(share(one[np.arange(len(labels)), labels]))
        size = one.sum(axis=1).mean()
        print(f"{f'sets of names, {coverage:.0%} stated, {size:.1f} names: covered':60} {told(vars_of(covered))}")


if __name__ == "__main__":
    main()
