"""Run developed photos through the product: JPEG file, decoder process, models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from search.media import Kind
from search.store.base import Array
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.models import Embedded

QUALITY = 92
"""Of the JPEG files, what raw developers export with."""

PictureEncoder = Callable[[NDArray[np.uint8]], Array]
"""Whole pictures, uint8 ``(n, 224, 224, 3)``, to vectors, float32 ``(n, dim)``."""

_SOI = b"\xff\xd8"
_COMMENT = b"\xff\xfe"
_COMMENT_MOST = 65_533
"""Bytes of a JPEG comment. Source: ITU-T T.81, B.2.4.5."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Features and vectors of pictures; float32, leading axes as the pictures have them, ``(n,)`` at first.

    Attributes:
        features: ``(n, 78)`` of ``search.photographers.photos.features``, NaN where absent.
        visual: ``(n, dim)`` unit vectors of the image model, pooled.
        early: ``(n, 224)`` means and deviations of early activations.
        statistics: ``(n, dim)`` of ``workers.embedders.style.statistics``, which style vectors are made from.
        style: ``(n, dim)`` unit vectors of the ``style`` space as shipped.
        trained: ``(n, dim)`` of the same encoder trained on this seed's gallery; of no dimension before.
        whitened: ``(n, dim)`` of ``workers.photographers.benchmark.encoder``, likewise.
    """

    features: Array
    visual: Array
    early: Array
    statistics: Array
    style: Array
    trained: Array
    whitened: Array

    @classmethod
    def stack(cls, observations: Sequence[Self]) -> Self:
        """One more axis in front."""
        return cls(*(np.stack([getattr(observation, name) for observation in observations]) for name in cls.__slots__))

    def at(self, photos: object, presets: object = slice(None)) -> Self:
        """A choice along the first two axes, base photos and photographers."""
        return type(self)(*(getattr(self, name)[photos][:, presets] for name in self.__slots__))


class BenchmarkEmbedder(Protocol):
    """What the benchmark needs of ``workers.embedders.models.Models``."""

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]: ...


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The product's models, loaded and ready; see :class:`Observation` for what each gives.

    Attributes:
        style: from statistics, float32 ``(n, dim)`` to ``(n, dim)``.
        words: which model gives which vector.
    """

    embedder: BenchmarkEmbedder
    early: PictureEncoder
    statistics: PictureEncoder
    style: Callable[[Array], Array]
    words: tuple[str, ...]


class ProductPipeline:
    """Decodes and embeds pictures as an ingest does.

    Args:
        folder: where files lie between being written and being decoded.
    """

    def __init__(self, pool: DecodePool, models: LoadedModels, folder: Path) -> None:
        self._pool, self._models, self._folder = pool, models, folder
        self._written = 0

    def observe(self, batches: Iterable[Sequence[NDArray[np.uint8]]]) -> Iterator[Observation]:
        """One observation a batch, in order. The next batch is decoded while the models embed this one.

        Raises:
            MediaError: a file that was written here cannot be decoded.
            ModelError: a model failed.
        """
        return map(self._observe, self._decoded(batches))

    def _decoded(self, batches: Iterable[Sequence[NDArray[np.uint8]]]) -> Iterator[list[Decoded]]:
        waiting: list[tuple[Path, Future[Decoded]]] | None = None
        for pictures in batches:
            begun = self._begin(pictures)
            if waiting is not None:
                yield _finished(waiting)
            waiting = begun
        if waiting is not None:
            yield _finished(waiting)

    def _begin(self, pictures: Sequence[NDArray[np.uint8]]) -> list[tuple[Path, Future[Decoded]]]:
        begun: list[tuple[Path, Future[Decoded]]] = []
        for data in padded_to_one_size([encoded(picture) for picture in pictures]):
            self._written += 1
            path = self._folder / f"{self._written}.jpg"
            path.write_bytes(data)
            begun.append((path, self._pool.submit(path.as_posix(), Kind.IMAGE)))
        return begun

    def _observe(self, decoded: Sequence[Decoded]) -> Observation:
        vectors = [one.vectors for one in self._models.embedder.embed(decoded)]
        wholes = np.concatenate([one.whole for one in decoded if one.whole is not None])
        statistics = self._models.statistics(wholes)
        nothing = np.empty((len(decoded), 0), np.float32)
        features = [[np.nan if value is None else value for value in one.features] for one in decoded]
        return Observation(
            np.array(features, np.float32),
            np.concatenate([of["visual"] for of in vectors]),
            self._models.early(wholes),
            statistics,
            self._models.style(statistics),
            nothing,
            nothing,
        )


def _finished(begun: Sequence[tuple[Path, Future[Decoded]]]) -> list[Decoded]:
    decoded = [future.result() for _, future in begun]
    for path, _ in begun:
        path.unlink()
    return decoded


def encoded(picture: NDArray[np.uint8]) -> bytes:
    """The picture, uint8 ``(h, w, 3)`` RGB, as a JPEG file without any metadata."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    if not done:
        raise ValueError(f"A picture of {picture.shape} cannot be written as JPEG.")
    return bytes(data.tobytes())


def padded_to_one_size(files: Sequence[bytes]) -> list[bytes]:
    """JPEG files brought to one size by comments: file size would otherwise reveal grain, which compresses badly."""
    most = max(map(len, files)) + 2 * len(_COMMENT)
    return [_SOI + _comments(most - len(file)) + file[len(_SOI) :] for file in files]


def _comments(size: int) -> bytes:
    """Comment segments of ``size`` bytes, at least 4, in all."""
    parts: list[bytes] = []
    while size:
        # The marker and the length take 4 bytes; a rest of fewer could not be filled by a segment of its own.
        take = min(size, _COMMENT_MOST - 8)
        if 0 < size - take < 4:
            take -= 4
        parts.append(_COMMENT + (take - 2).to_bytes(2, "big") + b" " * (take - 4))
        size -= take
    return b"".join(parts)
