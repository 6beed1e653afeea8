"""The sound of a file on its way from a decoder child to the parent: piece by piece, as it is decoded.

    piece   := {"samples": n}, float32 (n,)
    restart := {"restart": true}: the pieces so far do not count, as the recording is read anew or another track is

A recording of any length so takes the memory of a piece in the child. What the parent checks: that each piece is of
finite numbers, that there are no more pieces than allowed, and that the reply counts the samples that came.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import numpy as np

from workers.decode.sandbox.frames import Deadline, Json, ProtocolError, read_exactly, write_frame
from workers.decode.sound import LOUDEST, PIECE_SECONDS, SOUND_RATE, Samples, Sound

LEAST_SPEED = 5.0
"""Seconds of sound for which a decoder is given another second; on an idle core it decodes some hundreds in one."""

_PIECE = PIECE_SECONDS * SOUND_RATE
_MOST_RESTARTS = 16
"""Readings of one file: each of four tracks, mixed and by its loudest channel, and the first of them again."""


class SentSound(Sound):
    """In a child: sends what is added to the parent and keeps at most one piece of it.

    Args:
        descriptor: of the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: list[Samples] = []
        self._held = 0

    def restart(self) -> None:
        self._waiting, self._held = [], 0
        if len(self):
            write_frame(self._descriptor, {"restart": True})
        super().restart()

    def send_rest(self) -> None:
        """Send what is kept."""
        if self._held:
            _send(self._descriptor, np.concatenate(self._waiting))
        self._waiting, self._held = [], 0

    def _keep(self, samples: Samples) -> None:
        self._waiting.append(samples)
        self._held += len(samples)
        if self._held >= _PIECE:
            self.send_rest()


def send_rest(descriptor: int, sound: Sound) -> None:
    """Send what the parent does not have of a sound yet; a child's side of :class:`ReceivedSound`."""
    if isinstance(sound, SentSound):
        sound.send_rest()
        return
    for piece in sound.pieces():
        _send(descriptor, piece)


def _send(descriptor: int, samples: Samples) -> None:
    for at in range(0, len(samples), _PIECE):
        piece = np.ascontiguousarray(samples[at : at + _PIECE], np.float32)
        write_frame(descriptor, {"samples": len(piece)}, [piece])


class ReceivedSound:
    """In the parent: the sound that a child sends for one file.

    Args:
        most_seconds: more of it is refused.
        folder: see :class:`~workers.decode.sound.Sound`.
    """

    def __init__(self, most_seconds: float = 3600.0, folder: Callable[[], str] = tempfile.gettempdir) -> None:
        self._most = int((most_seconds + PIECE_SECONDS) * SOUND_RATE)
        self._restarts = 0
        self._sound = Sound(folder)

    def take(self, header: Json, descriptor: int, deadline: Deadline) -> bool:
        """Take what a header announces; whether it belongs to the sound at all.

        Args:
            deadline: extended by what a decoder may take for a piece.

        Raises:
            ProtocolError: it is not as the protocol demands.
            PipeClosed, DeadlineExceeded: see ``frames.read_header``.
            DiskFullError: there is no room for it.
        """
        if "restart" in header:
            self._restarts += 1
            if self._restarts > _MOST_RESTARTS:
                raise ProtocolError("a sound that begins again and again")
            self._sound.restart()
            return True
        if "samples" not in header:
            return False
        count = header["samples"]
        if type(count) is not int or not 0 < count <= _PIECE or len(self._sound) + count > self._most:
            raise ProtocolError("more sound than is allowed")
        samples = np.frombuffer(read_exactly(descriptor, 4 * count, deadline), np.float32)
        if not (np.abs(samples) <= LOUDEST).all():
            raise ProtocolError("a sound with samples that are no numbers, or too large")
        self._sound.add(samples)
        deadline.extend(count / SOUND_RATE / LEAST_SPEED)
        return True

    def whole(self, count: object) -> Sound | None:
        """The sound of which a reply says that it has so many samples; None for None.

        Raises:
            ProtocolError: it has not.
        """
        if count is None:
            return None
        if type(count) is not int or count != len(self._sound):
            raise ProtocolError("a sound of another length than was sent")
        return self._sound
