"""Estimate how photos are developed: the settings of the preset that comes closest.

A reading of one photo mixes up what was done to it with what it shows, and settings that look alike with each other:
warm light with warm highlights. Mean readings of a photographer's photos are its purpose, and it is trained on such
means: each of many invented photographers has a group of photos, different ones, and a linear map of the mean of their
normalised statistics is fitted to the mean of what was done to them.

Source: Hoerl and Kennard, "Ridge regression", Technometrics 1970.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError
from search.photographers.develop.settings import PARAMETERS
from search.store.base import Array
from workers.embedders.style.network import StyleEncoder, shipped_encoder
from workers.embedders.style.statistics import DIMENSIONS
from workers.embedders.style.training import StyleTrainingSet, normalise

WEIGHTS = "development.npz"
"""Beside this module; made by ``workers.embedders.style.train``."""

RIDGE = 0.1
"""Penalty of the map, in mean squares of a statistic of deviation 1. On five development draws of presets .03 to .3 do
as well."""


@dataclass(frozen=True, slots=True)
class DevelopmentReader:
    """Statistics float32 ``(n, DIMENSIONS)`` to settings float32 ``(n, 12)``, as ``Preset.vector`` has them.

    Attributes:
        encoder: normalises the statistics.
        weights: float32 ``(DIMENSIONS, 12)``.
        offset: float32 ``(12,)``.
    """

    encoder: StyleEncoder
    weights: Array
    offset: Array

    def __call__(self, statistics: Array) -> Array:
        read: Array = normalise(self.encoder, statistics) @ self.weights + self.offset
        return read

    def save(self, path: Path) -> None:
        """Write the map to ``path`` (``.npz``); the encoder has a file of its own."""
        np.savez(
            path, weights=self.weights, offset=self.offset, evened_by=np.array(_normalisation_digest(self.encoder))
        )

    @classmethod
    def of(cls, encoder: StyleEncoder, arrays: Mapping[str, NDArray[Any]]) -> DevelopmentReader:
        """
        Raises:
            ModelError: names or shapes are not those that :meth:`save` writes, or it was learnt with another encoder.
        """
        shapes = {name: array.shape for name, array in arrays.items()}
        wanted = {"weights": (DIMENSIONS, len(PARAMETERS)), "offset": (len(PARAMETERS),), "evened_by": ()}
        if shapes != wanted:
            raise ModelError(f"These are no weights of a reader of development: {shapes} instead of {wanted}.")
        if str(arrays["evened_by"]) != _normalisation_digest(encoder):
            raise ModelError("The reader of development was learnt with another style encoder.", "Train both again.")
        return cls(encoder, *(np.asarray(arrays[name], np.float32) for name in ("weights", "offset")))


def _normalisation_digest(encoder: StyleEncoder) -> str:
    """Digest of how an encoder normalises statistics."""
    curves = encoder.knots.numpy().tobytes() + encoder.scores.numpy().tobytes()
    return hashlib.sha256(curves).hexdigest()[:16]


def learn(encoder: StyleEncoder, practice: StyleTrainingSet) -> DevelopmentReader:
    """A reader that has learnt from ``practice``, whose photographers count alike."""
    _, who, counts = np.unique(practice.photographers, return_inverse=True, return_counts=True)

    def means(rows: Array) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        sums = np.zeros((len(counts), rows.shape[1]))
        np.add.at(sums, who, rows)
        return sums / counts[:, None]

    inputs, done = means(normalise(encoder, practice.statistics)), means(practice.parameters)
    middle, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    standard = (inputs - middle) / scale
    covariance = standard.T @ standard / len(standard) + RIDGE * np.eye(DIMENSIONS)
    weights = np.linalg.solve(covariance, standard.T @ (done - done.mean(axis=0)) / len(standard)) / scale[:, None]
    return DevelopmentReader(
        encoder, weights.astype(np.float32), (done.mean(axis=0) - middle @ weights).astype(np.float32)
    )


def shipped_reader() -> DevelopmentReader:
    """
    Raises:
        ModelError: its file, or the encoder's, is not there or is not whole.
    """
    try:
        with (
            files("workers.embedders.style").joinpath(WEIGHTS).open("rb") as file,
            np.load(file, allow_pickle=False) as held,
        ):
            return DevelopmentReader.of(shipped_encoder(), dict(held))
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"The weights of the reader of development cannot be read: {error}", "Install Likewise again."
        ) from error
