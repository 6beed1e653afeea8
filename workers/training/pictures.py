"""The pictures that the joint model is trained on: the photos' files, decoded once more and squeezed to a square."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.errors import DecoderStartError, MediaError, UsageError
from search.media import Kind
from search.photographers.dataset import PhotoSet
from search.settings import Settings
from search.store.durable import check_space
from workers.decode.decoded import Decoded
from workers.decode.pool import DecodePool
from workers.objects import FileChangedError
from workers.training.order import PHOTOS, PICTURES

SIDE = 224
MOST = 8_000
"""Photos whose pictures are gathered: 1.2 GB on disk. Of more, every photographer keeps an even share."""

TOLD_EVERY = 200
AHEAD = 4
"""Files given to each decoder in advance, so that none waits."""


def gather(
    settings: Settings, folder: Path, say: Callable[[str], object], goes_on: Callable[[], bool], most: int = MOST
) -> tuple[str, ...] | None:
    """Put the pictures of the photos in ``folder`` beside them (``workers.training.order``), and leave out of these
    the photos of which there is no picture to be had.

    Returns:
        What was left out, in sentences; None when ``goes_on`` said no.

    Raises:
        UsageError: none of the files can be read.
        DecoderStartError: no decoder can be started.  DiskFullError: there is no room for the pictures.
    """
    photos = PhotoSet.load(folder / PHOTOS)
    chosen = even_choice(photos, most)
    check_space(folder, len(chosen) * SIDE * SIDE * 3)
    pictures = np.lib.format.open_memmap(
        folder / PICTURES, mode="w+", dtype=np.uint8, shape=(len(chosen), SIDE, SIDE, 3)
    )
    there: list[int] = []
    with DecodePool(settings) as pool:
        waiting: dict[int, Future[Decoded]] = {}
        rows = iter(chosen)
        while True:
            for row in islice(rows, pool.workers * AHEAD - len(waiting)):
                waiting[row] = pool.submit(photos.paths[row], Kind.IMAGE)
            if not waiting:
                break
            if not goes_on():
                return None
            row = next(iter(waiting))
            if (picture := _picture(waiting.pop(row))) is not None:
                pictures[len(there)] = picture
                there.append(row)
                if len(there) % TOLD_EVERY == 0:
                    say(f"Looked at {len(there):,} of {len(chosen):,} photos.")
    if not there:
        raise UsageError("None of the photos' files can be read now.", "They have to lie where they were taken in.")
    if len(there) < len(chosen):
        _cut(folder / PICTURES, pictures, len(there))
    photos.take(there).save(folder / PHOTOS)
    unread, spared = len(chosen) - len(there), len(photos) - len(chosen)
    notes = [f"{unread:,} photos were left out, whose files cannot be read now."] if unread else []
    notes += (
        [f"{spared:,} photos were left out: {most:,} are looked at, of each photographer as many."] if spared else []
    )
    return tuple(notes)


def even_choice(photos: PhotoSet, most: int) -> list[int]:
    """At most so many photos, of each photographer as many as there are to be had; photos of nobody fill what is left.
    The same each time, in order."""
    by_name: dict[str | None, list[int]] = defaultdict(list)
    for row, name in enumerate(photos.names):
        by_name[name].append(row)
    rng = np.random.default_rng(0)
    ranked: list[tuple[bool, int, int]] = []
    for name, rows in by_name.items():
        ranked += [(name is None, rank, row) for rank, row in enumerate(rng.permutation(rows).tolist())]
    return sorted(row for _, _, row in sorted(ranked)[:most])


def _picture(decoding: Future[Decoded]) -> NDArray[np.uint8] | None:
    """uint8 (224, 224, 3); None for a file that is not to be had, or is no picture any more."""
    try:
        whole = decoding.result().whole
    except DecoderStartError:
        raise
    except (MediaError, FileChangedError, CancelledError, OSError):
        return None
    return None if whole is None or not len(whole) else whole[0]


def _cut(path: Path, pictures: NDArray[np.uint8], count: int) -> None:
    """Leave only the first ``count`` pictures in the file, written anew beside it a few at a time."""
    beside = path.with_name(f"{path.name}.part")
    shape = (count, *pictures.shape[1:])
    kept = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, count, TOLD_EVERY):
        kept[start : min(start + TOLD_EVERY, count)] = pictures[start : min(start + TOLD_EVERY, count)]
    kept.flush()
    beside.replace(path)
