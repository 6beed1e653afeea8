"""The photos of a library as arrays, the data set of everything about photographers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError, NotFoundError, UsageError
from search.media import BORDERS_SINCE, Kind, MediaRecord
from search.spaces import Distance, Space
from search.store.base import Array, Store, StoredPoint
from search.store.filters import Filter

Rows: TypeAlias = NDArray[np.intp] | NDArray[np.bool_]
"""Selected photos: positions in any order, intp ``(k,)``, or one truth value each, bool ``(n,)``."""

FEATURE_COUNT = 78
VISUAL, STYLE, APPEARANCE = "visual", "style", "appearance"

_FORMAT = 3
_WITHOUT_PLACES, _WITHOUT_APPEARANCE = 1, 2
_MATRICES = ("features", "visual", "style", "appearance", "borders")
_NOTHING: Array = np.empty((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """Facts of ``n`` photos in order of id; absent facts are None (NaN in ``features``).

    Attributes:
        names: the photographer that a photo is credited to.
        credits: source of that credit, see ``search.media.Credit``.
        features: float32 ``(n, 78)``, see ``features.FEATURES``; a row of NaN where they were never computed.
        visual: float32 ``(n, dim)``, unit rows of ``visual_space``.
        style: float32 ``(n, dim)``, unit rows of ``style_space``; NaN where a photo has none. ``(n, 0)`` where the
            library has no such space, which is then None.
        appearance: float32 ``(n, dim)`` of ``appearance_space``, of no fixed length; otherwise as ``style``.
        borders: float32 ``(n, 4)``, shares of each photo's sides that lie outside the picture: left, top, right, bottom
            (see ``search.media.MediaRecord``); 0 where there are none or they were not to be cut, a row of NaN where
            an older version decoded the photo.
        taken_at: ISO 8601.
        places: latitude and longitude in degrees, WGS 84.
        place_names: names of the places, where people have entered them.
        paths: the first path of each.
        fingerprints: the perceptual hash of each as hex; None for a picture too plain to have one.
        thumbnails: keys of the preview pictures.
    """

    ids: tuple[str, ...]
    names: tuple[str | None, ...]
    features: Array
    visual: Array
    style: Array
    taken_at: tuple[str | None, ...]
    places: tuple[tuple[float, float] | None, ...]
    place_names: tuple[str | None, ...]
    cameras: tuple[str | None, ...]
    lenses: tuple[str | None, ...]
    paths: tuple[str, ...]
    fingerprints: tuple[str | None, ...]
    credits: tuple[str | None, ...]
    thumbnails: tuple[str | None, ...]
    visual_space: Space
    style_space: Space | None
    appearance: Array = field(default_factory=lambda: _NOTHING)
    borders: Array = field(default_factory=lambda: _NOTHING)
    appearance_space: Space | None = None

    def __post_init__(self) -> None:
        if self.appearance is _NOTHING:
            object.__setattr__(self, "appearance", np.empty((len(self.ids), 0), np.float32))
        if self.borders is _NOTHING:
            object.__setattr__(self, "borders", np.full((len(self.ids), 4), np.nan, np.float32))
        for name in (*_COLUMNS, *_MATRICES):
            if len(getattr(self, name)) != len(self.ids):
                raise ValueError(f"{len(self.ids)} photos, but {len(getattr(self, name))} {name}")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def digest(self) -> str:
        """16 hex digits over everything a model can be trained on: equal digests, equal data."""
        hashed = hashlib.sha256()
        hashed.update(json.dumps([getattr(self, name) for name in _COLUMNS] + _spaces_json(self)).encode())
        for name in _MATRICES:
            hashed.update(np.ascontiguousarray(getattr(self, name), np.float32).tobytes())
        return hashed.hexdigest()[:16]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether each photo is credited, bool ``(n,)``."""
        return np.array([name is not None for name in self.names], bool)

    def take(self, rows: Rows | Sequence[int]) -> PhotoSet:
        """Some of the photos, in this order."""
        index = np.asarray(rows)
        at = np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)
        columns: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in at) for name in _COLUMNS}
        matrices: dict[str, Any] = {name: getattr(self, name)[at] for name in _MATRICES}
        return replace(self, **columns, **matrices)

    def save(self, path: Path) -> None:
        """Write everything to one ``.npz`` file atomically."""
        facts = {
            "format": _FORMAT,
            "columns": {name: getattr(self, name) for name in _COLUMNS},
            "spaces": _spaces_json(self),
        }
        # As JSON, not as an array of text: numpy cuts trailing NUL characters off, and names come from files.
        text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        beside = path.with_name(f".{path.name}.part")
        with beside.open("wb") as file:
            np.savez(file, facts=text, **{name: getattr(self, name) for name in _MATRICES})
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> PhotoSet:
        """Inverse of :meth:`save`.

        Raises:
            ModelError: the file is not there, is damaged, or was written by another version.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                facts = json.loads(arrays["facts"].tobytes())
                facts["columns"].setdefault("place_names", [None] * len(facts["columns"]["ids"]))
                written = facts["format"]
                if written == _WITHOUT_PLACES:
                    facts["columns"]["places"] = [None] * len(facts["columns"]["ids"])
                if written not in (_WITHOUT_PLACES, _WITHOUT_APPEARANCE, _FORMAT):
                    raise ModelError(f"The photos in '{path}' were written by another version of Likewise.")
                columns: dict[str, Any] = {name: tuple(facts["columns"][name]) for name in _COLUMNS}
                columns["places"] = tuple(None if place is None else (*place,) for place in columns["places"])
                stored = _MATRICES if written == _FORMAT else _MATRICES[:3]
                matrices: dict[str, Any] = {name: arrays[name] for name in stored}
                visual, *others = (None if raw is None else _space(raw) for raw in facts["spaces"])
                if visual is None:
                    raise KeyError("visual_space")
                style, appearance, *_ = (*others, None)
                return cls(visual_space=visual, style_space=style, appearance_space=appearance, **columns, **matrices)
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise ModelError(f"The photos in '{path}' cannot be read: {error}.", "Start the training again.") from error


AT_ONCE = 500
"""Photos that are asked for by their ids at once."""

_COLUMNS = tuple(f.name for f in fields(PhotoSet) if f.name not in _MATRICES and not f.name.endswith("_space"))


def read_photos(store: Store, where: Filter | None = None, ids: Sequence[str] | None = None) -> PhotoSet:
    """All pictures of a library with a ``visual`` vector, credited or not.

    Args:
        ids: read only these, in this order, without those that have gone; instead of ``where``.

    Raises:
        NotFoundError: the library holds no pictures yet.
        UsageError: ``where`` matches none of them.
    """
    collection = Kind.IMAGE.collection
    info = store.collections().get(collection)
    visual = info.schema.space(VISUAL) if info else None
    if info is None or visual is None or not info.points:
        raise NotFoundError("There are no pictures in this library yet.", "Ingest some first: likewise ingest FOLDER.")
    optional = {name: info.schema.space(name) for name in (STYLE, APPEARANCE)}
    spaces = [VISUAL, *(name for name, space in optional.items() if space is not None)]
    columns: dict[str, list[Any]] = {name: [] for name in _FACTS}
    rows: dict[str, list[Array]] = {name: [] for name in _MATRICES}
    absent = {name: np.full((1, space.dim if space else 0), np.nan, np.float32) for name, space in optional.items()}
    for point in _points(store, where or Filter(), ids, spaces):
        if VISUAL not in point.vectors:
            continue
        # Not kept: as objects, its features take as much memory as vectors.
        record = MediaRecord.from_payload(point.payload)
        for name, fact in _FACTS.items():
            columns[name].append(fact(record))
        rows["features"].append(_features(record))
        rows[VISUAL].append(point.vectors[VISUAL][:1])
        for name, nothing in absent.items():
            rows[name].append(point.vectors.get(name, nothing)[:1])
        rows["borders"].append(borders_of(record))
    if not rows[VISUAL]:
        raise UsageError("None of the pictures in this library is meant.", "Ask for fewer conditions at once.")
    # Each list is freed as soon as its matrix exists.
    facts: dict[str, Any] = {name: tuple(columns.pop(name)) for name in _FACTS}
    matrices: dict[str, Any] = {name: np.concatenate(rows.pop(name)) for name in _MATRICES}
    return PhotoSet(
        visual_space=visual,
        style_space=optional[STYLE],
        appearance_space=optional[APPEARANCE],
        **facts,
        **matrices,
    )


def borders_of(record: MediaRecord) -> Array:
    """float32 ``(1, 4)``, see :class:`PhotoSet`; a damaged record counts as one that nobody looked at."""
    if len(record.borders) == 4:
        return np.array([record.borders], np.float32)
    if record.borders:
        return np.full((1, 4), np.nan, np.float32)
    return np.full((1, 4), 0.0 if record.decoding >= BORDERS_SINCE else np.nan, np.float32)


def _points(store: Store, where: Filter, ids: Sequence[str] | None, spaces: Sequence[str]) -> Iterator[StoredPoint]:
    if ids is None:
        yield from store.scroll(Kind.IMAGE.collection, where=where, vectors=spaces)
        return
    for start in range(0, len(ids), AT_ONCE):
        yield from store.retrieve(Kind.IMAGE.collection, ids[start : start + AT_ONCE], vectors=spaces)


def _place(record: MediaRecord) -> tuple[float, float] | None:
    location = record.location
    return None if location is None else (location["lat"], location["lon"])


_FACTS: Mapping[str, Callable[[MediaRecord], str | tuple[float, float] | None]] = {
    "ids": lambda record: record.id,
    "names": lambda record: record.photographer,
    "taken_at": lambda record: record.taken_at,
    "places": _place,
    "place_names": lambda record: record.place,
    "cameras": lambda record: record.camera,
    "lenses": lambda record: record.lens,
    "paths": lambda record: record.paths[0] if record.paths else "",
    "fingerprints": lambda record: record.fingerprints[0] if record.fingerprints else None,
    "credits": lambda record: record.credit,
    "thumbnails": lambda record: record.thumbnail,
}
"""Source of each column of a :class:`PhotoSet`."""


def _features(record: MediaRecord) -> NDArray[np.float32]:
    """float32 ``(1, 78)``; features of another length are of another version and are ignored."""
    if len(record.features) != FEATURE_COUNT:
        return np.full((1, FEATURE_COUNT), np.nan, np.float32)
    return np.array([[np.nan if value is None else value for value in record.features]], np.float32)


def _spaces_json(photos: PhotoSet) -> list[dict[str, Any] | None]:
    spaces = photos.visual_space, photos.style_space, photos.appearance_space
    return [None if space is None else asdict(space) for space in spaces]


def _space(raw: dict[str, Any]) -> Space:
    return Space(**raw | {"distance": Distance(raw["distance"])})
