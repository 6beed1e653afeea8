"""Read files in folders and in buckets; decoders get temporary copies of what is in a bucket.

A path or address is always that of ledger and records; :meth:`FileAccess.local_address` maps it to this machine. Files
in folders are used in place.
"""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.
# ruff: noqa: PTH113, PTH116, PTH123

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search import addresses
from search.errors import DecodeTimeoutError, DiskFullError, MediaTooLargeError, UnreadableFileError
from workers.storage.beneath import open_beneath
from workers.storage.objects import READ_BYTES, FileChangedError, Objects
from workers.storage.temporary_copies import TemporaryCopies

if TYPE_CHECKING:  # each decoder imports this module, and settings take longer than the rest of what it imports
    from search.settings import Settings

MIB = 2**20

SIDECAR_BYTES = 16 * MIB
"""Largest sidecar that is fetched."""

SAME_TIME = 1e-5
"""Seconds by which equal modification times may differ after a float has carried them."""

MOST_NS = 2**63 - 1
"""The latest time that a database keeps as nanoseconds since the epoch: April 2262."""


def bounded_ns(nanoseconds: int) -> int:
    """A time that a file system gives, in nanoseconds since the epoch, bounded to what a database keeps.

    File systems hold times of the year 2400 and later.
    """
    return max(-MOST_NS, min(nanoseconds, MOST_NS))


@contextmanager
def _room_for_copies() -> Iterator[None]:
    """Raises:
    DiskFullError: the block could not write into the temporary folder.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFullError(
            f"The disk of the temporary folder '{tempfile.gettempdir()}' is full: copies of remote files are decoded "
            "there.",
            "Make room there, or name another folder with TMPDIR.",
        ) from error


@dataclass(frozen=True, slots=True)
class Contents:
    """Hash of a file, with the size, modification time and change time of the bytes that were hashed.

    Attributes:
        ctime_ns: when the file or its metadata changed; None in a bucket.
    """

    sha256: str
    size: int
    mtime_ns: int
    ctime_ns: int | None = None


class FileAccess:
    """Reads files in folders and buckets. Thread-safe.

    Attributes:
        objects: the buckets.
    """

    def __init__(self, settings: Settings) -> None:
        self.objects = Objects(settings)
        self._timeout = settings.decode_timeout
        self._max_bytes = settings.max_file_mb * MIB
        self._roots = sorted(
            ((there.rstrip("/") or "/", here.rstrip("/")) for there, here in settings.roots.items()), reverse=True
        )
        self._copies = TemporaryCopies()
        self._closing = threading.Event()

    def local_address(self, path: str) -> str:
        """Path or address on this machine, by the longest matching root of ``Settings.roots``."""
        for there, here in self._roots:
            if addresses.is_at_or_below(path, there):
                return f"{here}/{path[len(there) :].lstrip('/')}".rstrip("/")
        return path

    def size_and_time(self, path: str) -> tuple[int, int]:
        """Bytes, and modification time in nanoseconds since the epoch.

        Raises:
            OSError: there is no such file, or it is not accessible.
        """
        address = self.local_address(path)
        if addresses.is_remote(address):
            facts = self.objects.facts(address)
            return facts.size, facts.mtime_ns
        status = os.stat(address)
        return status.st_size, bounded_ns(status.st_mtime_ns)

    def is_copied(self, path: str) -> bool:
        """Whether :meth:`local` makes a copy of it and checks the bytes."""
        return addresses.is_remote(self.local_address(path))

    def is_same_place(self, path: str) -> bool:
        """Whether modification times are comparable with those of the path's origin: both in folders, or in buckets."""
        return addresses.is_remote(path) == addresses.is_remote(self.local_address(path))

    def is_file(self, path: str) -> bool:
        """Whether there is a file; False where that cannot be found out."""
        address = self.local_address(path)
        if not addresses.is_remote(address):
            return os.path.isfile(address)
        try:
            return not self.objects.facts(address).is_folder
        except OSError:
            return False

    def head(self, path: str, count: int) -> bytes:
        """The first ``count`` bytes.

        Raises:
            OSError: it cannot be read.
        """
        address = self.local_address(path)
        if addresses.is_remote(address):
            return self.objects.with_retries(lambda: self.objects.head(address, count), self._timeout)
        with open(address, "rb") as file:
            return file.read(count)

    def read(self, path: str, beneath: str | None = None) -> Contents:
        """Hash a file.

        Args:
            beneath: a folder of this machine that the file is to lie in, links or no links.

        Raises:
            OSError: it cannot be opened or read, or is not beneath the folder.
        """
        address = self.local_address(path)
        if addresses.is_remote(address):
            return self.objects.with_retries(lambda: self._read_object(address), self._timeout, self._closing)
        with open(address if beneath is None else open_beneath(beneath, address), "rb") as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        times = bounded_ns(status.st_mtime_ns), bounded_ns(status.st_ctime_ns)
        return Contents(digest, status.st_size, *times)

    @contextmanager
    def local(self, path: str, sha256: str = "", sidecars: Sequence[str] = ()) -> Iterator[str]:
        """A path of the file in a folder: its own, or that of a copy, which is removed after the block.

        A copy has at most ``max_file_mb`` and is made within ``decode_timeout`` seconds.

        Args:
            sha256: expected hash of a copy, not checked when empty. Files in folders are not hashed.
            sidecars: names of files in its folder that are put beside a copy, where a decoder looks for them. One that
                has gone, cannot be read or has more than ``SIDECAR_BYTES`` is left out.

        Raises:
            MediaError: it cannot be read, is too large or does not come in time.
            FileChangedError: an object holds other bytes.
            DiskFullError: the temporary folder is full.
        """
        address = self.local_address(path)
        if not addresses.is_remote(address):
            yield os.path.abspath(address)  # noqa: PTH100
            return
        with _room_for_copies(), self._copies.path_for(addresses.name(path)) as copy:
            self._fetch(address, copy, sha256)
            for name in sidecars:
                self._fetch_sidecar(address, name, copy)
            yield copy

    def close(self) -> None:
        """Abort downloads in progress."""
        self._closing.set()

    def _read_object(self, address: str) -> Contents:
        digest = hashlib.sha256()
        size = 0
        with self.objects.opened(address) as (file, facts):
            while piece := file.read(READ_BYTES):
                digest.update(piece)
                size += len(piece)
        return Contents(digest.hexdigest(), size, facts.mtime_ns)

    def _fetch(self, address: str, target: str, sha256: str) -> None:
        name = addresses.name(address)
        ends = time.monotonic() + self._timeout
        try:
            found = self.objects.with_retries(lambda: self._copy(address, target, ends), self._timeout, self._closing)
        except FileChangedError:
            raise
        except OSError as error:
            raise UnreadableFileError(f"'{name}' could not be read: {error.strerror or error}.") from error
        if sha256 and found != sha256:
            raise FileChangedError(f"'{address}' holds other bytes than when it was scanned")

    def _fetch_sidecar(self, address: str, name: str, copy: str) -> None:
        """Put a sidecar of the object at ``address`` beside its copy, whose name may be a shorter one."""
        own, above = addresses.name(address), addresses.parent(address)
        stem = own if name.startswith(f"{own}.") else own.removesuffix(addresses.suffix(own))
        target = (copy if stem == own else copy.removesuffix(addresses.suffix(copy))) + name.removeprefix(stem)
        if above is None or "/" in name or not name.startswith(f"{stem}."):
            return
        with suppress(OSError):
            if self.objects.facts(f"{above}/{name}").size <= SIDECAR_BYTES:
                Path(target).write_bytes(self.objects.read(f"{above}/{name}"))

    def _copy(self, address: str, target: str, ends: float) -> str:
        """SHA-256 of what was copied."""
        name = addresses.name(address)
        digest = hashlib.sha256()
        size = 0
        with Path(target).open("wb") as copy, self.objects.opened(address) as (file, facts):
            if facts.size > self._max_bytes:
                raise MediaTooLargeError(
                    f"'{name}' has {facts.size / MIB:,.0f} MiB.", "LIKEWISE_MAX_FILE_MB sets the largest file."
                )
            while size < facts.size and (piece := file.read(READ_BYTES)):
                digest.update(piece)
                with _room_for_copies():
                    size += copy.write(piece)
                    copy.flush()
                if time.monotonic() > ends or self._closing.is_set():
                    raise DecodeTimeoutError(
                        f"'{name}' could not be fetched within {self._timeout:g} s.",
                        "LIKEWISE_DECODE_TIMEOUT sets the limit.",
                    )
        return digest.hexdigest()
