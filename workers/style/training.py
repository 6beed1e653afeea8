"""Training the encoder of the ``style`` space, on photos developed by invented photographers.

Each photo is developed by several of them, each photographer develops photos of many subjects, and the encoder has to
tell who did it (a cosine classifier) and what was done (the parameters of the preset, jitter and all). What it shows
helps with neither, so it is left out. The photographers are drawn anew for each training: none that is asked about
later has to be among them.

Measured on images_caltech101, unseen subjects and presets: it is the number of base photos that counts. Of 30
photographers, .70 of single photos are named after training on 100 photos, .74 on 200, .79 on 400.

Source: Snell, Swersky and Zemel 2017 and Wang et al., "CosFace", 2018, for classifiers by cosine to prototypes;
Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from search.errors import UsageError
from search.photographers.presets import JITTER, PARAMETERS, apply, draw_presets, jitter
from search.store.base import Array
from workers.decode.geometry import squeeze
from workers.embedders.base import Runner
from workers.style.network import VECTOR, Encoder
from workers.style.statistics import Statistics

PHOTOGRAPHERS = 200
"""Invented photographers of a training."""

LEAST_PHOTOS = 20

QUALITY = 92
"""Of the JPEG coding that a developed photo goes through, as photos mostly do."""

SMALLEST_CUT = 0.75
"""Least share of a photo's side that is kept when it is cut differently for another development of it."""

BATCH, EPOCHS = 128, 40
RATE, DECAY = 1e-3, 0.5
DROPPED_STATISTICS, DROPPED_HIDDEN, NOISE = 0.2, 0.3, 0.2
SHARPNESS = 10.0
"""Factor on cosines before the softmax."""


@dataclass(frozen=True, slots=True)
class Practice:
    """Developed photos to learn from.

    Attributes:
        statistics: float32 ``(n, DIMENSIONS)``.
        parameters: float32 ``(n, 12)``, what was done to each, ``Preset.vector`` after jitter.
        photographers: int64 ``(n,)``, who did it.
    """

    statistics: Array
    parameters: Array
    photographers: NDArray[np.int64]


Statisticians = Callable[[NDArray[np.uint8]], Array]
"""Whole pictures, uint8 ``(n, 224, 224, 3)``, to statistics, float32 ``(n, DIMENSIONS)``."""


@dataclass(frozen=True, slots=True)
class Developed:
    """One photo by one photographer; ``picture`` is uint8 ``(h, w, 3)``, the others rows of :class:`Practice`."""

    picture: NDArray[np.uint8]
    parameters: NDArray[np.float64]
    photographer: int


def develop(pictures: Sequence[NDArray[np.uint8]], each: int, rng: np.random.Generator) -> Iterator[Developed]:
    """Every picture, uint8 ``(h, w, 3)`` RGB of any size, by ``each`` of ``PHOTOGRAPHERS`` photographers, every time
    cut and mirrored in another way."""
    presets = draw_presets(PHOTOGRAPHERS, rng)
    for picture in pictures:
        for photographer in rng.choice(PHOTOGRAPHERS, each, replace=False):
            preset = jitter(presets[photographer], JITTER["medium"], rng)
            yield Developed(apply(_cut(picture, rng), preset, rng), preset.vector, int(photographer))


def practise(
    pictures: Sequence[NDArray[np.uint8]], each: int, seed: int, statisticians: Statisticians | None = None
) -> Practice:
    """Develop the pictures, see :func:`develop`, and take the statistics of what comes out, JPEG coding included.

    Args:
        statisticians: :func:`cpu_statistics` when left out.

    Raises:
        UsageError: fewer than ``LEAST_PHOTOS`` pictures.
    """
    if len(pictures) < LEAST_PHOTOS:
        raise UsageError(f"{len(pictures)} photos are too few to train on.", f"Take {LEAST_PHOTOS} or more.")
    statisticians = statisticians or cpu_statistics()
    found: list[Array] = []
    wholes: list[NDArray[np.uint8]] = []
    parameters, photographers = [], []
    for one in develop(pictures, each, np.random.default_rng(seed)):
        wholes.append(squeeze(Image.fromarray(_as_jpeg(one.picture))))
        parameters.append(one.parameters)
        photographers.append(one.photographer)
        if len(wholes) == BATCH:
            found.append(statisticians(np.stack(wholes)))
            wholes.clear()
    if wholes:
        found.append(statisticians(np.stack(wholes)))
    return Practice(np.concatenate(found), np.array(parameters, np.float32), np.array(photographers))


def cpu_statistics(threads_share: int = 16) -> Statisticians:
    """Statistics on this machine's processor, ``threads_share`` pictures a pass.

    Raises:
        ModelError: EfficientNet-Lite0's weights cannot be had.
    """

    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.statistics = Statistics()

        def forward(self, pixels: Tensor) -> tuple[Tensor]:
            return (self.statistics(pixels),)

    runner = Runner(One(), torch.device("cpu"), threads_share, "style statistics")
    return lambda pictures: runner(pictures)[0]


def train(practice: Practice, seed: int) -> Encoder:
    """An encoder that has learnt from ``practice``; on one machine the same seed gives the same one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _train(practice)


def _train(practice: Practice) -> Encoder:
    encoder = Encoder()
    statistics = torch.from_numpy(practice.statistics)
    encoder.mean.copy_(statistics.mean(0))
    encoder.scale.copy_(statistics.std(0, correction=0) + 1e-3)
    encoder.train()
    rows = encoder.standardised(statistics)
    parameters, photographers = torch.from_numpy(practice.parameters), torch.from_numpy(practice.photographers)
    regression = nn.Linear(VECTOR, len(PARAMETERS))
    prototypes = nn.Parameter(torch.randn(int(photographers.max()) + 1, VECTOR))
    drop_statistics, drop_hidden = nn.Dropout(DROPPED_STATISTICS), nn.Dropout(DROPPED_HIDDEN)
    learnt = [*encoder.parameters(), *regression.parameters(), prototypes]
    optimiser = torch.optim.AdamW(learnt, RATE, weight_decay=DECAY)
    size = min(BATCH, len(rows))
    steps = EPOCHS * (len(rows) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    first, activation, last = encoder.bent
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows))
        for batch in order[: len(rows) // size * size].reshape(-1, size):
            seen = drop_statistics(rows[batch] + NOISE * torch.randn(size, rows.shape[1]))
            vectors = encoder.straight(seen) + last(drop_hidden(activation(first(seen))))
            cosines = nn.functional.normalize(vectors, dim=1) @ nn.functional.normalize(prototypes, dim=1).T
            who = nn.functional.cross_entropy(SHARPNESS * cosines, photographers[batch])
            what = nn.functional.mse_loss(regression(vectors), parameters[batch])
            optimiser.zero_grad()
            torch.autograd.backward(who + what)
            optimiser.step()
            schedule.step()
    return encoder.eval().requires_grad_(False)


def _cut(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A part of the picture, at least ``SMALLEST_CUT`` of each side, mirrored every other time."""
    height, width = (
        max(1, round(side * share)) for side, share in zip(picture.shape, rng.uniform(SMALLEST_CUT, 1, 2), strict=False)
    )
    top, left = rng.integers(0, picture.shape[0] - height + 1), rng.integers(0, picture.shape[1] - width + 1)
    cut = picture[top : top + height, left : left + width]
    return cut[:, ::-1] if rng.random() < 0.5 else cut


def _as_jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What JPEG coding leaves of a picture. The bytes are our own, so they need no decoder child."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    coded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert coded is not None
    return np.ascontiguousarray(coded[..., ::-1]).astype(np.uint8, copy=False)
