"""Frames of the pipe between this process and a decoder child: a length-prefixed JSON header, then raw arrays.

frame   := length of the header (4 bytes, big-endian), header (JSON object), the bytes of each array it announces
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Json = Mapping[str, Any]

MOST_HEADER_BYTES = 1 << 20

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

    def extend(self, seconds: float) -> None:
        """Allow so much more time, for work whose length shows itself while it is done."""
        self._left += seconds

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
    (length,) = _PREFIX.unpack(read_exactly(descriptor, _PREFIX.size, deadline))
    if length > MOST_HEADER_BYTES:
        raise ProtocolError(f"a header of {length} bytes")
    try:
        header = json.loads(read_exactly(descriptor, length, deadline))
    except (ValueError, RecursionError):
        raise ProtocolError("a header that is not JSON") from None
    if not isinstance(header, dict):
        raise ProtocolError("a header that is not an object")
    return header


def read_exactly(descriptor: int, count: int, deadline: Deadline | None) -> bytearray:
    """Read so many bytes.

    Raises:
        PipeClosed, DeadlineExceeded: as :func:`read_header`.
    """
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
