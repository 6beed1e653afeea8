"""The samples of a recording, whatever its length: in memory while they are few, else in a temporary file."""

from __future__ import annotations

import errno
import io
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.errors import DiskFullError

SOUND_RATE = 16_000
"""Samples a second of every decoded sound."""

Samples: TypeAlias = NDArray[np.float32]
"""float32 ``(n,)`` mono at 16 kHz."""

KEPT_SECONDS = 300
"""Seconds of sound that are kept in memory, 19 MB. An hour in a file takes 230 MB."""

PIECE_SECONDS = 10
"""Seconds of a piece that :meth:`Sound.pieces` gives."""

LOUDEST = 1e6
"""Largest sample: full scale is 1, or 32,768 where a file of floats was written in steps of 16 bits. Squares of larger
ones add up to more than a float holds."""

_BYTES = 4


def cleaned(samples: Samples) -> Samples:
    """Samples of which none is louder than :data:`LOUDEST`; those that are no finite numbers are silent."""
    if (np.abs(samples) <= LOUDEST).all():
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -LOUDEST, LOUDEST)


class Sound:
    """Samples in their order, read in pieces as often as needed. Used by one thread at a time.

    Attributes:
        peak: greatest absolute value of the samples as they were added. What is louder than full scale, as files of
            floats may be, is scaled to it where it is read.

    Args:
        folder: gives the folder for the file of a long one; that of the system when left out.
    """

    def __init__(self, folder: Callable[[], str] = tempfile.gettempdir) -> None:
        self._folder = folder
        self._file: IO[bytes] = io.BytesIO()
        self._count = 0
        self.peak = 0.0

    @classmethod
    def of(cls, samples: Samples) -> Self:
        """A sound of these samples."""
        sound = cls()
        sound.add(samples)
        return sound

    def __len__(self) -> int:
        """Number of samples."""
        return self._count

    @property
    def seconds(self) -> float:
        return self._count / SOUND_RATE

    def add(self, samples: Samples) -> None:
        """Append samples. They are :func:`cleaned`.

        Raises:
            DiskFullError: there is no room for the file.
        """
        if not len(samples):
            return
        samples = cleaned(samples)
        self._keep(samples)
        self._count += len(samples)
        self.peak = max(self.peak, float(samples.max()), -float(samples.min()))

    def restart(self) -> None:
        """Forget what was added: the recording is read anew."""
        self._count, self.peak = 0, 0.0
        self._file = io.BytesIO()

    def pieces(self, seconds: float = PIECE_SECONDS) -> Iterator[Samples]:
        """All samples from the start on, in [-1, 1], ``seconds`` at a time; the last piece has what is left."""
        scale = np.float32(1 / self.peak if self.peak > 1 else 1)
        step = max(1, int(seconds * SOUND_RATE))
        for at in range(0, self._count, step):
            self._file.seek(at * _BYTES)
            piece = np.frombuffer(self._file.read(min(step, self._count - at) * _BYTES), np.float32)
            yield piece * scale if scale != 1 else piece

    def samples(self) -> Samples:
        """All samples at once, for recordings that are known to be short."""
        return np.concatenate([*self.pieces(), np.empty(0, np.float32)])

    def _keep(self, samples: Samples) -> None:
        data = np.ascontiguousarray(samples, np.float32)
        try:
            if isinstance(self._file, io.BytesIO) and self._count + len(data) > KEPT_SECONDS * SOUND_RATE:
                on_disk = tempfile.TemporaryFile(dir=self._folder())  # noqa: SIM115  (kept as long as this object)
                on_disk.write(self._file.getbuffer())
                self._file = on_disk
            self._file.seek(self._count * _BYTES)
            self._file.write(data.data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DiskFullError(
                f"The disk of '{self._folder()}' is full: the samples of long recordings are kept there while they are "
                "embedded.",
                "Make room there (230 MB for each hour), or name another folder with TMPDIR.",
            ) from error
