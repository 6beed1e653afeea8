"""Small worlds of photos whose photographers differ in how they develop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from search.photographers.develop.settings import Preset
from search.photographers.photos.dataset import PhotoSet
from search.spaces import Space
from workers.photographers.benchmark.presets import jitter
from workers.photographers.develop.render import apply
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.train import JointResult, train

VISUAL = Space("visual", "toy", "1", "none", 8)

WAYS = (
    Preset(exposure=0.6, temperature=0.4, saturation=1.4),
    Preset(exposure=-0.6, temperature=-0.4, contrast=0.7),
    Preset(saturation=0.4, fade=0.12, grain=8.0),
    Preset(contrast=-0.4, shadow_warmth=0.06, vignette=1.2),
)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def scene(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture of coloured slopes and a disc, uint8 (224, 224, 3), never the same twice."""
    across, down = np.meshgrid(np.linspace(-1, 1, 224), np.linspace(-1, 1, 224))
    slope = 0.5 + 0.35 * np.sin(rng.uniform(1, 4) * across + rng.uniform(1, 4) * down + rng.uniform(0, 6))
    disc = np.hypot(across - rng.uniform(-0.5, 0.5), down - rng.uniform(-0.5, 0.5)) < rng.uniform(0.2, 0.5)
    tint = rng.uniform(0.6, 1.0, 3)
    picture = slope[..., None] * tint
    picture[disc] = picture[disc] * 0.4 + 0.6 * rng.uniform(0.1, 0.9, 3)
    return np.asarray(255 * picture.clip(0, 1), np.uint8)


def developed(ways: Sequence[Preset], photos: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """``photos`` scenes of their own for each way of developing; pictures and whose they are."""
    rng = np.random.default_rng(seed)
    made = [apply(scene(rng), jitter(way, 0.1, rng), rng) for way in ways for _ in range(photos)]
    return np.stack(made), np.repeat(np.arange(len(ways)), photos)


def photo_set(names: Sequence[str | None]) -> PhotoSet:
    """Photos of which nothing is known but who took them; none is like another."""
    count = len(names)
    rng = np.random.default_rng(0)
    visual = rng.standard_normal((count, VISUAL.dim)).astype(np.float32)
    nothing: tuple[None, ...] = (None,) * count
    return PhotoSet(
        ids=tuple(f"{row:08d}-0000-4000-8000-000000000000" for row in range(count)),
        names=tuple(names),
        features=np.full((count, 78), np.nan, np.float32),
        visual=visual / np.linalg.norm(visual, axis=1, keepdims=True),
        style=np.empty((count, 0), np.float32),
        taken_at=nothing,
        places=nothing,
        place_names=nothing,
        cameras=nothing,
        lenses=nothing,
        paths=tuple(f"{rng.integers(1 << 60):x}/{'abcdefgh'[row % 8]}.jpg" for row in range(count)),
        fingerprints=nothing,
        credits=nothing,
        thumbnails=nothing,
        visual_space=VISUAL,
        style_space=None,
    )


NAMES = ("<script>alert(1)</script>", "../../x", "Ann\tB\nC", "%{x}<b>&amp;")
"""Whose work the small world is."""


@dataclass(frozen=True)
class World:
    """A trained run with what it was trained on."""

    photos: PhotoSet
    pictures: NDArray[np.uint8]
    owners: NDArray[np.int64]
    result: JointResult
    said: tuple[str, ...]


@pytest.fixture(scope="session", autouse=True)
def fewer_steps() -> Iterator[None]:
    """A third of the steps, which is enough for small worlds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.photographers.joint.fit.LEAST_STEPS", 800)
        patch.setattr("workers.photographers.joint.autoencoder.MORE_EPOCHS", 1)
        yield


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps only: what comes out is not looked at, but must be whole."""
    monkeypatch.setattr("workers.photographers.joint.fit.LEAST_STEPS", 20)


@pytest.fixture(scope="session")
def world(once: Callable[[str, Callable[[Path], Any]], Any]) -> World:
    def make(folder: Path) -> tuple[Any, ...]:
        pictures, owners = developed(WAYS, 12)
        photos = photo_set([NAMES[owner] for owner in owners])
        said: list[str] = []
        options = JointOptions(epochs=1, autoencoder_epochs=1, repeats=1)
        result = train(folder / "run", photos, pictures, options, said.append)
        return photos, pictures, owners, result, tuple(said)

    return World(*once("joint", make))


@pytest.fixture(scope="session")
def strangers() -> dict[str, NDArray[np.uint8]]:
    """Ten photos of scenes of their own, developed as each of ``NAMES`` does it."""
    return {name: developed([way], 10, 7)[0] for name, way in zip(NAMES, WAYS, strict=True)}


@pytest.fixture
def make_photos() -> Callable[[Sequence[str | None]], PhotoSet]:
    return photo_set


@pytest.fixture
def make_scene() -> Callable[[np.random.Generator], NDArray[np.uint8]]:
    return scene
