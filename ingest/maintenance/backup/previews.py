"""Preview pictures of a backup: read for it and written from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from search.errors import NotFoundError
from search.settings import Settings
from search.store.base import Point
from workers.storage.previews import Previews

THREADS = 16
"""Previews that are read at the same time: in a bucket each takes a round trip."""


class PreviewArchive:
    """The previews of records, by the records' ids."""

    def __init__(self, settings: Settings) -> None:
        self._previews = Previews(settings)

    def read(self, points: Sequence[Point]) -> dict[str, bytes]:
        """Previews of these points by id; points without one are left out."""
        keys = {point.id: key for point in points if isinstance(key := point.payload.get("thumbnail"), str)}
        with ThreadPoolExecutor(THREADS) as threads:
            found = zip(keys, threads.map(self._read, keys.values()), strict=True)
            return {id_: webp for id_, webp in found if webp is not None}

    def write(self, pictures: Mapping[str, bytes]) -> None:
        """Save previews by their keys, as they are."""
        if pictures:
            self._previews.save(pictures, sealed=False)

    def _read(self, key: str) -> bytes | None:
        try:
            return self._previews.read(key)
        except NotFoundError:
            return None
