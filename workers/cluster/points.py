"""Points and facts of files in messages: vectors as base64 of little-endian float32, records as payloads.

Facts are checked as strictly as those of a decoder's reply (``workers.decode.sandbox.protocol``), which bounds what a
decoder says in the same way, so that a worker sends nothing else.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.bounds import FACT_RANGES, are_borders, is_moment, number_within
from search.media import Kind, Payload
from search.photographers.photos.features import FEATURES
from search.records.sound_rows import MOST_ROWS, are_runs
from search.spaces import MOST_FRAMES
from search.store.base import Array, Point
from workers.cluster.checks import (
    as_flag,
    as_hash,
    as_integer,
    as_list,
    as_media_id,
    as_member,
    as_name,
    as_number,
    as_object,
    as_optional,
    as_path,
    as_text,
    as_tuple,
    as_word,
    refuse,
)
from workers.cluster.signing import Json

MOST_PATHS = 100_000
MOST_SPACES, MOST_DIM = 16, 65_536
MOST_TAGS, MOST_CONCEPTS = 100, 10_000
LEAST_SAVED = 512
"""Numbers that the sparse form of a vector must save."""

_LATEST_MOMENT = 1e9
_LATEST_REVISION = 1_000_000

Check = Callable[[object, str], Any]


def as_fact(value: object, name: str) -> float | int | None:
    """A number among the facts of a file, in its range; None where it is unknown."""
    if value is None:
        return None
    if not number_within(name, value) or (name in ("width", "height") and not isinstance(value, int)):
        refuse(name, value)
    assert isinstance(value, int | float)
    return value


def as_moment(value: object, name: str) -> str | None:
    """A date or a time as ISO 8601; None where it is unknown."""
    text = as_optional(value, name, as_text)
    return text if text is None or is_moment(text) else refuse(name, value)


def as_fingerprints(value: object, name: str) -> tuple[str, ...]:
    return as_tuple(value, name, MOST_FRAMES, as_hash)


def as_moments(value: object, name: str) -> tuple[float, ...]:
    """Seconds of key frames."""
    return as_tuple(value, name, MOST_FRAMES, lambda one, what: as_number(one, what, 0.0, _LATEST_MOMENT))


def as_sound_runs(value: object, name: str) -> tuple[float, ...]:
    """Runs of the rows of a recording, see ``search.records.sound_rows``."""
    runs = as_tuple(value, name, 4 * MOST_ROWS, as_number)
    return runs if are_runs(runs) else refuse(name, value)


def as_voice_runs(value: object, name: str) -> tuple[int, ...]:
    """Runs of row numbers, see ``search.records.sound_rows``."""
    return as_tuple(value, name, 2 * MOST_ROWS, lambda one, what: as_integer(one, what, 0, MOST_ROWS))


def as_features(value: object, name: str) -> tuple[float | None, ...]:
    """No features, or all of them, each None or a number in its range."""
    numbers = as_list(value, name, len(FEATURES))
    if numbers and len(numbers) != len(FEATURES):
        refuse(name, f"{len(numbers)} of them")
    return tuple(
        None if number is None else as_number(number, feature.name, feature.low, feature.high)
        for number, feature in zip(numbers, FEATURES[: len(numbers)], strict=True)
    )


def as_borders(value: object, name: str) -> tuple[float, ...]:
    """No borders, or the shares of four."""
    shares = as_list(value, name, 4)
    return tuple(float(share) for share in shares) if are_borders(shares) else refuse(name, value)


def as_own(value: object, name: str) -> Payload | None:
    """What a file says itself, where people have told otherwise."""
    if value is None:
        return None
    said = as_object(value, name)
    numbers = {key: as_fact(said.get(key), key) for key in ("latitude", "longitude")}
    return {"taken_at": as_moment(said.get("taken_at"), "taken_at"), **numbers}


def _texts(most: int) -> Check:
    return lambda value, name: as_tuple(value, name, most, as_text)


def _text_or_none(value: object, name: str) -> str | None:
    return as_optional(value, name, as_text)


_CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(FACT_RANGES, as_fact),
    **dict.fromkeys(
        ("camera", "lens", "photographer", "credit", "artist", "remark", "thumbnail", "place"), _text_or_none
    ),
    "id": as_media_id,
    "kind": lambda value, name: as_member(value, name, Kind),
    "paths": lambda value, name: as_tuple(value, name, MOST_PATHS, as_path),
    "libraries": _texts(MOST_PATHS),
    "size": as_integer,
    "mtime": as_number,
    "mime": as_text,
    "taken_at": as_moment,
    "tags": _texts(MOST_TAGS),
    "has_sound": as_flag,
    "decoding": lambda value, name: as_integer(value, name, 1, _LATEST_REVISION),
    "pixel_hash": lambda value, name: as_optional(value, name, as_hash),
    "fingerprints": as_fingerprints,
    "moments": as_moments,
    "concept_frames": lambda value, name: as_tuple(
        value, name, MOST_CONCEPTS, lambda one, what: as_integer(one, what, 0, MOST_FRAMES - 1)
    ),
    "sound_runs": as_sound_runs,
    "voice_runs": as_voice_runs,
    "added": lambda value, name: as_optional(value, name, as_number),
    "job": lambda value, name: as_optional(value, name, as_name),
    "missing": as_flag,
    "features": as_features,
    "borders": as_borders,
    "own": as_own,
}
"""Field of a record to the check of its value."""


def facts_of(payload: object) -> Payload:
    """The facts of a payload that came in a message, from which ``MediaRecord.from_payload`` makes the record. Derived
    keys, and those this version does not know, are left out.

    Raises:
        MessageRefusedError: a fact is missing, or has a value that it cannot have.
    """
    found = as_object(payload, "record")
    for name in ("id", "kind", "paths"):
        if name not in found:
            refuse("record", f"without {name}")
    return {name: check(found[name], name) for name, check in _CHECKS.items() if name in found}


def point_to_json(point: Point) -> Json:
    return {"id": point.id, "vectors": vectors_to_json(point.vectors), "payload": point.payload}


def point_from_json(data: Json) -> Point:
    """Inverse of :func:`point_to_json`, but for derived keys of the payload: who stores it makes them anew."""
    id_, facts = as_media_id(data.get("id"), "media id"), facts_of(data.get("payload"))
    if facts["id"] != id_:
        refuse("record", f"{facts['id']} of the point {id_}")
    return Point(id_, vectors_from_json(data.get("vectors")), facts)


def vectors_to_json(vectors: Mapping[str, Array]) -> Json:
    """Vectors by space name, float32 ``(m, dim)``, as ``shape`` and ``data`` in base64.

    A vector of mostly zeros is sent as its other values and their positions (``at``, uint32, in row-major order).
    """
    return {name: _vector_to_json(vector) for name, vector in vectors.items()}


def vectors_from_json(data: object) -> dict[str, Array]:
    """Inverse of :func:`vectors_to_json`: space name to float32 ``(m, dim)``, all of it finite."""
    found = as_object(data, "set of vectors")
    if len(found) > MOST_SPACES:
        refuse("number of vectors", len(found))
    return {as_word(name, "space"): _vector_from_json(entry, name) for name, entry in found.items()}


def _vector_to_json(vector: Array) -> Json:
    kept = np.flatnonzero(vector)
    if vector.size - 2 * len(kept) < LEAST_SAVED:
        return {"shape": list(vector.shape), "data": _base64(vector, "<f4")}
    return {"shape": list(vector.shape), "at": _base64(kept, "<u4"), "data": _base64(vector.flat[kept], "<f4")}


def _vector_from_json(entry: object, name: str) -> Array:
    found = as_object(entry, f"vector of {name}")
    sides = as_list(found.get("shape"), f"shape of {name}", 2)
    if len(sides) != 2:
        refuse(f"shape of {name}", sides)
    rows, dim = as_integer(sides[0], f"shape of {name}", 1, MOST_ROWS), as_integer(sides[1], name, 1, MOST_DIM)
    values = _numbers(found.get("data"), "<f4", rows * dim, name).astype(np.float32)
    if not np.isfinite(values).all():
        refuse(f"vector of {name}", "NaN or infinity")
    if "at" not in found:
        if len(values) != rows * dim:
            refuse(f"vector of {name}", f"{len(values)} numbers for the shape {sides}")
        return values.reshape(rows, dim)
    at = _numbers(found["at"], "<u4", rows * dim, name).astype(np.int64)
    if len(at) != len(values) or (len(at) and (at[-1] >= rows * dim or (np.diff(at) <= 0).any())):
        refuse(f"vector of {name}", "positions that are none")
    vector = np.zeros((rows, dim), np.float32)
    vector.flat[at] = values
    return vector


def _numbers(data: object, dtype: str, most: int, name: str) -> NDArray[Any]:
    """Numbers of four bytes."""
    raw = as_bytes(data, f"vector of {name}", 4 * most)
    return np.frombuffer(raw, dtype) if len(raw) % 4 == 0 else refuse(f"vector of {name}", f"{len(raw)} bytes")


def as_bytes(data: object, what: str, most: int) -> bytes:
    """Bytes in base64, at most so many."""
    if not isinstance(data, str) or len(data) > 4 * math.ceil(most / 3):
        refuse(what, data)
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        refuse(what, data)
    return raw if len(raw) <= most else refuse(what, f"{len(raw)} bytes")


def _base64(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode("ascii")
