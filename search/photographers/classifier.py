"""Whose photo is this? Learning it from photos that are credited, and answering it for one that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.photographers.answers import Candidate, Reason
from search.photographers.dataset import PhotoSet
from search.spaces import Space
from search.store.base import Array


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train.

    Attributes:
        seconds: for the search of CatBoost's settings; 0 takes those that REFERENCE §3 gives.
        seed: of everything that is drawn; equal photos, options and versions of the libraries make equal models.
        threads: of CatBoost; 0 takes every core.
        report: also measure what the model is worth, in folds that keep groups together; takes most of the time.
    """

    seconds: float = 60.0
    seed: int = 0
    threads: int = 0
    report: bool = True


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training made.

    Attributes:
        photographers: names the model tells apart, sorted.
        photos: it was learnt from.
        notes: what was left out or bounded, in sentences for people.
    """

    folder: Path
    photographers: tuple[str, ...]
    photos: int
    threshold: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of one photo; fields as in ``answers.Prediction``."""

    candidates: tuple[Candidate, ...]
    unknown: bool
    threshold: float
    reasons: tuple[Reason, ...]
    by_style: tuple[Candidate, ...]
    by_subject: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()


def train(
    photos: PhotoSet,
    options: TrainOptions,
    folder: Path,
    say: Callable[[str], object] = lambda text: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> TrainResult:
    """Learn from the credited photos of ``photos`` and write the model into ``folder``: ``manifest.json``,
    ``*.cbm``, ``*.npz`` and, when asked for, ``report.json``.

    Args:
        say: told what is being done, in a few words.
        goes_on: asked again and again; False ends the training with :class:`TrainingStoppedError`.

    Raises:
        UsageError: there is nothing that could be learnt; the message says what is lacking.
    """
    raise NotImplementedError


class Classifier:
    """A trained model. Safe to use from several threads."""

    @classmethod
    def load(cls, folder: Path, visual: Space, style: Space | None) -> Classifier:
        """The model in ``folder``.

        Args:
            visual, style: the spaces of the vectors that it will be asked about.

        Raises:
            SpaceMismatchError: it was trained on vectors of another space.
            ModelError: the folder is damaged or was written by another version.
        """
        raise NotImplementedError

    def predict(self, features: Array, visual: Array, style: Array | None) -> Verdict:
        """
        Args:
            features: float32 ``(78,)``, NaN for what is absent.
            visual, style: float32 ``(dim,)``, unit length; no style when the photo has none.
        """
        raise NotImplementedError

    def probabilities(self, photos: PhotoSet) -> Array:
        """Calibrated, float32 ``(n, photographers)`` in the order of ``names``."""
        raise NotImplementedError
