"""Open a file and its sidecars, so that they can be decoded without their paths.

A path may lead elsewhere by the time it is opened: whoever may write into a folder can put a symbolic link in a file's
place after its bytes were hashed. So what was opened is compared with what was hashed, and sidecars are opened beneath
a folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from search import addresses
from search.errors import EmptyFileError, MediaTooLargeError, UnreadableFileError
from search.sidecars import sidecar_names
from workers.decode.metadata.xmp import MOST_BYTES
from workers.runtime import MIB
from workers.storage.beneath import open_beneath
from workers.storage.files import SAME_TIME, bounded_ns
from workers.storage.objects import FileChangedError

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""A named pipe is not waited for."""


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """What a file was when its bytes were hashed.

    Attributes:
        sha256: of the bytes, hex.
        size: bytes.  mtime: seconds since the epoch, UTC.
        ctime_ns: when the file or its metadata changed, in nanoseconds since the epoch; None where that is not known.
        root: the folder, or the file, that was taken in by name; empty where that is not known.
        sidecars: names of the sidecars beside an object in a bucket.
    """

    sha256: str
    size: int
    mtime: float
    ctime_ns: int | None = None
    root: str = ""
    sidecars: tuple[str, ...] = ()

    def is_opened(self, descriptor: int) -> bool:
        """Whether a descriptor is of these bytes: by its times, which nobody but the kernel sets all of, else by
        hashing it."""
        status = os.fstat(descriptor)
        if status.st_size != self.size:
            return False
        if self.ctime_ns == bounded_ns(status.st_ctime_ns) and abs(status.st_mtime_ns / 1e9 - self.mtime) < SAME_TIME:
            return True
        with os.fdopen(os.dup(descriptor), "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        os.lseek(descriptor, 0, os.SEEK_SET)
        return found == self.sha256


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


def open_media(path: str, max_bytes: int, expected: ExpectedFile | None = None) -> OpenedMedia:
    """Open ``path``, if it is a regular file of an allowed size, and its sidecars.

    Args:
        expected: what the file has to be; its ``root`` as this machine sees it.

    Raises:
        FileChangedError: it is not what was expected.
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
        if expected is not None and not expected.is_opened(descriptor):
            raise FileChangedError(f"'{path}' holds other bytes than when it was scanned")
        media = OpenedMedia(name, descriptor, tuple(_open_sidecars(path, expected.root if expected else "")))
        undo.pop_all()
        return media


def _open_sidecars(path: str, root: str) -> Iterator[int]:
    """Descriptors of the sidecars beside a file, the one that decides first: one ``a.jpg.xmp`` and one ``a.xmp`` at
    most. One that cannot be opened, that is no regular file, to which a symbolic link leads out of the root (or, where
    the file does not lie in it, of the file's own folder), or that has more than ``xmp.MOST_BYTES`` counts as none.
    """
    folder, name = os.path.split(path)
    real, top = os.path.realpath(folder), os.path.realpath(root) if root else ""
    beneath = top if top and addresses.is_at_or_below(real, top) else real
    seen: set[str] = set()
    for candidate in sidecar_names(name):
        stem = candidate[: -len("xmp")]
        if stem not in seen and (found := _open_small(beneath, os.path.join(real, candidate))) is not None:  # noqa: PTH118
            seen.add(stem)
            yield found


def _open_small(beneath: str, path: str) -> int | None:
    try:
        descriptor = open_beneath(beneath, path)
    except (OSError, ValueError):
        return None
    if os.fstat(descriptor).st_size <= MOST_BYTES:
        return descriptor
    os.close(descriptor)
    return None
