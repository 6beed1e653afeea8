"""Standardise sounds: centre and scale each dimension of ``sound_raw``, and rewrite older sounds.

Raw vectors are nearly parallel, so that their cosines hardly differ.

Mean and deviation ship with the model (``workers/embedders/sound/logmel.npz``, made by
``workers.embedders.sound.fit_logmel``), so that a sound has the same vector in every library. The
metadata of a collection names the statistics of its ``sound`` vectors; libraries that an older version standardised
with their own statistics are rewritten once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError
from search.model_descriptions.registry import LOGMEL
from search.spaces import CollectionSchema, Distance
from search.store.base import Array, Store

KEY = "sound_standardisation"
"""Metadata key of a collection: ``{"version": version of the statistics of its sounds}``."""

UNDER_WAY = "sound_restandardising"
"""Metadata key during a rewrite: ``{"version": version of the statistics, "after": last id that is done}``."""

OBSOLETE = "sound_refit_pending"
"""Metadata key by which older versions marked a rewrite in progress."""

LIMIT = 3.0
"""Deviations at which a dimension is clipped, so that no single band decides a cosine."""

STATISTICS = "logmel.npz"
"""Beside this module: ``mean`` and ``deviation``, float32 ``(256,)`` each."""

PAGE = 500


@dataclass(frozen=True, slots=True)
class SoundStatistics:
    """Mean and deviation of each dimension of ``sound_raw``, float32 ``(dim,)``.

    ``version`` is 16 hex digits of the SHA-256 of their file.
    """

    version: str
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, data: bytes) -> SoundStatistics:
        """Read statistics.

        Args:
            data: bytes of an ``.npz``, see :data:`STATISTICS`.

        Raises:
            ModelError: they are damaged, or of another dimension.
        """
        try:
            with np.load(BytesIO(data), allow_pickle=False) as held:
                mean, deviation = (held[name].astype(np.float32) for name in ("mean", "deviation"))
            if mean.shape != (LOGMEL.dim,) or deviation.shape != mean.shape or not (deviation > 0).all():
                raise ValueError(f"they hold {mean.shape} means and {deviation.shape} deviations")
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ModelError(f"The statistics of sounds cannot be read: {error}", "Install Likewise again.") from error
        return cls(hashlib.sha256(data).hexdigest()[:16], mean, deviation)


@lru_cache(maxsize=1)
def shipped() -> SoundStatistics:
    """The statistics that every sound is standardised with.

    Raises:
        ModelError: their file is missing or damaged.
    """
    try:
        data = files("workers.embedders.sound").joinpath(STATISTICS).read_bytes()
    except OSError as error:
        raise ModelError(f"The statistics of sounds cannot be read: {error}", "Install Likewise again.") from error
    return SoundStatistics.of(data)


def standardise(raw: Array, statistics: SoundStatistics | None = None) -> Array:
    """``sound`` from ``sound_raw``: float32 ``(n, dim)`` to rows of unit length.

    Args:
        statistics: those that ship when left out.

    Raises:
        ModelError: see :func:`shipped`.
    """
    statistics = statistics or shipped()
    scaled = np.clip((raw.astype(np.float64) - statistics.mean) / statistics.deviation, -LIMIT, LIMIT)
    # A sound equal to the mean has no direction; it gets a fixed one.
    scaled[~scaled.any(axis=1)] = 1.0
    unit: Array = (scaled / np.linalg.norm(scaled, axis=1, keepdims=True)).astype(np.float32)
    return unit


def with_sound(vectors: Mapping[str, Array]) -> dict[str, Array]:
    """Vectors of one file by space, with ``sound`` computed from the ``sound_raw`` of log-mel by this version, because
    a worker of another version uses other statistics or sends no ``sound``. Doing it twice changes nothing.

    Args:
        vectors: space name to float32 ``(m, dim)``.

    Raises:
        ModelError: see :func:`shipped`.
    """
    raw = vectors.get("sound_raw")
    if raw is None or raw.shape[1] != LOGMEL.dim:
        return dict(vectors)
    return {**vectors, "sound": standardise(raw)}


def mark_standardised(store: Store, collection: str) -> None:
    """Mark a collection of log-mel sounds: all are standardised with the shipped statistics.

    Raises:
        StoreError: the store refused.
    """
    if _holds_sounds(store.schema(collection)):
        store.set_metadata(collection, {KEY: {"version": shipped().version}, UNDER_WAY: None, OBSOLETE: None})


def restandardise(
    store: Store, collections: Sequence[str] | None = None, goes_on: Callable[[], bool] = lambda: True
) -> bool:
    """Rewrite every ``sound`` from its ``sound_raw`` where it was made with other statistics than the shipped ones.

    Points written meanwhile use the shipped statistics. After a kill, the next run continues after the last finished
    page; running twice changes nothing. Sounds of other models than log-mel are left unchanged.

    Args:
        collections: names of collections or generations; every current collection when left out.
        goes_on: called between pages; once it returns False, the rest is left to the next call.

    Returns:
        True when sounds were rewritten to the end; False when there was nothing to do, or it was stopped.

    Raises:
        StoreError: the store refused.
    """
    left = [name for name in (store.collections() if collections is None else collections) if _is_left(store, name)]
    return bool(left) and all(_rewrite(store, name, goes_on) for name in left)


def _is_left(store: Store, name: str) -> bool:
    made_with = (store.metadata(name).get(KEY) or {}).get("version")
    return _holds_sounds(store.schema(name)) and made_with != shipped().version


def _rewrite(store: Store, name: str, goes_on: Callable[[], bool]) -> bool:
    """Rewrite the sounds of one collection; False when it was cut off."""
    statistics = shipped()
    mark = store.metadata(name).get(UNDER_WAY) or {}
    after = mark.get("after") if mark.get("version") == statistics.version else None
    for ids, raw in _pages(store, name, after):
        if not goes_on():
            return False
        sounds = standardise(raw, statistics)
        store.update_vectors(name, {id_: {"sound": sounds[i : i + 1]} for i, id_ in enumerate(ids)})
        store.set_metadata(name, {UNDER_WAY: {"version": statistics.version, "after": ids[-1]}})
    mark_standardised(store, name)
    return True


def _holds_sounds(schema: CollectionSchema) -> bool:
    return schema.space("sound_raw") == LOGMEL.space("sound_raw", Distance.DOT) and schema.space("sound") is not None


def _pages(store: Store, name: str, after: str | None) -> Iterator[tuple[list[str], Array]]:
    """Every raw sound of a collection, behind an id if one is given, as ids and float32 ``(n, dim)``."""
    ids: list[str] = []
    rows: list[Array] = []
    for point in store.scroll(name, vectors=("sound_raw",), payload=False, page=PAGE, after=after):
        if "sound_raw" in point.vectors:
            ids.append(point.id)
            rows.append(point.vectors["sound_raw"])
        if len(ids) == PAGE:
            yield ids, np.concatenate(rows)
            ids, rows = [], []
    if ids:
        yield ids, np.concatenate(rows)
