"""Training pictures: whole, 224 x 224, decoded in the decoder's processes into one array on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.errors import MediaError, NotFoundError
from search.media import Kind
from search.photographers.photos.dataset import PhotoSet
from search.settings import Settings
from search.store.temporary_folders import temporary_folder
from workers.decode.decoded import CROP, Decoded
from workers.decode.sandbox.pool import DecodePool
from workers.storage.previews import Previews

_REPORT_EVERY = 500


class Pictures(Protocol):
    """Whole pictures by number: an array, a memory-mapped one, or some of either."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: NDArray[np.intp] | slice, /) -> NDArray[np.uint8]:
        """uint8 (k, 224, 224, 3)."""
        ...


@dataclass(frozen=True, slots=True)
class PictureSubset:
    """Rows of an array of pictures, without a copy: a library's pictures need not fit into memory."""

    pictures: Pictures
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: NDArray[np.intp] | slice, /) -> NDArray[np.uint8]:
        return self.pictures[self.rows[rows]]


class PictureDecoder(Protocol):
    """What is needed of ``workers.decode.sandbox.pool.DecodePool``."""

    workers: int

    def submit(self, path: str, kind: Kind | None = None) -> Future[Decoded]: ...


def gather(
    settings: Settings,
    photos: PhotoSet,
    path: Path,
    say: Callable[[str], object] = print,
    goes_on: Callable[[], bool] = lambda: True,
) -> bool:
    """Write the photos' pictures to ``path`` as an ``.npy`` array, uint8 (n, 224, 224, 3), in their order.

    They are made from the previews. A missing picture stays black; a training leaves those out.

    Returns:
        False when ``goes_on`` returned False; the file is incomplete then.
    """
    previews = Previews(settings)
    with DecodePool(settings) as pool, temporary_folder("likewise-previews-") as scratch:
        files = (_file(previews, key, scratch) for key in photos.thumbnails)
        return write_pictures(pool, files, len(photos), path, say, goes_on)


def write_pictures(
    pool: PictureDecoder,
    files: Iterator[Path | None],
    count: int,
    path: Path,
    say: Callable[[str], object],
    goes_on: Callable[[], bool],
) -> bool:
    """As :func:`gather`, from any ``count`` files; None stands for one that is not there.

    Raises:
        DecoderStartError: no child can be started.
    """
    pictures = np.lib.format.open_memmap(path, "w+", np.uint8, (count, CROP, CROP, 3))
    waiting: deque[tuple[int, Future[Decoded]]] = deque()
    lost = 0

    def take() -> int:
        row, future = waiting.popleft()
        picture = _whole(future)
        if picture is None:
            return 1
        pictures[row] = picture
        return 0

    with closing(_Cancelling(waiting)):
        for row, file in enumerate(files):
            if not goes_on():
                return False
            if file is None:
                lost += 1
            else:
                waiting.append((row, pool.submit(str(file), Kind.IMAGE)))
            while len(waiting) >= 4 * pool.workers:
                lost += take()
            if row and row % _REPORT_EVERY == 0:
                say(f"Read {row} of {count} pictures")
        while waiting:
            if not goes_on():
                return False
            lost += take()
    pictures.flush()
    if lost:
        say(f"{lost} of {count} pictures are not to be had any more; ingesting their folders again makes them.")
    return True


@dataclass(frozen=True, slots=True)
class _Cancelling:
    """Cancels what has not begun when it is closed."""

    waiting: deque[tuple[int, Future[Decoded]]]

    def close(self) -> None:
        for _, future in self.waiting:
            future.cancel()


def _whole(future: Future[Decoded]) -> NDArray[np.uint8] | None:
    try:
        decoded = future.result()
    except MediaError:
        return None
    return None if decoded.whole is None or not len(decoded.whole) else decoded.whole[0]


def _file(previews: Previews, key: str | None, scratch: Path) -> Path | None:
    """Path of a preview, fetched into ``scratch`` where it lies in a bucket; None for one that is missing."""
    if key is None:
        return None
    try:
        here = previews.path(key)
        if here is not None:
            return here if here.is_file() else None
        fetched = scratch / Path(key).name
        fetched.write_bytes(previews.read(key))
        return fetched
    except NotFoundError:
        return None
