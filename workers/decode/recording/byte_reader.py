"""Read an opened file for FFmpeg, each container at a position of its own."""

from __future__ import annotations

import errno
import os

import av.error


class ByteReader:
    """What PyAV asks of a file. The position of the descriptor is neither used nor changed.

    FFmpeg tries positions that cannot be and goes on without them, so that :meth:`seek` returns its error code where a
    file of Python would raise, as FFmpeg's own reader of files does.

    Args:
        descriptor: of a regular file; stays the caller's.
        name: FFmpeg looks at its extension where the first bytes leave a choice.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self.name = name
        self._descriptor = descriptor
        self._at = 0

    def read(self, count: int) -> bytes:
        """At most ``count`` bytes; none at the end.

        Raises:
            FFmpegError: the file cannot be read.
        """
        try:
            data = os.pread(self._descriptor, count, self._at)
        except OSError as error:
            raise av.error.OSError(error.errno or errno.EIO, error.strerror or str(error), self.name) from None
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int) -> int:
        """The new position, or a negative error code."""
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            return -errno.EINVAL
        if whence == os.SEEK_CUR:
            offset += self._at
        elif whence == os.SEEK_END:
            offset += os.fstat(self._descriptor).st_size
        if not 0 <= offset < 1 << 63:
            return -errno.EINVAL
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at
