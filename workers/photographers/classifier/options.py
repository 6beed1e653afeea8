"""Options of a training of the photographer classifier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """Options of a training.

    Attributes:
        seconds: for the search of CatBoost's settings; 0 takes the defaults.
        seed: of everything that is drawn. Equal photos, options and versions of the libraries make equal models, as
            long as the search gets through as many trials.
        threads: of CatBoost; 0 takes every core.
        metadata: False trains on the picture alone, without the facts of file and camera.
        report: also measure the model, in folds that keep groups together; takes most of the time.
    """

    seconds: float = 60.0
    seed: int = 0
    threads: int = 0
    metadata: bool = True
    report: bool = True
