"""Photos to train on, and a trainer whose child is light."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from search.photographers.photos.dataset import PhotoSet
from search.spaces import Space

LIGHT_CHILD = (sys.executable, str(Path(__file__).with_name("light_child.py")))
VISUAL = Space("visual", "quick", "1", "mean colour", 3)


@pytest.fixture
def light_child() -> tuple[str, ...]:
    return LIGHT_CHILD


@pytest.fixture
def make_photos() -> Callable[..., PhotoSet]:
    """Photos of two photographers; the first one's path says what ``light_child`` does."""

    def make(what: str = "learn", count: int = 6) -> PhotoSet:
        rng = np.random.default_rng(0)
        visual = rng.normal(size=(count, 3)).astype(np.float32)
        nothing = (None,) * count
        return PhotoSet(
            ids=tuple(str(UUID(int=number)) for number in range(count)),
            names=tuple(("Ansel", "Dorothea")[number % 2] for number in range(count)),
            features=rng.normal(size=(count, 78)).astype(np.float32),
            visual=visual / np.linalg.norm(visual, axis=1, keepdims=True),
            style=np.empty((count, 0), np.float32),
            taken_at=nothing,
            places=nothing,
            place_names=nothing,
            cameras=nothing,
            lenses=nothing,
            paths=(f"/photos/{what}.jpg", *(f"/photos/{number}.jpg" for number in range(1, count))),
            fingerprints=nothing,
            credits=nothing,
            thumbnails=nothing,
            visual_space=VISUAL,
            style_space=None,
        )

    return make
