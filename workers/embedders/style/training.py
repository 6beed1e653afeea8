"""Train the encoder of the ``style`` space on photos developed by invented photographers.

Each photo is developed by several of them, so what their presets explain of its statistics is style, and what is left
over is content. The encoder is made in closed form: it normalises each statistic, takes coordinates in which content is
as strong in every direction, turns them to the directions in which photographers differ most, and gives each direction
the weight that style has in it. The photographers are drawn anew for each training: none that is asked about later has
to be among them. What the encoder is worth is measured by ``likewise photographers presets DIR``, which trains it on
other subjects than it asks about.

Source: Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker recognition", 2006;
Ioffe, "Probabilistic linear discriminant analysis", ECCV 2006.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from search.errors import UsageError
from search.evaluation.statistics import Floats, shrunk_covariance
from search.store.base import Array
from workers.decode.image.geometry import squeeze
from workers.embedders.networks import Runner
from workers.embedders.style.network import LEVELS, VECTOR, StyleEncoder
from workers.embedders.style.statistics import DIMENSIONS, Statistics
from workers.photographers.benchmark.presets import JITTER, draw_presets, jitter
from workers.photographers.develop.render import apply

PHOTOGRAPHERS = 200
"""Invented photographers of a training of the encoder."""

LEAST_PHOTOS = 20

QUALITY = 92
"""Of the JPEG coding that a developed photo goes through, as photos mostly do."""

SMALLEST_CUT = 0.75
"""Least share of a photo's side that is kept when it is cut differently for another development of it."""

BATCH = 128

SHRINKAGE = 0.1
"""Share of the covariance of content that is made the same in every direction. On three development draws .1 names
photographers 1 to 2 points better than .03 does, and .2 no better than .1."""

LEAST_STYLE = 0.02
"""Least variance of style, that of content being 1, which a direction is taken to have."""

CAUTION = 4
"""Power of the share of style in a direction that is its weight. The first makes the vector the likeliest style; higher
ones leave less content where several weak directions add up: on three development draws the nearest photo showed the
same subject .07, .03 and .02 oftener than by chance with the first to the third, and was by the same photographer in
71, 65 and 61 % of cases; with the fourth, .013 (.049 to .036 where it was worst) and 59 %."""


@dataclass(frozen=True, slots=True)
class StyleTrainingSet:
    """Developed photos to learn from.

    Attributes:
        statistics: float32 ``(n, DIMENSIONS)``.
        parameters: float32 ``(n, 12)``, what was done to each, ``Preset.vector`` after jitter.
        photographers: int64 ``(n,)``, who did it.
    """

    statistics: Array
    parameters: Array
    photographers: NDArray[np.int64]


StatisticsFunction = Callable[[NDArray[np.uint8]], Array]
"""Whole pictures, uint8 ``(n, 224, 224, 3)``, to statistics, float32 ``(n, DIMENSIONS)``."""


@dataclass(frozen=True, slots=True)
class Developed:
    """One photo by one photographer: ``picture`` is uint8 ``(h, w, 3)``, the others are rows of a training set."""

    picture: NDArray[np.uint8]
    parameters: NDArray[np.float64]
    photographer: int


def develop(
    pictures: Sequence[NDArray[np.uint8]], each: int, rng: np.random.Generator, photographers: int = PHOTOGRAPHERS
) -> Iterator[Developed]:
    """Every picture by ``each`` of the invented photographers, every time cut and mirrored in another way.

    Args:
        pictures: uint8 ``(h, w, 3)`` RGB of any size.
    """
    presets = draw_presets(photographers, rng)
    for picture in pictures:
        for photographer in rng.choice(photographers, each, replace=False):
            preset = jitter(presets[photographer], JITTER["medium"], rng)
            yield Developed(apply(_cut(picture, rng), preset, rng), preset.vector, int(photographer))


def make_training_set(
    pictures: Sequence[NDArray[np.uint8]],
    each: int,
    seed: int,
    statistics_of: StatisticsFunction | None = None,
    photographers: int = PHOTOGRAPHERS,
) -> StyleTrainingSet:
    """Develop the pictures, see :func:`develop`, and take the statistics of what comes out, JPEG coding included.

    Args:
        statisticians: :func:`cpu_statistics` when left out.

    Raises:
        UsageError: fewer than ``LEAST_PHOTOS`` pictures.
    """
    if len(pictures) < LEAST_PHOTOS:
        raise UsageError(f"{len(pictures)} photos are too few to train on.", f"Take {LEAST_PHOTOS} or more.")
    statistics_of = statistics_of or cpu_statistics()
    found: list[Array] = []
    wholes: list[NDArray[np.uint8]] = []
    parameters, who = [], []
    for one in develop(pictures, each, np.random.default_rng(seed), photographers):
        wholes.append(squeeze(Image.fromarray(as_jpeg(one.picture))))
        parameters.append(one.parameters)
        who.append(one.photographer)
        if len(wholes) == BATCH:
            found.append(statistics_of(np.stack(wholes)))
            wholes.clear()
    if wholes:
        found.append(statistics_of(np.stack(wholes)))
    return StyleTrainingSet(np.concatenate(found), np.array(parameters, np.float32), np.array(who))


def cpu_statistics(threads_share: int = 16) -> StatisticsFunction:
    """Statistics on this machine's processor, ``threads_share`` pictures a pass.

    Raises:
        ModelError: EfficientNet-Lite0's weights cannot be had.
    """

    class _SingleOutput(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.statistics = Statistics()

        def forward(self, pixels: Tensor) -> tuple[Tensor]:
            return (self.statistics(pixels),)

    runner = Runner(_SingleOutput(), torch.device("cpu"), threads_share, "style statistics")
    return lambda pictures: runner(pictures)[0]


def train(practice: StyleTrainingSet) -> StyleEncoder:
    """An encoder that has learnt from ``practice``; the same statistics give the same one."""
    encoder = StyleEncoder()
    knots, scores = _levels(practice.statistics)
    encoder.knots.copy_(torch.from_numpy(knots))
    encoder.scores.copy_(torch.from_numpy(scores))
    normalised = normalise(encoder, practice.statistics).astype(np.float64)
    middle, spread = normalised.mean(axis=0), normalised.std(axis=0) + 1e-3
    standard = (normalised - middle) / spread
    content = unexplained(standard, practice.parameters)
    even = whitening(content.T @ content / len(content))
    styles, axes = np.linalg.eigh(_between(standard @ even, practice.photographers))
    styles, axes = np.maximum(styles[::-1], LEAST_STYLE)[:VECTOR], axes[:, ::-1][:, :VECTOR]
    encoder.middle.copy_(torch.from_numpy(middle))
    encoder.axes.copy_(torch.from_numpy((even @ axes / spread[:, None]).astype(np.float16)))
    encoder.gain.copy_(torch.from_numpy((styles / (styles + 1)) ** CAUTION))
    return encoder.eval()


def normalise(encoder: StyleEncoder, statistics: Array) -> Array:
    """Statistics float32 ``(…, DIMENSIONS)``, normalised by the encoder."""
    with torch.inference_mode():
        normalised: Array = encoder.normalised(torch.from_numpy(statistics.reshape(-1, DIMENSIONS))).numpy()
    return normalised.reshape(statistics.shape)


def unexplained(statistics: Floats, parameters: Array) -> Floats:
    """What is left of statistics ``(n, dim)`` after their best fit by the presets' parameters ``(n, 12)`` and the
    squares of those."""
    known = parameters.astype(np.float64)
    given = np.concatenate((np.ones((len(known), 1)), known, known**2), axis=1)
    if len(given) <= given.shape[1]:
        given = given[:, :1]
    left: Floats = statistics - given @ np.linalg.lstsq(given, statistics, rcond=None)[0]
    left *= np.sqrt(len(given) / (len(given) - given.shape[1]))
    return left


def whitening(covariance: Floats) -> Floats:
    """The map ``(dim, dim)`` to coordinates in which this covariance, shrunk, is the same in every direction."""
    values, axes = np.linalg.eigh(shrunk_covariance(covariance, SHRINKAGE))
    found: Floats = axes / np.sqrt(np.maximum(values, 1e-12))
    return found


def _levels(statistics: Array) -> tuple[Array, Array]:
    """Quantiles of each statistic and the normal distribution's at the same shares, both ``(LEVELS, dim)``; where
    several quantiles are one value, that has the mean of theirs."""
    shares = (np.arange(LEVELS) + 0.5) / LEVELS
    knots = np.quantile(statistics, shares, axis=0).astype(np.float32)
    normal = np.array([NormalDist().inv_cdf(share) for share in shares])
    scores = np.empty_like(knots)
    for at, column in enumerate(knots.T):
        _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
        scores[:, at] = (np.bincount(value, normal) / counts)[value]
    return knots, scores


def _between(rows: Floats, labels: NDArray[np.int64]) -> Floats:
    """Covariance ``(dim, dim)`` of the labels' means, less what content of deviation 1 adds to it."""
    found, label, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(found), rows.shape[1]))
    np.add.at(sums, label, rows)
    means = sums / counts[:, None]
    covariance: Floats = means.T @ means / len(means) - np.mean(1 / counts) * np.eye(rows.shape[1])
    return covariance


def _cut(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A part of the picture, at least ``SMALLEST_CUT`` of each side, mirrored every other time."""
    height, width = (
        max(1, round(side * share)) for side, share in zip(picture.shape, rng.uniform(SMALLEST_CUT, 1, 2), strict=False)
    )
    top, left = rng.integers(0, picture.shape[0] - height + 1), rng.integers(0, picture.shape[1] - width + 1)
    cut = picture[top : top + height, left : left + width]
    return cut[:, ::-1] if rng.random() < 0.5 else cut


def as_jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What JPEG coding leaves of a picture. The bytes are our own, so they need no decoder child."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    coded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert coded is not None
    return np.ascontiguousarray(coded[..., ::-1]).astype(np.uint8, copy=False)
