"""Standardising ``sound``: raw log-mel statistics are nearly parallel until each dimension is centred and scaled.

Mean and deviation come from the whole collection, audio files and sound tracks of videos together, so that the two
compare; they are kept in the metadata of both collections. As the collection grows they are fitted anew and every
``sound`` vector is rewritten from its ``sound_raw``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.media import Kind
from search.store.base import Array, Store
from search.store.filters import Filter
from workers.intake import Intake

COLLECTIONS = (Kind.AUDIO.collection, Kind.VIDEO.collection)
KEY = "sound_standardisation"
PENDING = "sound_refit_pending"
GROWTH = 1.2
"""Growth of the number of sounds that calls for fitting anew."""

FEWEST = 4
"""With fewer sounds a deviation says nothing, and the raw statistics are compared as they are."""

LIMIT = 3.0
"""Deviations at which a dimension is clipped, so that no single odd band decides a cosine."""

PAGE = 500


@dataclass(frozen=True, slots=True)
class SoundStatistics:
    """Mean and deviation of each dimension of ``sound_raw``, float64 ``(dim,)``, over ``count`` sounds.

    ``version`` counts fits; 0 is a provisional one from the first sounds that came.
    """

    version: int
    count: int
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def to_json(self) -> dict[str, object]:
        return {"version": self.version, "n": self.count, "mean": self.mean.tolist(), "std": self.std.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SoundStatistics:
        return cls(int(data["version"]), int(data["n"]), np.array(data["mean"]), np.array(data["std"]))


def standardise(raw: Array, statistics: SoundStatistics) -> Array:
    """``sound`` from ``sound_raw``: float32 ``(n, dim)`` to rows of unit length."""
    scaled = np.clip((raw - statistics.mean) / statistics.std, -LIMIT, LIMIT)
    # A sound exactly at the mean has no direction; any one will do, so long as it is always the same.
    scaled[~scaled.any(axis=1)] = 1.0
    unit: Array = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
    return unit


def fit(pages: Iterable[Array], version: int) -> SoundStatistics:
    """Statistics over all rows of all pages, in one pass that holds one page.

    Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
    """
    count, mean, squares = 0, np.zeros(1), np.zeros(1)
    for page in pages:
        rows = page.astype(np.float64)
        page_mean = rows.mean(axis=0)
        total = count + len(rows)
        apart = page_mean - mean
        squares = squares + ((rows - page_mean) ** 2).sum(axis=0) + apart**2 * (count * len(rows) / total)
        mean = mean + apart * (len(rows) / total)
        count = total
    if count < FEWEST:
        return SoundStatistics(version, count, np.zeros_like(mean), np.ones_like(mean))
    std = np.sqrt(squares / count)
    return SoundStatistics(version, count, mean, np.where(std > 1e-6, std, 1.0))


def current_statistics(store: Intake) -> SoundStatistics | None:
    """The statistics in force; None before the first sound."""
    found = [store.metadata(name).get(KEY) for name in _present(store)]
    fits = [SoundStatistics.from_json(data) for data in found if data]
    return max(fits, key=lambda fitted: fitted.version, default=None)


def provisional_statistics(store: Intake, raw: Array) -> SoundStatistics:
    """The statistics in force, or else, kept from now on, those of ``raw``: the first sounds can be found at once."""
    statistics = current_statistics(store)
    if statistics is None:
        statistics = fit([raw], version=0)
        _keep(store, {KEY: statistics.to_json()})
    return statistics


def refit_sound(store: Store) -> bool:
    """Fit the statistics anew and rewrite every ``sound`` vector, if the collection has grown enough since the last
    fit; True when it was done.

    A marker in the metadata says that rewriting has begun; a process that finds one left behind does it all again.
    Points written meanwhile use the new statistics, which are in force before the first vector is rewritten.
    """
    present = _present(store)
    statistics = current_statistics(store)
    pending = any(store.metadata(name).get(PENDING) for name in present)
    if statistics is None and not pending:
        return False
    if statistics is not None and statistics.version > 0 and not pending:
        heard = sum(store.count(name, Filter(has_space="sound_raw", include_missing=True)) for name in present)
        if heard < GROWTH * statistics.count:
            return False
    version = statistics.version + 1 if statistics is not None else 1
    fitted = fit((raw for _, _, raw in _pages(store)), version)
    _keep(store, {PENDING: True, KEY: fitted.to_json()})
    for name, ids, raw in _pages(store):
        sounds = standardise(raw, fitted)
        store.update_vectors(name, {id_: {"sound": sounds[i : i + 1]} for i, id_ in enumerate(ids)})
    _keep(store, {PENDING: None})
    return True


def _present(store: Intake) -> list[str]:
    existing = store.collections()
    return [name for name in COLLECTIONS if name in existing]


def _keep(store: Intake, values: Mapping[str, Any]) -> None:
    for name in _present(store):
        store.set_metadata(name, values)


def _pages(store: Store) -> Iterator[tuple[str, list[str], Array]]:
    """Every raw sound there is, as (collection, ids, float32 ``(n, dim)``)."""
    for name in _present(store):
        ids: list[str] = []
        rows: list[Array] = []
        for point in store.scroll(name, vectors=("sound_raw",), payload=False, page=PAGE):
            if "sound_raw" in point.vectors:
                ids.append(point.id)
                rows.append(point.vectors["sound_raw"])
            if len(ids) == PAGE:
                yield name, ids, np.concatenate(rows)
                ids, rows = [], []
        if ids:
            yield name, ids, np.concatenate(rows)
