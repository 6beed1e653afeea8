"""Train the shipped reader of settings (``search.photographers.develop.reading``).

    python -m workers.photographers.develop.train DIR

Writes ``reader.npz`` beside that module. The shipped one was trained with the defaults on the 800 photos of
images_caltech101, which takes about five minutes on an idle core.

Source: Hoerl and Kennard, "Ridge regression", Technometrics 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from search.model_descriptions.registry import STYLE
from search.photographers.develop import reading
from search.photographers.develop.reading import SettingsReader
from search.photographers.develop.settings import PARAMETERS, Preset
from search.store.base import Array
from workers.decode.image.geometry import squeeze
from workers.embedders.style.network import StyleEncoder, shipped_encoder
from workers.embedders.style.train import read_photos
from workers.embedders.style.training import (
    StatisticsFunction,
    StyleTrainingSet,
    as_jpeg,
    cpu_statistics,
    make_training_set,
)

PHOTOGRAPHERS, EACH = 800, 15
"""Photographers to learn from, and how many of them develop each photo."""

GROUP, DRAWS = 8, 10
"""Photos of one photographer whose mean is an example of many, and how many such groups of each are drawn. Of groups of
8, 12, 16 and 26 and of single photos, each with four penalties, these and :data:`RIDGE_MANY` read 60 development
photographers best from five to twenty photos each, and with .42 deviations between presets from sixty as well."""

RIDGE_MANY, RIDGE_ONE = 0.1, 0.5
"""Penalties of the maps of many photos and of one, in mean squares of a component of deviation 1."""

UNDEVELOPED = 3
"""So many times more undeveloped photos than developed ones are the examples of one. Of 0, 1 and 3 with two penalties,
this harmed photos most seldom to which nothing had been done, and helped developed ones as much."""

_BATCH = 64


@dataclass(frozen=True, slots=True)
class ReaderExamples:
    """Photos to learn from, as unit vectors of ``style``.

    Attributes:
        styles: float32 ``(n, d)`` of developed photos.
        parameters: float32 ``(n, 12)``, ``Preset.vector`` of what was done to each.
        photographers: int64 ``(n,)``, who did it.
        undeveloped: float32 ``(m, d)`` of photos to which nothing was done.
    """

    styles: Array
    parameters: Array
    photographers: NDArray[np.int64]
    undeveloped: Array


def make_examples(photos: Sequence[NDArray[np.uint8]], seed: int = 1) -> ReaderExamples:
    """Develop photos, uint8 ``(h, w, 3)``, and take their vectors of style by the shipped encoder.

    Raises:
        UsageError: there are too few photos.
    """
    statistics_of = cpu_statistics()
    developed = make_training_set(photos, EACH, seed, statistics_of, PHOTOGRAPHERS)
    return examples_of(shipped_encoder(), developed, statistics_of_photos(photos, statistics_of))


def examples_of(encoder: StyleEncoder, developed: StyleTrainingSet, plain: Array) -> ReaderExamples:
    """Examples from developed photos, and from statistics of undeveloped ones, float32 ``(m, DIMENSIONS)``."""
    return ReaderExamples(
        styles_of(encoder, developed.statistics), developed.parameters, developed.photographers,
        styles_of(encoder, plain),
    )  # fmt: skip


def learn(examples: ReaderExamples, seed: int = 1) -> SettingsReader:
    """A reader that has learnt from the examples."""
    rng = np.random.default_rng(seed)
    groups = [
        rng.choice(rows, min(GROUP, len(rows)), replace=False)
        for who in np.unique(examples.photographers)
        for rows in [np.flatnonzero(examples.photographers == who)]
        for _ in range(DRAWS)
    ]
    means, done = (
        np.stack([some[at].mean(axis=0) for at in groups]) for some in (examples.styles, examples.parameters)
    )
    many = _ridge(means, done, RIDGE_MANY)
    again = max(1, round(UNDEVELOPED * len(examples.styles) / max(1, len(examples.undeveloped))))
    nothing = np.broadcast_to(Preset().vector, (again * len(examples.undeveloped), len(PARAMETERS)))
    one = _ridge(
        np.concatenate([examples.styles, np.repeat(examples.undeveloped, again, axis=0)]),
        np.concatenate([examples.parameters, nothing]),
        RIDGE_ONE,
    )
    return SettingsReader(STYLE.space(STYLE.name).fingerprint, *many, *one)


def styles_of(encoder: StyleEncoder, statistics: Array) -> Array:
    """Unit vectors of style, float32 ``(n, d)``, of statistics, float32 ``(n, DIMENSIONS)``."""
    with torch.inference_mode():
        styles: Array = nn.functional.normalize(encoder(torch.from_numpy(statistics)), dim=1).numpy()
    return styles


def statistics_of_photos(photos: Sequence[NDArray[np.uint8]], statistics_of: StatisticsFunction) -> Array:
    """Statistics float32 ``(n, DIMENSIONS)`` of photos as they are, JPEG coding included."""
    parts = (photos[start : start + _BATCH] for start in range(0, len(photos), _BATCH))
    return np.concatenate(
        [statistics_of(np.stack([squeeze(Image.fromarray(as_jpeg(photo))) for photo in part])) for part in parts]
    )


def _ridge(inputs: NDArray[np.floating], outputs: NDArray[np.floating], penalty: float) -> tuple[Array, Array]:
    """A linear map float32 ``(d, 12)`` and its offset ``(12,)``."""
    exact, wanted = inputs.astype(np.float64), outputs.astype(np.float64)
    middle, spread = exact.mean(axis=0), exact.std(axis=0) + 1e-9
    standard = (exact - middle) / spread
    covariance = standard.T @ standard / len(standard) + penalty * np.eye(standard.shape[1])
    weights = np.linalg.solve(covariance, standard.T @ (wanted - wanted.mean(axis=0)) / len(standard)) / spread[:, None]
    return weights.astype(np.float32), (wanted.mean(axis=0) - middle @ weights).astype(np.float32)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path(reading.__file__).with_name(reading.WEIGHTS),
    help="File to write.",
)
def main(folder: Path, seed: int, out: Path) -> None:
    """Train the reader of settings on the photos in FOLDER."""
    np.savez(out, **learn(make_examples(read_photos(folder), seed), seed).arrays())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
