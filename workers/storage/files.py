"""Files wherever they lie: in a folder, or in a bucket, of which decoders get a copy in a temporary folder of ours.

A path or address is always the one that ledger and records have; :meth:`FileAccess.here` says where this machine sees
it. What lies in a folder is used where it is.
"""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.
# ruff: noqa: PTH113, PTH116, PTH123

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from search import addresses
from search.errors import DecodeTimeoutError, MediaTooLargeError, UnreadableFileError
from search.settings import Settings
from workers.storage.objects import READ_BYTES, FileChangedError, Objects
from workers.storage.temporary_copies import BorrowedFolder

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Contents:
    """A file that was read: size and time are those of the very bytes that were hashed."""

    sha256: str
    size: int
    mtime_ns: int


class FileAccess:
    """Reads files for whoever needs them. Thread-safe.

    Attributes:
        objects: the buckets.
    """

    def __init__(self, settings: Settings) -> None:
        self.objects = Objects(settings)
        self._seconds = settings.decode_timeout
        self._max_bytes = settings.max_file_mb * MIB
        self._elsewhere = sorted(
            ((there.rstrip("/") or "/", here.rstrip("/")) for there, here in settings.roots.items()), reverse=True
        )
        self._borrowed = BorrowedFolder()
        self._closing = threading.Event()

    def here(self, path: str) -> str:
        """Where this machine sees it (``Settings.roots``, of which the longest that fits counts)."""
        for there, here in self._elsewhere:
            if addresses.is_at_or_below(path, there):
                return f"{here}/{path[len(there) :].lstrip('/')}".rstrip("/")
        return path

    def size_and_time(self, path: str) -> tuple[int, int]:
        """Bytes, and nanoseconds since the epoch.

        Raises:
            OSError: it is not there or cannot be looked at.
        """
        here = self.here(path)
        if addresses.is_remote(here):
            facts = self.objects.facts(here)
            return facts.size, facts.mtime_ns
        status = os.stat(here)
        return status.st_size, status.st_mtime_ns

    def is_copied(self, path: str) -> bool:
        """Whether :meth:`local` makes a copy of it, whose bytes it checks."""
        return addresses.is_remote(self.here(path))

    def is_same_place(self, path: str) -> bool:
        """Whether modification times mean the same here as where the path comes from: both in folders or buckets."""
        return addresses.is_remote(path) == addresses.is_remote(self.here(path))

    def is_file(self, path: str) -> bool:
        """Whether there is a file, as far as can be seen."""
        here = self.here(path)
        if not addresses.is_remote(here):
            return os.path.isfile(here)
        try:
            return not self.objects.facts(here).is_folder
        except OSError:
            return False

    def head(self, path: str, count: int) -> bytes:
        """Its first bytes.

        Raises:
            OSError: it cannot be read.
        """
        here = self.here(path)
        if addresses.is_remote(here):
            return self.objects.with_retries(lambda: self.objects.head(here, count), self._seconds)
        with open(here, "rb") as file:
            return file.read(count)

    def read(self, path: str) -> Contents:
        """Hash a file.

        Raises:
            OSError: it cannot be opened or read.
        """
        here = self.here(path)
        if addresses.is_remote(here):
            return self.objects.with_retries(lambda: self._read_object(here), self._seconds, self._closing)
        with open(here, "rb") as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Contents(digest, status.st_size, status.st_mtime_ns)

    @contextmanager
    def local(self, path: str, sha256: str = "") -> Iterator[str]:
        """The path of a file in a folder with these bytes: its own, or that of a copy, which is gone afterwards.

        A copy is no larger than ``max_file_mb`` and is made within ``decode_timeout`` seconds.

        Args:
            sha256: what the bytes of a copy must be; anything when empty. Files in folders are not looked into.

        Raises:
            MediaError: it cannot be read, is too large or does not come in time.
            FileChangedError: an object holds other bytes.
        """
        here = self.here(path)
        if not addresses.is_remote(here):
            yield os.path.abspath(here)  # noqa: PTH100
            return
        with self._borrowed.place(addresses.name(path)) as copy:
            self._fetch(here, copy, sha256)
            yield copy

    def close(self) -> None:
        """Let whatever is being fetched fail soon."""
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
        ends = time.monotonic() + self._seconds
        try:
            found = self.objects.with_retries(lambda: self._copy(address, target, ends), self._seconds, self._closing)
        except FileChangedError:
            raise
        except OSError as error:
            raise UnreadableFileError(f"'{name}' could not be read: {error.strerror or error}.") from error
        if sha256 and found != sha256:
            raise FileChangedError(f"'{address}' holds other bytes than when it was scanned")

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
                size += copy.write(piece)
                if time.monotonic() > ends or self._closing.is_set():
                    raise DecodeTimeoutError(
                        f"'{name}' could not be fetched within {self._seconds:g} s.",
                        "LIKEWISE_DECODE_TIMEOUT sets the limit.",
                    )
        return digest.hexdigest()
