"""The conversation between the pool and a decoder child: length-prefixed JSON headers, then raw arrays.

A decoder that a hostile file has taken over can write anything into its pipe, so the parent believes nothing: every
length is capped before a byte is allocated, every name, dtype and shape is checked, and no pickle is ever read.

    frame   := length of the header (4 bytes, big-endian), header (JSON object), the bytes of each array it announces
    request := {"path": …, "kind": …}
    reply   := {"rss": …, "error": {"code", "message", "hint"}}  or
               {"rss": …, "kind", "mime", "facts", "moments", "fingerprints", "features",
                "arrays": [{"name", "dtype", "shape"}]}
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
"""Larger whole numbers than any that is meant; some databases take no larger ones."""
_LONGEST_WAIT = 1.0
"""Seconds of one wait: of a stop of this process, at most so much is held against the child."""
_PREFIX = struct.Struct(">I")


class ProtocolError(Exception):
    """The other side said something it may not say."""


class ChildGone(Exception):
    """The other side closed the pipe."""


class Overdue(Exception):
    """The answer was not complete in time."""


class Patience:
    """Seconds left to wait for an answer.

    Time in which this process itself did not run (stopped with Ctrl-Z, frozen with its container) does not count: it
    says nothing of the child, which may have been stopped too, or have waited with a full pipe.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait(self, descriptor: int) -> None:
        """Wait until there is something to read.

        Raises:
            Overdue: that took too long.
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
                raise Overdue


@dataclass(frozen=True, slots=True)
class _Form:
    """What an array of one name must look like; ``None`` in the shape is any length up to ``most``."""

    dtype: str
    shape: tuple[int | None, ...]
    most: int


_FORMS = {
    "crops": _Form("uint8", (None, CROP, CROP, 3), _MOST_CROPS),
    "whole": _Form("uint8", (None, CROP, CROP, 3), _MOST_CROPS),
    "clips": _Form("uint8", (None, CLIP_FRAMES, CLIP_SIDE, CLIP_SIDE, 3), _MOST_CLIPS),
    "sound": _Form("float32", (None,), _MOST_SAMPLES),
    "preview": _Form("uint8", (None,), _MOST_PREVIEW_BYTES),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a child answered: a decoded file or why not, and its resident memory in bytes."""

    result: Decoded | MediaError
    rss: int


def write_frame(descriptor: int, header: Json, arrays: Iterable[npt.NDArray[Any]] = ()) -> None:
    """Write one frame, blocking.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    text = json.dumps(header).encode("ascii")
    _write(descriptor, memoryview(_PREFIX.pack(len(text)) + text))
    for array in arrays:
        _write(descriptor, array.reshape(-1).view(np.uint8).data)


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def read_header(descriptor: int, patience: Patience | None = None) -> Json:
    """Read the header of the next frame; without ``patience``, however long it takes.

    Raises:
        ChildGone, Overdue, ProtocolError
    """
    (length,) = _PREFIX.unpack(_read(descriptor, _PREFIX.size, patience))
    if length > MOST_HEADER_BYTES:
        raise ProtocolError(f"a header of {length} bytes")
    try:
        header = json.loads(_read(descriptor, length, patience))
    except (ValueError, RecursionError):
        raise ProtocolError("a header that is not JSON") from None
    if not isinstance(header, dict):
        raise ProtocolError("a header that is not an object")
    return header


def _read(descriptor: int, count: int, patience: Patience | None) -> bytearray:
    buffer = bytearray(count)
    unread = memoryview(buffer)
    while unread:
        if patience is not None:
            patience.wait(descriptor)
        got = os.readv(descriptor, [unread])
        if not got:
            raise ChildGone
        unread = unread[got:]
    return buffer


def write_reply(descriptor: int, reply: Reply) -> None:
    """The child's side of :func:`read_reply`."""
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
        "features": decoded.features,
        "arrays": [{"name": n, "dtype": str(a.dtype), "shape": a.shape} for n, a in arrays.items()],
    }
    write_frame(descriptor, header, arrays.values())


def read_reply(descriptor: int, patience: Patience) -> Reply:
    """Read and check what a child answered.

    Raises:
        ChildGone, Overdue, ProtocolError
    """
    header = read_header(descriptor, patience)
    rss = header.get("rss")
    if not isinstance(rss, int) or rss < 0:
        raise ProtocolError("no resident memory")
    if "error" in header:
        return Reply(_error(header["error"]), rss)
    try:
        kind = Kind(str(header.get("kind")))
    except ValueError:
        raise ProtocolError("an unknown kind") from None
    arrays = _read_arrays(descriptor, header.get("arrays"), patience)
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
        features=_features(header.get("features")),
        preview=None if preview is None else preview.tobytes(),
    )
    return Reply(decoded, rss)


def _read_arrays(descriptor: int, announced: object, patience: Patience) -> dict[str, npt.NDArray[Any]]:
    if not isinstance(announced, list) or len(announced) > len(_FORMS):
        raise ProtocolError("no list of arrays")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for entry in announced:
        name = str(entry.get("name")) if isinstance(entry, dict) else ""
        form = _FORMS.get(name)
        if form is None or name in arrays:
            raise ProtocolError("an array nobody knows")
        shape = entry.get("shape")
        if entry.get("dtype") != form.dtype or not isinstance(shape, list) or not _fits(shape, form):
            raise ProtocolError(f"'{name}' of dtype {entry.get('dtype')} and shape {shape}")
        dtype = np.dtype(form.dtype)
        data = _read(descriptor, math.prod(shape) * dtype.itemsize, patience)
        array = np.frombuffer(data, dtype).reshape(shape)
        if name == "sound" and not np.isfinite(array).all():
            raise ProtocolError("a sound with samples that are no numbers")
        arrays[name] = array
    return arrays


def _fits(shape: list[object], form: _Form) -> bool:
    return len(shape) == len(form.shape) and all(
        isinstance(side, int) and (0 <= side <= form.most if wanted is None else side == wanted)
        for side, wanted in zip(shape, form.shape, strict=True)
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
    """The text as any database and JSON reader takes it: no lone surrogates, no null characters."""
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
    for text in value:
        if not isinstance(text, str) or len(text) != 64 or not set(text) <= set("0123456789abcdef"):
            raise ProtocolError("a fingerprint that is none")
    return tuple(value)


def _features(value: object) -> tuple[float | None, ...]:
    """Nothing, or every feature: None or a number in its range."""
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
