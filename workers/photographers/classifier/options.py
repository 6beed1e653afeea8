"""Options of a training of the photographer classifier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """Options of a training.

    Attributes:
        seed: of everything that is drawn. Equal photos, options and versions of the libraries make equal models.
        threads: of CatBoost; 0 takes every core.
        trees: also grow the trees that answer beside the ensemble.
        report: also measure the model and baselines, in folds that keep groups together; takes most of the time.
    """

    seed: int = 0
    threads: int = 0
    trees: bool = True
    report: bool = True
