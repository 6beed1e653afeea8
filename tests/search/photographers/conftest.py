"""Collections of photos whose structure is known, made without a picture."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import FEATURES
from search.spaces import Space
from workers.photographers.classifier.fitting import sets
from workers.photographers.classifier.fitting.trees import TreeSettings

VISUAL = Space("visual", "planted", "1", "drawn", 24)
STYLE = Space("style", "planted", "1", "drawn", 12)

MakePhotos = Callable[..., PhotoSet]


@pytest.fixture(scope="module")
def quick_training() -> Iterator[None]:
    """CatBoost grows a third as many trees, and learns faster; fewer sets of photos are drawn. What is planted is found
    as well, in half the time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TreeSettings.__init__, "__defaults__", (60, 0.2, 4, 3.0, 32))
        patched.setattr(sets, "DRAWN", 60)
        yield


def planted_photos(
    photographers: int = 4,
    sessions: int = 5,
    each: int = 4,
    *,
    told: float = 1.0,
    session: float = 0.5,
    seed: int = 0,
    names: tuple[str, ...] | None = None,
) -> PhotoSet:
    """Photos in sessions of consecutive file numbers, far apart.

    Args:
        told: how far photographers are apart, in deviations of single photos.
        session: how far sessions of one photographer are apart: what a test must not be able to use.
    """
    rng = np.random.default_rng(seed)
    names = names or tuple(f"photographer {at}" for at in range(photographers))
    owners = np.repeat(np.arange(len(names)), sessions * each)
    of = np.repeat(np.arange(len(names) * sessions), each)
    n = len(owners)

    def drawn(dim: int) -> np.ndarray:
        own = told * rng.normal(size=(len(names), dim))[owners]
        return own + session * rng.normal(size=(of[-1] + 1, dim))[of] + rng.normal(size=(n, dim))

    def unit(rows: np.ndarray) -> np.ndarray:
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    features = drawn(len(FEATURES)).astype(np.float32)
    features[:, 43:57] = np.nan  # no EXIF
    features[:, :4] = rng.normal(size=(n, 4))
    numbers = [1000 * int(of[at]) + at % each for at in range(n)]
    return PhotoSet(
        ids=tuple(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{at}")) for at in range(n)),
        names=tuple(names[owner] for owner in owners),
        features=features,
        visual=unit(drawn(VISUAL.dim)),
        style=unit(drawn(STYLE.dim)),
        taken_at=(None,) * n,
        places=(None,) * n,
        place_names=(None,) * n,
        cameras=(None,) * n,
        lenses=(None,) * n,
        paths=tuple(f"/archive/IMG_{number:06d}.jpg" for number in numbers),
        fingerprints=tuple(rng.bytes(32).hex() for _ in range(n)),
        credits=("csv",) * n,
        thumbnails=(None,) * n,
        visual_space=VISUAL,
        style_space=STYLE,
    )


@pytest.fixture(scope="session")
def make_photos() -> MakePhotos:
    return planted_photos
