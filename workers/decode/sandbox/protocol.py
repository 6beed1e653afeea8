"""Protocol between the pool and a decoder child: length-prefixed JSON headers, then raw arrays.

A decoder that a hostile file has taken over can write anything into its pipe, so the parent trusts nothing: every
length is capped before a byte is allocated, every name, dtype and shape is checked, and no pickle is ever read. Parent
and child are always of one version, so that the frames carry none.

    frame   := length of the header (4 bytes, big-endian), header (JSON object), the bytes of each array it announces
    request := {"name": …, "kind": …}, behind the opened file (see ``handover``)
    reply   := {"rss": …, "error": {"code", "message", "hint"}}  or
               {"rss": …, "kind", "mime", "facts", "moments", "fingerprints", "pixel_hash",
                "features", "borders", "arrays": [{"name", "dtype", "shape"}]}
"""

from __future__ import annotations

import json
import math
import os
import select
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from search.bounds import FACT_RANGES, LONGEST_TEXT, are_borders, is_moment, number_within, storable
from search.errors import MEDIA_ERRORS, MediaError
from search.media import Kind
from search.photographers.photos.features import FEATURES
from workers.decode.decoded import CLIP_FRAMES, CLIP_SIDE, CROP, Decoded, MediaFacts, no_crops

Json = Mapping[str, Any]

MOST_HEADER_BYTES = 1 << 20
_MOST_CROPS, _MOST_CLIPS = 256, 64
_MOST_SAMPLES = 1 << 25
_MOST_PREVIEW_BYTES = 4 << 20
MOST_LUMINANCE_SIDE = 1024
"""Pixels a side of a preview that is decoded; those that this version makes have 480."""

MOST_CACHED_NUMBERS, MOST_CACHED_NAMES = 1 << 27, 1 << 26
"""Numbers of a vector cache, and bytes of its file names: half a gigabyte, 262,144 vectors of 512 numbers."""

_MOST = 1e300
_LATEST_MOMENT = 1e9
_LOUDEST = 1e6
"""Largest sample: full scale is 1, or 32,768 where a file of floats was written in steps of 16 bits. Squares of larger
ones add up to more than a float holds."""
_LONGEST_WAIT = 1.0
"""Seconds of one wait: of a pause of this process, at most so much counts against the child."""
_PREFIX = struct.Struct(">I")


class ProtocolError(Exception):
    """The other side sent something that is not allowed."""


class PipeClosed(Exception):
    """The other side closed the pipe."""


class DeadlineExceeded(Exception):
    """The answer was not complete in time."""


class Deadline:
    """Time left to wait for an answer, seconds.

    Time in which this process itself did not run (stopped with Ctrl-Z, frozen with its container) does not count: the
    child may have been stopped too, or have waited with a full pipe.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait(self, descriptor: int) -> None:
        """Wait until the descriptor is readable.

        Raises:
            DeadlineExceeded: no time is left.
        """
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            slice_ = min(self._left, _LONGEST_WAIT)
            began = time.monotonic()
            if poll.poll(slice_ * 1000):
                self._left -= min(time.monotonic() - began, slice_)
                return
            self._left -= slice_
            if self._left <= 0:
                raise DeadlineExceeded


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
    "sound": _ArraySpec("float32", (None,), _MOST_SAMPLES),
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


def write_frame(descriptor: int, header: Json, arrays: Iterable[npt.NDArray[Any]] = ()) -> None:
    """Write one frame, blocking.

    Args:
        arrays: of any shape and dtype, C-contiguous; the header announces both.

    Raises:
        BrokenPipeError: the other side has closed the pipe.
    """
    text = json.dumps(header).encode("ascii")
    _write(descriptor, memoryview(_PREFIX.pack(len(text)) + text))
    for array in arrays:
        _write(descriptor, array.reshape(-1).view(np.uint8).data)


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def read_header(descriptor: int, deadline: Deadline | None = None) -> Json:
    """Read the header of the next frame; without ``deadline`` there is no time limit.

    Raises:
        PipeClosed: the other side has closed the pipe.
        DeadlineExceeded: the header was not complete in time.
        ProtocolError: it is no JSON object, or too long.
    """
    (length,) = _PREFIX.unpack(_read(descriptor, _PREFIX.size, deadline))
    if length > MOST_HEADER_BYTES:
        raise ProtocolError(f"a header of {length} bytes")
    try:
        header = json.loads(_read(descriptor, length, deadline))
    except (ValueError, RecursionError):
        raise ProtocolError("a header that is not JSON") from None
    if not isinstance(header, dict):
        raise ProtocolError("a header that is not an object")
    return header


def _read(descriptor: int, count: int, deadline: Deadline | None) -> bytearray:
    buffer = bytearray(count)
    unread = memoryview(buffer)
    while unread:
        if deadline is not None:
            deadline.wait(descriptor)
        got = os.readv(descriptor, [unread])
        if not got:
            raise PipeClosed
        unread = unread[got:]
    return buffer


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
    named = {
        "crops": decoded.crops,
        "clips": decoded.clips,
        "whole": decoded.whole,
        "inner": decoded.inner,
        "sound": decoded.sound,
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
        "arrays": [{"name": n, "dtype": str(a.dtype), "shape": a.shape} for n, a in arrays.items()],
    }
    write_frame(descriptor, header, arrays.values())


def _within_bounds(decoded: Decoded) -> Decoded:
    """What a file says, bounded: facts that cannot be are absent, texts are cut, moments and samples put in range. The
    other side refuses the rest, as only a decoder that was taken over sends it."""
    facts = {name: _bounded_fact(name, value) for name, value in asdict(decoded.facts).items()}
    moments = tuple(
        min(max(moment, 0.0), _LATEST_MOMENT) if math.isfinite(moment) else 0.0 for moment in decoded.moments
    )
    sound = decoded.sound
    if sound is not None and not (np.abs(sound) <= _LOUDEST).all():
        sound = np.clip(np.nan_to_num(sound, posinf=_LOUDEST, neginf=-_LOUDEST), -_LOUDEST, _LOUDEST)
    return replace(decoded, facts=MediaFacts(**facts), mime=storable(decoded.mime), moments=moments, sound=sound)


def _bounded_fact(name: str, value: Any) -> Any:
    if name in FACT_RANGES:
        return value if value is not None and number_within(name, value) else None
    if not isinstance(value, str):
        return value
    if name == "taken_at":
        return value if is_moment(value) else None
    return storable(value) or None


def read_reply(descriptor: int, deadline: Deadline) -> Reply:
    """Read and check the reply of a child.

    Raises:
        PipeClosed: the child has closed the pipe.
        DeadlineExceeded: the reply was not complete in time.
        ProtocolError: the reply is not as the protocol demands.
    """
    header = read_header(descriptor, deadline)
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
        whole=arrays.get("whole"),
        inner=arrays.get("inner"),
        borders=tuple(borders),
        sound=arrays.get("sound"),
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
        data = _read(descriptor, math.prod(shape) * dtype.itemsize, deadline)
        array = np.frombuffer(data, dtype).reshape(shape)
        if name == "sound" and not (np.abs(array) <= _LOUDEST).all():
            raise ProtocolError("a sound with samples that are no numbers, or too large")
        arrays[name] = array
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
