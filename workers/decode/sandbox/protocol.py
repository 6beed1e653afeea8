"""Protocol between the pool and a decoder child: length-prefixed JSON headers, then raw arrays.

A decoder that a hostile file has taken over can write anything into its pipe, so the parent trusts nothing: every
length is capped before a byte is allocated, every name, dtype and shape is checked, and no pickle is ever read. Parent
and child are always of one version, so that the frames carry none.

    frame   := length of the header (4 bytes, big-endian), header (JSON object), the bytes of each array it announces
    request := {"path": …, "kind": …}
    reply   := {"rss": …, "error": {"code", "message", "hint"}}  or
               {"rss": …, "kind", "mime", "facts", "moments", "fingerprints", "pixel_hash",
                "features", "arrays": [{"name", "dtype", "shape"}]}
"""

from __future__ import annotations

import json
import math
import os
import select
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from search.errors import MEDIA_ERRORS, MediaError
from search.media import Kind
from search.photographers.photos.features import FEATURES
from workers.decode.decoded import CLIP_FRAMES, CLIP_SIDE, CROP, Decoded, MediaFacts, no_crops

Json = Mapping[str, Any]

MOST_HEADER_BYTES = 1 << 20
_MOST_CROPS, _MOST_CLIPS = 256, 64
_MOST_SAMPLES = 1 << 25
_MOST_PREVIEW_BYTES = 4 << 20
_LONGEST_TEXT = 2000
_MOST_WHOLE = 1 << 31
"""Largest integer that is accepted; some databases store no larger ones."""
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
    "clips": _ArraySpec("uint8", (None, CLIP_FRAMES, CLIP_SIDE, CLIP_SIDE, 3), _MOST_CLIPS),
    "sound": _ArraySpec("float32", (None,), _MOST_SAMPLES),
    "preview": _ArraySpec("uint8", (None,), _MOST_PREVIEW_BYTES),
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
        said = {"code": error.code, "message": error.message[:_LONGEST_TEXT], "hint": error.hint[:_LONGEST_TEXT]}
        write_frame(descriptor, {"rss": reply.rss, "error": said})
        return
    decoded = reply.result
    named = {
        "crops": decoded.crops,
        "clips": decoded.clips,
        "whole": decoded.whole,
        "sound": decoded.sound,
        "preview": None if decoded.preview is None else np.frombuffer(decoded.preview, np.uint8),
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
        "arrays": [{"name": n, "dtype": str(a.dtype), "shape": a.shape} for n, a in arrays.items()],
    }
    write_frame(descriptor, header, arrays.values())


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
    whole = arrays.get("whole")
    if whole is not None and len(whole) != len(crops):
        raise ProtocolError("whole pictures that do not match the crops")
    decoded = Decoded(
        kind=kind,
        mime=_text(header.get("mime")),
        facts=_facts(header.get("facts")),
        crops=crops,
        moments=moments,
        clips=arrays.get("clips"),
        whole=whole,
        sound=arrays.get("sound"),
        fingerprints=_fingerprints(header.get("fingerprints")),
        pixel_hash=None if header.get("pixel_hash") is None else _hash(header["pixel_hash"]),
        features=_features(header.get("features")),
        preview=None if preview is None else preview.tobytes(),
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
        if name == "sound" and not np.isfinite(array).all():
            raise ProtocolError("a sound with samples that are no numbers")
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
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ProtocolError("a text that is none or too long")
    return _writable(value)


def _writable(text: str) -> str:
    """The text without lone surrogates and null characters, which databases and JSON readers refuse."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(_is_number(number) for number in value):
        raise ProtocolError("numbers that are none")
    return tuple(float(number) for number in value)


def _is_number(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= _MOST_WHOLE
    return isinstance(value, float) and math.isfinite(value)


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
        wanted = _FACT_TYPES[name]
        fine = (
            isinstance(fact, bool)
            if wanted == "bool"
            else fact is None
            or ("str" in wanted and isinstance(fact, str) and len(fact) <= _LONGEST_TEXT)
            or ("int" in wanted and isinstance(fact, int) and _is_number(fact))
            or ("float" in wanted and _is_number(fact))
        )
        if not fine:
            raise ProtocolError(f"a {name} of {str(fact)[:40]!r}")
    clean: dict[str, Any] = {name: _writable(fact) if isinstance(fact, str) else fact for name, fact in value.items()}
    return MediaFacts(**clean)
