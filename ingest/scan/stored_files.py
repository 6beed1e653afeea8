"""Open the files of records to be served, where they are allowed and still what was taken in.

A file is the one that was taken in when its size, modification time and change time are those that the ledger noted
when its bytes were hashed; otherwise its bytes are hashed anew, once. An object of a bucket is judged by size and time.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

from sqlalchemy import select

from ingest.ledger.database import Ledger
from ingest.ledger.libraries import roots_above
from ingest.ledger.tables import files
from ingest.scan.allowed import AllowedFolders
from search import addresses
from search.errors import NotFoundError, StoreUnavailableError
from search.media import MediaRecord, media_id
from search.settings import Settings
from workers.storage.beneath import open_beneath
from workers.storage.files import FileAccess, bounded_ns
from workers.storage.objects import UnreachableError

REMEMBERED = 4096
"""So many files that were hashed here are not hashed again."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a record.

    Attributes:
        path: as the record has it.
        address: on this machine: a path, or the address of an object.
        opened: the file, for the caller to close; None for an object.
    """

    path: str
    address: str
    opened: BufferedReader | None


class StoredFiles:
    """Opens files of records. Thread-safe.

    Attributes:
        access: maps paths of the ledger to this machine, and reads objects.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.access = FileAccess(settings)
        self._ledger, self._allowed = ledger, AllowedFolders(settings, ledger)
        self._hashed: OrderedDict[tuple[int, ...], str] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, record: MediaRecord) -> StoredFile:
        """The first of the record's files that is allowed and still holds its content.

        Raises:
            NotFoundError: there is none.
            StoreUnavailableError: none was found, but a bucket or the ledger does not answer.
        """
        unreachable: UnreachableError | None = None
        for path in record.paths:
            try:
                address = self.access.local_address(path)
                if not addresses.is_remote(address):
                    if (opened := self._open(path, address, record)) is not None:
                        return StoredFile(path, address, opened)
                elif self._is_object(path, address, record):
                    return StoredFile(path, address, None)
            except UnreachableError as error:
                unreachable = error
            except (OSError, ValueError):
                continue
        if unreachable is not None:
            raise StoreUnavailableError(f"The file of {record.id} cannot be reached: {unreachable.strerror}.")
        raise NotFoundError(
            f"The file of {record.id} is gone or has changed: {', '.join(record.paths)}.", "Ingest its folder again."
        )

    def is_there(self, record: MediaRecord) -> bool:
        """Whether :meth:`open` would find a file."""
        try:
            found = self.open(record)
        except (NotFoundError, StoreUnavailableError):
            return False
        if found.opened is not None:
            found.opened.close()
        return True

    def _open(self, path: str, address: str, record: MediaRecord) -> BufferedReader | None:
        real = os.path.realpath(address, strict=True)
        folder = next((one for one in self._roots_of(path, real) if addresses.is_at_or_below(real, one)), None)
        if folder is None or not self._allowed.is_listed(real):
            return None
        opened = os.fdopen(open_beneath(folder, real), "rb")
        try:
            if self._is_content(path, opened, record):
                return opened
        except BaseException:
            opened.close()
            raise
        opened.close()
        return None

    def _roots_of(self, path: str, real: str) -> Iterator[str]:
        """What was taken in by name at or above a path, as this machine sees it, and above the file it leads to."""
        with self._ledger.read() as connection:
            above, above_real = roots_above(connection, path), roots_above(connection, real)
        # The path of a library's folder holds no link, but for one that `LIKEWISE_ROOTS` names.
        mapped = (self.access.local_address(root) for root in above)
        yield from (os.path.realpath(here) for root, here in zip(above, mapped, strict=True) if root != here)
        yield from (root for root in above if self.access.local_address(root) == root)
        yield from above_real

    def _is_content(self, path: str, opened: BufferedReader, record: MediaRecord) -> bool:
        status = os.fstat(opened.fileno())
        if status.st_size != record.size:
            return False
        times = bounded_ns(status.st_mtime_ns), bounded_ns(status.st_ctime_ns)
        if self._noted(path) == (record.id, status.st_size, *times):
            return True
        identity = (status.st_dev, status.st_ino, status.st_size, *times)
        with self._lock:
            found = self._hashed.get(identity)
        if found is None:
            found = media_id(hashlib.file_digest(opened, "sha256").hexdigest())
            opened.seek(0)
            with self._lock:
                self._hashed[identity] = found
                while len(self._hashed) > REMEMBERED:
                    self._hashed.popitem(last=False)
        return found == record.id

    def _is_object(self, path: str, address: str, record: MediaRecord) -> bool:
        if not self._allowed.is_listed(address):
            return False
        facts = self.access.objects.facts(address)
        noted = self._noted(path)
        changed = (
            noted is not None
            and self.access.is_same_place(path)
            and noted[:3]
            != (
                record.id,
                facts.size,
                facts.mtime_ns,
            )
        )
        return facts.size == record.size and not changed

    def _noted(self, path: str) -> tuple[str | None, int, int, int | None] | None:
        """Id, size, modification and change time of the content at a path when it was hashed."""
        columns = files.c.media_id, files.c.size, files.c.mtime_ns, files.c.ctime_ns
        with self._ledger.read() as connection:
            row = connection.execute(select(*columns).where(files.c.path == path)).first()
        return None if row is None else (row.media_id, row.size, row.mtime_ns, row.ctime_ns)
