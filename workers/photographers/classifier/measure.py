"""Measuring what a classifier is worth: every way of answering, on the same folds that keep groups together.

Whatever is learnt or chosen (components, settings of the trees, weights, threshold) is learnt anew in every fold, from
the photos of that fold alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Estimate
from search.photographers.classifier.ensemble import ANSWERS, Ensemble, Inputs
from search.photographers.classifier.threshold import Confidence, Threshold, find_threshold
from search.photographers.classifier.trees import TreeSettings
from search.photographers.photos.features import FEATURES
from search.photographers.photos.names import photographer_id
from search.photographers.photos.splits import Fold, grouped_folds
from search.photographers.report import Bin, Check, Confusion, Mistake, OpenSet, Report, Row, Strength
from workers.photographers.classifier.baselines import (
    ABLATION,
    ALL_FEATURES,
    CAMERA_ALONE,
    SIMPLE,
    Recipe,
    Task,
    trees_on,
)
from workers.photographers.classifier.fit_ensemble import MOST_FOR_TREES, Learner, Plan, fit_ensemble
from workers.photographers.classifier.leakage_checks import checks_of
from workers.photographers.classifier.options import TrainOptions
from workers.photographers.classifier.progress import Progress
from workers.photographers.classifier.scores import (
    BINS,
    Bootstrap,
    auroc,
    bin_of,
    calibration_error,
    macro_f1,
    share,
    top,
)
from workers.photographers.classifier.training_set import Learnable
from workers.photographers.classifier.tuning import Search, search_settings

FOLDS = 5
MOST_MEASURED = 4_000
"""Photos that figures are measured on at most, whole groups of them; more would tell them no better than a few points
better, and take hours."""

MOST_IN_A_TABLE = 60
"""Photographers up to which the confusion is told in full."""

MISTAKES = 20
TRAITS = 3
_TYPICAL = ("value", "usual", "slope")
"""What is averaged over the thresholds of the folds."""

GUESSED = 0.5
"""AUROC of telling strangers by a coin."""

STRANGERS = (
    "It cannot be shown that this model tells photographers it does not know from those it does: a name it gives to a "
    "stranger's photo looks like any other."
)

_SHOWN = 40
"""Photos of a photographer that are asked what speaks for them."""


@dataclass(frozen=True, eq=False)
class _Said:
    """What one way of answering said of every photo, by a model that had not learnt from its group.

    Attributes:
        given: probabilities, float64 ``(n, photographers)``.
        answered: which were not called unknown; None without a threshold.
    """

    name: str
    words: str
    given: NDArray[np.float64]
    answered: NDArray[np.bool_] | None = None


def measure(learnt: Learnable, options: TrainOptions, plan: Plan, found: Search | None, progress: Progress) -> Report:
    """Report of a model trained on these photos.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    return Measuring(learnt, options, plan, found, progress).report()


class Measuring:
    """One report in the making.

    Args:
        plan: how the model in question was learnt.  found: how its settings were found.
    """

    def __init__(
        self, learnt: Learnable, options: TrainOptions, plan: Plan, found: Search | None, progress: Progress
    ) -> None:
        self._learnt = _sampled(learnt, options.seed)
        self._options, self._plan, self._found, self._progress = options, plan, found, progress
        self._labels, self._groups = self._learnt.labels, self._learnt.groups
        self._count = len(learnt.names)
        self._kept = Inputs.of(self._learnt.photos)
        self._stripped = Inputs.of(self._learnt.photos, metadata=False)
        self._trees = self._count <= MOST_FOR_TREES
        self._folds = grouped_folds(self._labels, self._groups, FOLDS, options.seed)
        self._bootstrap = Bootstrap(self._groups, options.seed)

    def report(self) -> Report:
        product = self._product(self._own, "product", "this model")
        other = self._product(self._stripped if self._options.metadata else self._kept, "", "")["all"]
        kept, stripped = (product["all"], other) if self._options.metadata else (other, product["all"])
        simple = [self._recipe(name, *recipe) for name, recipe in SIMPLE.items() if self._usable(name)]
        rows = {said.name: self._row(said) for said in simple}
        best = max(simple, key=lambda said: rows[said.name].accuracy.value)
        camera = self._recipe("camera_alone", "file, clock and camera alone, CatBoost", CAMERA_ALONE)
        said = product["all"]
        right = self._right(said)
        confidence = said.given.max(axis=1)
        checks = self._checks(camera)
        strangers = self._open_set()
        warnings = [check.words for check in checks if check.passed is False]
        if strangers and strangers.auroc.low <= GUESSED:
            warnings.append(STRANGERS)
        return Report(
            photos=len(self._labels),
            photographers=self._count,
            groups=len(np.unique(self._groups)),
            folds=len(self._folds),
            digest=self._learnt.photos.digest,
            product=self._row(said),
            by_style=self._row(product["style"]),
            by_subject=self._row(product["subject"]),
            kept=self._row(_renamed(kept, "kept", "with what file and camera say")),
            stripped=self._row(_renamed(stripped, "stripped", "from the picture alone")),
            camera_alone=self._row(camera),
            top3=self._bootstrap.estimate(share(top(said.given, self._labels, 3))),
            ece=self._bootstrap.estimate(calibration_error(confidence, right)),
            reliability=_reliability(confidence, right),
            chance=float(np.bincount(self._labels).max()) / len(self._labels),
            open_set=strangers,
            simple=tuple(rows.values()),
            ablation=tuple(self._row(ablated) for ablated in self._ablation(simple)),
            lead=self._lead(right, self._right(best)),
            strengths=self._strengths(said),
            confusion=self._confusion(said),
            mistakes=self._mistakes(said),
            checks=checks,
            settings=asdict(self._plan.settings),
            trials=self._found.trials if self._found else 0,
            explained=self._explained(),
            threshold=self._models[0].threshold.value,
            warnings=(*self._learnt.notes, *warnings),
        )

    @property
    def _own(self) -> Inputs:
        return self._kept if self._options.metadata else self._stripped

    @cached_property
    def _plans(self) -> list[Plan]:
        """How to learn in each fold: with settings searched on its training part."""
        seconds = self._options.seconds / len(self._folds) if self._trees else 0.0
        return [self._searched(fold, seconds) for fold in self._folds]

    @cached_property
    def _models(self) -> list[Ensemble]:
        return [self._fitted(self._own, fold, plan) for fold, plan in zip(self._folds, self._plans, strict=True)]

    def _searched(self, fold: Fold, seconds: float) -> Plan:
        labels, groups = self._labels[fold.train], self._groups[fold.train]
        inner = grouped_folds(labels, groups, FOLDS, self._plan.seed)
        found = search_settings(
            self._own.take(fold.train),
            labels,
            inner,
            seconds,
            seed=self._plan.seed,
            threads=self._plan.threads,
            progress=self._progress,
        )
        return Plan(found.settings if found else TreeSettings(), self._plan.seed, self._plan.threads)

    def _fitted(self, photos: Inputs, fold: Fold, plan: Plan) -> Ensemble:
        rows = fold.train
        return fit_ensemble(
            photos.take(rows),
            self._labels[rows],
            self._count,
            self._groups[rows],
            plan,
            self._progress,
            strangers=False,
        )

    def _product(self, photos: Inputs, name: str, words: str) -> dict[str, _Said]:
        """Every answer of the product's model; the threshold is that of each fold."""
        given = {answer: np.empty((len(self._labels), self._count)) for answer in ANSWERS}
        answered = np.zeros(len(self._labels), bool)
        for at, (fold, plan) in enumerate(zip(self._folds, self._plans, strict=True)):
            self._progress.say(f"Measuring the model: fold {at + 1} of {len(self._folds)}")
            model = self._models[at] if photos is self._own else self._fitted(photos, fold, plan)
            for answer, probabilities in model.answers(photos.take(fold.test)).items():
                given[answer][fold.test] = probabilities
            needed = model.thresholds(photos.take(fold.test))
            answered[fold.test] = given["all"][fold.test].max(axis=1) >= needed
        said = {"style": ("by_style", "how it is developed"), "subject": ("by_subject", "what it shows")}
        return {
            answer: _Said(*said.get(answer, (name, words)), given[answer], answered if answer == "all" else None)
            for answer in ANSWERS
        }

    def _usable(self, name: str) -> bool:
        return self._trees or name not in ("features_trees", *ABLATION)

    def _recipe(self, name: str, words: str, recipe: Recipe) -> _Said:
        self._progress.say(f"Measuring {words}")
        given = np.full((len(self._labels), self._count), 1 / self._count)
        for fold in self._folds if self._trees or name in SIMPLE else ():
            task = Task(self._kept, self._labels, self._count, fold, self._plan, self._progress)
            given[fold.test] = recipe(task)
        return _Said(name, words, given)

    def _ablation(self, simple: list[_Said]) -> list[_Said]:
        if not self._trees:
            return []
        found = {said.name: said for said in simple}
        rows = [found["features_trees"]]
        rows += [self._recipe(name, *recipe) for name, recipe in ABLATION.items()]
        return [*rows, self._tuned()]

    def _tuned(self) -> _Said:
        """The published recipe with searched settings and a threshold, found on a part that is not learnt from."""
        words = "128 components and 78 features, CatBoost, tuned, with threshold"
        self._progress.say(f"Measuring {words}")
        given = np.empty((len(self._labels), self._count))
        answered = np.zeros(len(self._labels), bool)
        for fold, plan in zip(self._folds, self._plans, strict=True):
            recipe = trees_on(ALL_FEATURES, embedding=True, settings=plan.settings)
            labels, groups = self._labels[fold.train], self._groups[fold.train]
            inner = grouped_folds(labels, groups, FOLDS, plan.seed)[0]
            held = Fold(fold.train[inner.train], fold.train[inner.test])
            tried = recipe(Task(self._kept, self._labels, self._count, held, plan, self._progress))
            said = Confidence.of(held.test, tried, self._labels[held.test])
            threshold = find_threshold(said, Confidence.none())
            given[fold.test] = recipe(Task(self._kept, self._labels, self._count, fold, plan, self._progress))
            answered[fold.test] = given[fold.test].max(axis=1) >= threshold.value
        return _Said("tuned", words, given, answered)

    def _right(self, said: _Said) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = said.given.argmax(axis=1) == self._labels
        return right

    def _row(self, said: _Said) -> Row:
        accuracy = self._bootstrap.estimate(share(self._right(said)))
        f1 = self._bootstrap.estimate(macro_f1(self._labels, said.given.argmax(axis=1)))
        answered = None if said.answered is None else self._bootstrap.estimate(share(said.answered))
        sure = None
        if said.answered is not None and said.answered.any():
            count = int(said.answered.sum())
            sure = self._bootstrap.estimate(share(self._right(said), said.answered), count)
        return Row(said.name, said.words, accuracy, f1, answered, sure)

    def _lead(self, ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Estimate:
        difference = ours.astype(np.float64) - theirs
        return self._bootstrap.estimate(lambda weights: float((weights * difference).sum() / weights.sum()))

    def _open_set(self) -> OpenSet | None:
        self._progress.say("Measuring how strangers are told")
        learner = Learner(self._own, self._labels, self._count, self._plan, self._progress)
        every = [model.weights["all"] for model in self._models]
        weights = {part: float(np.mean([one.get(part, 0.0) for one in every])) for part in every[0]}
        found = learner.open_set(self._folds, weights)
        known, strange = found.known, found.strange
        if not len(strange.rows) or not known.right.any():
            return None
        set_in_folds = [model.threshold for model in self._models]
        threshold = Threshold(*(float(np.mean([getattr(one, name) for one in set_in_folds])) for name in _TYPICAL))
        both = Confidence.joined([known, strange])
        margin = threshold.margin(both)
        familiar = np.arange(len(both.rows)) < len(known.rows)
        right = familiar & both.right
        drawn = Bootstrap(self._groups[both.rows], self._options.seed)
        return OpenSet(
            auroc=drawn.estimate(auroc(familiar, margin)),
            refused=drawn.estimate(share(margin < 0, ~familiar), len(strange.rows)),
            kept=drawn.estimate(share(margin >= 0, right), int(right.sum())),
        )

    def _strengths(self, said: _Said) -> tuple[Strength, ...]:
        named, right = said.given.argmax(axis=1), self._right(said)
        found = []
        for at, name in enumerate(self._learnt.names):
            own, claimed = self._labels == at, named == at
            found.append(
                Strength(
                    name,
                    photographer_id(name),
                    int(own.sum()),
                    len(np.unique(self._groups[own])),
                    self._bootstrap.estimate(share(right, own), int(own.sum())),
                    self._bootstrap.estimate(share(right, claimed), int(claimed.sum())) if claimed.any() else None,
                    self._traits(at),
                )
            )
        return tuple(found)

    def _traits(self, photographer: int) -> tuple[str, ...]:
        """What speaks for a photographer most, over photos that the model had not learnt from."""
        model, fold = self._models[0], self._folds[0]
        rows = fold.test[self._labels[fold.test] == photographer][:_SHOWN]
        if model.parts.trees is None or not len(rows):
            return ()
        photos = self._own.take(rows)
        values = model.parts.trees.shap(photos.vectors, photos.features, photographer).mean(axis=0)[-len(FEATURES) :]
        best = np.argsort(-values, kind="stable")[:TRAITS]
        return tuple(FEATURES[at].label for at in best if values[at] > 0)

    def _confusion(self, said: _Said) -> Confusion | None:
        if self._count > MOST_IN_A_TABLE:
            return None
        counts = np.zeros((self._count, self._count), int)
        np.add.at(counts, (self._labels, said.given.argmax(axis=1)), 1)
        return Confusion(self._learnt.names, tuple(tuple(map(int, row)) for row in counts))

    def _mistakes(self, said: _Said) -> tuple[Mistake, ...]:
        names, wrong = self._learnt.names, ~self._right(said)
        pairs = zip(self._labels[wrong].tolist(), said.given.argmax(axis=1)[wrong].tolist(), strict=True)
        common = Counter(pairs).most_common(MISTAKES)
        return tuple(Mistake(names[own], names[taken], count) for (own, taken), count in common)

    def _explained(self) -> float | None:
        trees = [model.parts.trees for model in self._models if model.parts.trees is not None]
        return float(np.mean([one.components["visual"].explained for one in trees])) if trees else None

    def _checks(self, camera: _Said) -> tuple[Check, ...]:
        self._progress.say("Looking for leaks")
        trees = [model.parts.trees for model in self._models if model.parts.trees is not None]
        return checks_of(
            self._learnt,
            self._kept,
            self._folds,
            float(self._right(camera).mean()),
            [one.importances()[-len(FEATURES) :] for one in trees],
            self._options.seed,
            self._progress,
        )


def _renamed(said: _Said, name: str, words: str) -> _Said:
    return _Said(name, words, said.given, said.answered)


def _reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    bins = bin_of(confidence)
    return tuple(
        Bin(
            at / BINS,
            (at + 1) / BINS,
            int((bins == at).sum()),
            float(confidence[bins == at].mean()),
            float(right[bins == at].mean()),
        )
        for at in range(BINS)
        if (bins == at).any()
    )


def _sampled(learnt: Learnable, seed: int) -> Learnable:
    """Whole groups, as many as there is time to measure on; everybody keeps some."""
    if len(learnt.labels) <= MOST_MEASURED:
        return learnt
    rng = np.random.default_rng(seed)
    wanted = MOST_MEASURED / len(learnt.labels)
    kept: set[int] = set()
    for at in range(len(learnt.names)):
        own = np.unique(learnt.groups[learnt.labels == at])
        kept.update(rng.permutation(own)[: max(3, round(wanted * len(own)))].tolist())
    rows = np.flatnonzero(np.isin(learnt.groups, list(kept)))
    note = f"Measured on {len(rows):,} of the {len(learnt.labels):,} photos."
    return Learnable(
        learnt.photos.take(rows), learnt.names, learnt.labels[rows], learnt.groups[rows], (*learnt.notes, note)
    )
