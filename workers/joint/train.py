"""Training the joint model on a library's photos, from pictures to files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.photographers.space import JointReport
from workers.joint.options import JointOptions

if TYPE_CHECKING:
    from search.photographers.dataset import PhotoSet


class StoppedError(Exception):
    """``goes_on`` said no; nothing of use is in the folder."""


@dataclass(frozen=True, slots=True)
class JointResult:
    """Where a training's files are and what they are worth; files are relative to ``folder``."""

    folder: Path
    report: JointReport
    files: tuple[str, ...]


def train(
    folder: Path,
    photos: PhotoSet,
    pictures: NDArray[np.uint8],
    options: JointOptions | None = None,
    say: Callable[[str], None] = print,
    goes_on: Callable[[], bool] = lambda: True,
) -> JointResult:
    """Train on ``photos`` and leave everything that ``PhotographerSpace.load`` and ``fold_in`` need in ``folder``.

    Args:
        folder: is made; ``manifest.json`` is written last, so that a folder with one is complete.
        pictures: uint8 (n, 224, 224, 3), the photos' whole pictures in their order; may be memory-mapped.
        say: told what is going on, a line at a time.
        goes_on: asked often; False ends the training.

    Raises:
        UsageError: there are fewer than two photographers, or too few photos of them.
        StoppedError: ``goes_on`` said no.
    """
    raise NotImplementedError
