"""Photos of a training of the joint model, and their pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from search.photographers.photos.dataset import PhotoSet
from search.settings import Settings
from search.store.durable import check_space
from workers.decode.decoded import CROP
from workers.photographers.joint.pictures import gather
from workers.training.request import PHOTOS, PICTURES

MOST = 8_000
"""Photos at most: their pictures take 1.2 GB of disk. Of more, every photographer keeps an even share."""

MOST_FOLDED_IN_BY = 50
"""Photos by which a photographer is folded into the photographer space; ten are enough."""


def gather_pictures(
    settings: Settings, folder: Path, say: Callable[[str], object], goes_on: Callable[[], bool], most: int = MOST
) -> tuple[str, ...] | None:
    """Write the pictures of the photos in ``folder`` (``workers.training.request``), and keep only those photos there.

    Returns:
        What was left out, in sentences; None when ``goes_on`` returned False.

    Raises:
        DecoderStartError: no decoder can be started.  DiskFullError: there is no room for the pictures.
    """
    photos = PhotoSet.load(folder / PHOTOS)
    chosen = even_choice(photos.names, most)
    spared = int(photos.labelled.sum()) - len(chosen)
    photos = photos.take(chosen)
    photos.save(folder / PHOTOS)
    check_space(folder, len(photos) * CROP * CROP * 3)
    if not gather(settings, photos, folder / PICTURES, say, goes_on):
        return None
    return (f"{spared:,} photos were left out: {most:,} are looked at, an even share of each.",) if spared else ()


def even_choice(names: tuple[str | None, ...], most: int) -> list[int]:
    """Positions of at most so many credited photos, ascending, an even share of each photographer; always the same."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        if name is not None:
            by_name[name].append(row)
    rng = np.random.default_rng(0)
    ranked = [(rank, row) for rows in by_name.values() for rank, row in enumerate(rng.permutation(rows).tolist())]
    return sorted(row for _, row in sorted(ranked)[:most])
