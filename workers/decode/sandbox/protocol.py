"""Protocol between the pool and a decoder child: what is in the frames of their pipe.

A decoder that a hostile file has taken over can write anything into its pipe, so the parent trusts nothing: every
length is capped before a byte is allocated, every name, dtype and shape is checked, and no pickle is ever read. Parent
and child are always of one version, so that the frames carry none.

    request := {"name": …, "kind": …}, behind the opened file (see ``handover``)
    answer  := the sound in pieces (see ``sound_pieces``), then a reply
    reply   := {"rss": …, "error": {"code", "message", "hint"}}  or
               {"rss": …, "kind", "mime", "facts", "moments", "fingerprints", "pixel_hash",
                "features", "borders", "sound": number of samples or null, "arrays": [{"name", "dtype", "shape"}]}
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from search.bounds import FACT_RANGES, LONGEST_TEXT, are_borders, is_moment, number_within, storable
from search.errors import MEDIA_ERRORS, MediaError
from search.media import Kind
from search.photographers.photos.features import FEATURES
from search.similar.reuse.footprints import FRAME_BYTES, MOST_LANDMARKS, MOST_PRINTS, Footprints, are_landmarks
from search.spaces import MOST_FRAMES
from workers.decode.decoded import CLIP_FRAMES, CLIP_SIDE, CROP, MOVEMENT_NUMBERS, Decoded, MediaFacts, no_crops
from workers.decode.sandbox.frames import Deadline, ProtocolError, read_exactly, read_header, write_frame
from workers.decode.sandbox.sound_pieces import ReceivedSound, send_rest

_MOST_CROPS, _MOST_CLIPS = MOST_FRAMES, 64
_MOST_PREVIEW_BYTES = 4 << 20
MOST_LUMINANCE_SIDE = 1024
"""Pixels a side of a preview that is decoded; those that this version makes have 480."""

MOST_CACHED_NUMBERS, MOST_CACHED_NAMES = 1 << 27, 1 << 26
"""Numbers of a vector cache, and bytes of its file names: half a gigabyte, 262,144 vectors of 512 numbers."""

_MOST = 1e300
_LATEST_MOMENT = 1e9


@dataclass(frozen=True, slots=True)
class _ArraySpec:
    """Allowed dtype and shape of an array; ``None`` in the shape is any length up to ``most``."""

    dtype: str
    shape: tuple[int | None, ...]
    most: int


_ARRAYS = {
    "crops": _ArraySpec("uint8", (None, CROP, CROP, 3), _MOST_CROPS),
    "whole": _ArraySpec("uint8", (None, CROP, CROP, 3), _MOST_CROPS),
    "inner": _ArraySpec("uint8", (None, CROP, CROP, 3), _MOST_CROPS),
    "clips": _ArraySpec("uint8", (None, CLIP_FRAMES, CLIP_SIDE, CLIP_SIDE, 3), _MOST_CLIPS),
    "movement": _ArraySpec("float32", (MOVEMENT_NUMBERS,), MOVEMENT_NUMBERS),
    "frames": _ArraySpec("uint8", (None, FRAME_BYTES), MOST_PRINTS),
    "landmarks": _ArraySpec("uint32", (2, None), MOST_LANDMARKS),
    "preview": _ArraySpec("uint8", (None,), _MOST_PREVIEW_BYTES),
    "luminance": _ArraySpec("uint8", (None, None), MOST_LUMINANCE_SIDE),
    "colours": _ArraySpec("uint8", (None, None, 3), MOST_LUMINANCE_SIDE),
    "vectors": _ArraySpec("float32", (None,), MOST_CACHED_NUMBERS),
    "names": _ArraySpec("uint8", (None,), MOST_CACHED_NAMES),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer of a child: a decoded file or its error, and the child's resident memory in bytes."""

    result: Decoded | MediaError
    rss: int


def write_reply(descriptor: int, reply: Reply) -> None:
    """Write a reply; the child's side of :func:`read_reply`.

    Raises:
        BrokenPipeError: the parent has closed the pipe.
    """
    if isinstance(reply.result, MediaError):
        error = reply.result
        said = {"code": error.code, "message": error.message[:LONGEST_TEXT], "hint": error.hint[:LONGEST_TEXT]}
        write_frame(descriptor, {"rss": reply.rss, "error": said})
        return
    decoded = _within_bounds(reply.result)
    if decoded.sound is not None:
        send_rest(descriptor, decoded.sound)
    named = {
        "crops": decoded.crops,
        "clips": decoded.clips,
        "movement": decoded.movement,
        "frames": None if decoded.footprints is None else decoded.footprints.frames,
        "landmarks": None if decoded.footprints is None else decoded.footprints.landmarks,
        "whole": decoded.whole,
        "inner": decoded.inner,
        "preview": None if decoded.preview is None else np.frombuffer(decoded.preview, np.uint8),
        "luminance": decoded.luminance,
        "colours": decoded.colours,
        "vectors": decoded.vectors,
        "names": decoded.names,
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in named.items() if array is not None}
    header = {
        "rss": reply.rss,
        "kind": decoded.kind.value,
        "mime": decoded.mime,
        "facts": asdict(decoded.facts),
        "moments": decoded.moments,
        "fingerprints": decoded.fingerprints,
        "pixel_hash": decoded.pixel_hash,
        "features": decoded.features,
        "borders": decoded.borders,
        "sound": None if decoded.sound is None else len(decoded.sound),
        "arrays": [{"name": n, "dtype": str(a.dtype), "shape": a.shape} for n, a in arrays.items()],
    }
    write_frame(descriptor, header, arrays.values())


def _within_bounds(decoded: Decoded) -> Decoded:
    """What a file says, bounded: facts that cannot be are absent, texts are cut, moments put in range. The
    other side refuses the rest, as only a decoder that was taken over sends it."""
    facts = {name: _bounded_fact(name, value) for name, value in asdict(decoded.facts).items()}
    moments = tuple(
        min(max(moment, 0.0), _LATEST_MOMENT) if math.isfinite(moment) else 0.0 for moment in decoded.moments
    )
    return replace(decoded, facts=MediaFacts(**facts), mime=storable(decoded.mime), moments=moments)


def _bounded_fact(name: str, value: Any) -> Any:
    if name in FACT_RANGES:
        return value if value is not None and number_within(name, value) else None
    if not isinstance(value, str):
        return value
    if name == "taken_at":
        return value if is_moment(value) else None
    return storable(value) or None


def read_reply(descriptor: int, deadline: Deadline, heard: ReceivedSound | None = None) -> Reply:
    """Read and check the answer of a child.

    Args:
        heard: takes the pieces of its sound; in memory or the system's temporary folder when left out.

    Raises:
        PipeClosed: the child has closed the pipe.
        DeadlineExceeded: the reply was not complete in time.
        ProtocolError: the reply is not as the protocol demands.
    """
    heard = heard or ReceivedSound()
    while heard.take(header := read_header(descriptor, deadline), descriptor, deadline):
        pass
    rss = header.get("rss")
    if not isinstance(rss, int) or rss < 0:
        raise ProtocolError("no resident memory")
    if "error" in header:
        return Reply(_error(header["error"]), rss)
    try:
        kind = Kind(str(header.get("kind")))
    except ValueError:
        raise ProtocolError("an unknown kind") from None
    arrays = _read_arrays(descriptor, header.get("arrays"), deadline)
    crops = arrays.get("crops", no_crops())
    preview = arrays.get("preview")
    moments = _numbers(header.get("moments"))
    if kind is Kind.VIDEO and len(moments) != len(crops):
        raise ProtocolError("moments that do not match the crops")
    if any(len(arrays[name]) != len(crops) for name in ("whole", "inner") if name in arrays):
        raise ProtocolError("whole pictures that do not match the crops")
    borders: Any = header.get("borders", [])
    if not are_borders(borders):
        raise ProtocolError("borders that are none")
    decoded = Decoded(
        kind=kind,
        mime=_text(header.get("mime")),
        facts=_facts(header.get("facts")),
        crops=crops,
        moments=moments,
        clips=arrays.get("clips"),
        movement=arrays.get("movement"),
        footprints=_footprints(arrays),
        whole=arrays.get("whole"),
        inner=arrays.get("inner"),
        borders=tuple(borders),
        sound=heard.whole(header.get("sound")),
        fingerprints=_fingerprints(header.get("fingerprints")),
        pixel_hash=None if header.get("pixel_hash") is None else _hash(header["pixel_hash"]),
        features=_features(header.get("features")),
        preview=None if preview is None else preview.tobytes(),
        luminance=arrays.get("luminance"),
        colours=arrays.get("colours"),
        vectors=arrays.get("vectors"),
        names=arrays.get("names"),
    )
    return Reply(decoded, rss)


def _footprints(arrays: dict[str, npt.NDArray[Any]]) -> Footprints | None:
    """Fingerprints over time, where both parts of them came."""
    if "frames" not in arrays or "landmarks" not in arrays:
        return None
    if not are_landmarks(arrays["landmarks"]):
        raise ProtocolError("landmarks that are not in order")
    return Footprints(arrays["frames"], arrays["landmarks"])


def _read_arrays(descriptor: int, announced: object, deadline: Deadline) -> dict[str, npt.NDArray[Any]]:
    if not isinstance(announced, list) or len(announced) > len(_ARRAYS):
        raise ProtocolError("no list of arrays")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for entry in announced:
        name = str(entry.get("name")) if isinstance(entry, dict) else ""
        spec = _ARRAYS.get(name)
        if spec is None or name in arrays:
            raise ProtocolError("an array nobody knows")
        shape = entry.get("shape")
        if entry.get("dtype") != spec.dtype or not isinstance(shape, list) or not _fits(shape, spec):
            raise ProtocolError(f"'{name}' of dtype {entry.get('dtype')} and shape {shape}")
        dtype = np.dtype(spec.dtype)
        data = read_exactly(descriptor, math.prod(shape) * dtype.itemsize, deadline)
        arrays[name] = np.frombuffer(data, dtype).reshape(shape)
    if "movement" in arrays and not np.isfinite(arrays["movement"]).all():
        raise ProtocolError("movement in what are no numbers")
    return arrays


def _fits(shape: list[object], spec: _ArraySpec) -> bool:
    return len(shape) == len(spec.shape) and all(
        isinstance(side, int) and (0 <= side <= spec.most if wanted is None else side == wanted)
        for side, wanted in zip(shape, spec.shape, strict=True)
    )


def _error(said: object) -> MediaError:
    known = MEDIA_ERRORS.get(str(said.get("code"))) if isinstance(said, dict) else None
    if known is None:
        raise ProtocolError("an error of no known kind")
    assert isinstance(said, dict)
    return known(_text(said.get("message")), _text(said.get("hint")))


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ProtocolError("a text that is none or too long")
    return storable(value)


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(_is_number(number) and 0 <= number <= _LATEST_MOMENT for number in value):
        raise ProtocolError("moments that are none")
    return tuple(float(number) for number in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def _fingerprints(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_CROPS:
        raise ProtocolError("no list of fingerprints")
    return tuple(_hash(text) for text in value)


def _hash(value: object) -> str:
    """256 bits as 64 hex digits."""
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ProtocolError("a hash that is none")
    return value


def _features(value: object) -> tuple[float | None, ...]:
    """No features, or all of them, each None or a number in its range."""
    if value == []:
        return ()
    if not isinstance(value, list) or len(value) != len(FEATURES):
        raise ProtocolError("no list of features")
    for number, feature in zip(value, FEATURES, strict=True):
        if number is not None and not (_is_number(number) and feature.low <= number <= feature.high):
            raise ProtocolError(f"a {feature.name} of {str(number)[:40]!r}")
    return tuple(None if number is None else float(number) for number in value)


_FACT_TYPES = {f.name: str(f.type) for f in fields(MediaFacts)}


def _facts(value: object) -> MediaFacts:
    if not isinstance(value, dict) or not value.keys() <= _FACT_TYPES.keys():
        raise ProtocolError("facts nobody knows")
    for name, fact in value.items():
        if not _is_fact(name, fact):
            raise ProtocolError(f"a {name} of {str(fact)[:40]!r}")
    clean: dict[str, Any] = {name: storable(fact) if isinstance(fact, str) else fact for name, fact in value.items()}
    return MediaFacts(**clean)


def _is_fact(name: str, fact: object) -> bool:
    wanted = _FACT_TYPES[name]
    if wanted == "bool":
        return isinstance(fact, bool)
    if fact is None:
        return True
    if name in FACT_RANGES:
        return number_within(name, fact) and ("float" in wanted or isinstance(fact, int))
    return isinstance(fact, str) and len(fact) <= LONGEST_TEXT and (name != "taken_at" or is_moment(fact))
