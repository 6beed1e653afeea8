"""Encode pictures by the saved autoencoder: their image codes, their places on the map of photos, and what is nearest.

Pictures that were not trained on are encoded like all others; nothing is learnt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.errors import MediaError, UnsupportedMediaError
from search.media import Kind
from search.photographers.space import PhotographerSpace, Plane
from workers.decode.decoded import Decoded
from workers.photographers.joint.autoencoder import codes_of
from workers.photographers.joint.files import read_model
from workers.photographers.joint.pictures import PictureDecoder
from workers.photographers.joint.targets.style import FINGERPRINT


@dataclass(frozen=True, slots=True)
class NearPhoto:
    """A photo of the space: its media id, its photographer, and the distance of its code in deviations of all codes."""

    id: str
    photographer: str
    distance: float


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """Image code of a picture, (16,); its place on the map of photos; and the photos of the nearest codes."""

    code: tuple[float, ...]
    at: tuple[float, float]
    near: tuple[NearPhoto, ...]


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A file with what became of it: ``picture``, or the ``error`` in words."""

    path: str
    picture: EncodedPicture | None
    error: str = ""


class SavedEncoder:
    """The encoder of a trained photographer space.

    Raises:
        ModelError: the folder holds no photographer space.
        SpaceMismatchError: it was trained by a version whose codes cannot be compared.
    """

    def __init__(self, folder: Path) -> None:
        self._space, kept = PhotographerSpace.load(folder), read_model(folder, FINGERPRINT)
        self._network, self._scale = kept.autoencoder, kept.codes
        self._plane, self._scaled = Plane.of(self._space.codes), kept.codes(self._space.codes)

    def encode(self, pictures: NDArray[np.uint8], n: int = 5) -> tuple[EncodedPicture, ...]:
        """Codes of whole pictures uint8 (k, 224, 224, 3), each with the ``n`` nearest photos, nearest first."""
        codes = codes_of(self._network, pictures)
        places, scaled = self._plane.project(codes), self._scale(codes)
        found = []
        for code, place, row in zip(codes, places, scaled, strict=True):
            distances = np.linalg.norm(self._scaled - row, axis=1)
            near = tuple(
                NearPhoto(self._space.ids[at], self._space.owner(at), float(distances[at]))
                for at in np.argsort(distances, kind="stable")[:n].tolist()
            )
            found.append(EncodedPicture(tuple(map(float, code)), (float(place[0]), float(place[1])), near))
        return tuple(found)

    def encode_files(self, decoder: PictureDecoder, paths: Iterable[str], n: int = 5) -> Iterator[EncodedFile]:
        """Encode files in their order, decoded as trainings decode photos. One that cannot be read stops no other.

        Raises:
            DecoderStartError: no decoder can be started.
        """
        waiting: deque[tuple[str, Future[Decoded]]] = deque()
        for path in paths:
            waiting.append((path, decoder.submit(path, Kind.IMAGE)))
            if len(waiting) >= 4 * decoder.workers:
                yield self._encoded(*waiting.popleft(), n)
        while waiting:
            yield self._encoded(*waiting.popleft(), n)

    def _encoded(self, path: str, future: Future[Decoded], n: int) -> EncodedFile:
        try:
            decoded = future.result()
            if decoded.kind is not Kind.IMAGE or decoded.whole is None or not len(decoded.whole):
                raise UnsupportedMediaError("It is not a picture; codes are of pictures.")
        except MediaError as error:
            return EncodedFile(path, None, str(error))
        return EncodedFile(path, self.encode(decoded.whole[:1], n)[0])
