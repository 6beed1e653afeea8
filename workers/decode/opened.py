"""Open a file and its sidecars, so that they can be decoded without their paths."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from search.errors import EmptyFileError, MediaTooLargeError, UnreadableFileError
from search.sidecars import sidecar_names
from workers.decode.metadata.xmp import MOST_BYTES
from workers.runtime import MIB

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""A named pipe is not waited for."""


@dataclass(frozen=True, slots=True)
class OpenedMedia:
    """A file to be decoded and its sidecars, opened for reading. A context manager that closes them.

    Attributes:
        name: the file's name, without folders.
        descriptor: of the file.
        sidecars: descriptors of its XMP sidecars, the one that decides first: ``a.jpg.xmp``, ``a.xmp``.
    """

    name: str
    descriptor: int
    sidecars: tuple[int, ...] = ()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All of them, the file's own first."""
        return (self.descriptor, *self.sidecars)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)


def open_media(path: str, max_bytes: int) -> OpenedMedia:
    """Open ``path``, if it is a regular file of an allowed size, and its sidecars.

    Raises:
        UnreadableFileError: missing, forbidden, or not a regular file, which is never opened: that could block.
        EmptyFileError: it has no bytes.
        MediaTooLargeError: it has more than ``max_bytes``.
    """
    name = Path(path).name
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise UnreadableFileError(f"'{name}' is not a regular file.")
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFileError(f"'{name}' could not be opened: {reason}.") from None
    with ExitStack() as undo:
        undo.callback(os.close, descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFileError(f"'{name}' is not a regular file.")
        if status.st_size == 0:
            raise EmptyFileError(f"'{name}' is empty.")
        if status.st_size > max_bytes:
            raise MediaTooLargeError(
                f"'{name}' has {status.st_size / MIB:,.0f} MiB.", "LIKEWISE_MAX_FILE_MB sets the largest file."
            )
        media = OpenedMedia(name, descriptor, tuple(_open_sidecars(path)))
        undo.pop_all()
        return media


def _open_sidecars(path: str) -> Iterator[int]:
    """Descriptors of the sidecars beside a file, the one that decides first: one ``a.jpg.xmp`` and one ``a.xmp`` at
    most. One that cannot be opened, that is no regular file, or that has more than ``xmp.MOST_BYTES`` counts as none.
    """
    folder, name = os.path.split(path)
    seen: set[str] = set()
    for candidate in sidecar_names(name):
        stem = candidate[: -len("xmp")]
        if stem not in seen and (found := _open_small(os.path.join(folder, candidate))) is not None:  # noqa: PTH118
            seen.add(stem)
            yield found


def _open_small(path: str) -> int | None:
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES:
        return descriptor
    os.close(descriptor)
    return None
