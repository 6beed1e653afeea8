"""Storage that web and workers share (``Settings.shared_place``): a folder, or a prefix of a bucket.

It holds previews, uploads and trained models. Names are relative, ``previews/ab/<id>.webp`` say, and never come from a
request.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from search import addresses
from search.errors import DiskFullError, StoreError, StoreUnavailableError
from search.settings import Settings
from workers.storage.objects import Objects, UnreachableError

PREVIEWS, UPLOADS, MODELS, TRAINING, SCRATCH = OWN_FOLDERS = ("previews", "uploads", "models", "training", "scratch")
"""Folders in the shared place; no scan enters them. ``training`` holds the files of trainings in work, ``scratch``
files that are embedded and then deleted."""


COPY_BYTES = 1 << 20


class SharedPlace(Protocol):
    """Files by name.

    Raises:
        StoreError: the place refuses (any method).
        DiskFullError: it is full (any method that writes).
    """

    def save(self, files: Mapping[str, bytes]) -> None:
        """Write files, each atomically; existing ones are replaced."""
        ...

    def add(self, path: Path, name: str) -> str:
        """Copy a local file into the place; its path or address there, readable by every worker."""
        ...

    def read(self, name: str) -> bytes:
        """All bytes of a file.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        ...

    def exists(self, name: str) -> bool: ...

    def delete(self, name: str) -> None:
        """Delete a file if it exists."""
        ...

    def fetch(self, name: str, path: Path, most: int | None = None) -> None:
        """Copy a file of the place to a local path, whose folder is made.

        Args:
            most: bytes that it may have.

        Raises:
            FileNotFoundError: there is none of that name.
            StoreError: it has more than ``most`` bytes; the place cannot be read.
        """
        ...

    def names(self, folder: str) -> list[str]:
        """Names, relative to ``folder``, of all files below it, in order; empty where there is none."""
        ...

    def clear(self, folder: str) -> None:
        """Delete a folder and its content if it exists."""
        ...

    def delete_older(self, folder: str, seconds: float) -> int:
        """Delete files directly in ``folder`` that were written more than ``seconds`` ago; how many there were."""
        ...

    def path(self, name: str) -> Path | None:
        """Path of a file where the place is a folder; it need not exist."""
        ...


def shared_place(settings: Settings) -> SharedPlace:
    if addresses.is_remote(settings.shared_place):
        return SharedPrefix(settings)
    return SharedFolder(Path(settings.shared_place))


class SharedFolder:
    """A local folder, which other machines may have mounted too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()

    def save(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            self._write(self._folder / name, data)

    def add(self, path: Path, name: str) -> str:
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        except OSError as error:
            target.unlink(missing_ok=True)
            raise self._refused(target, error) from error
        return str(target)

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def exists(self, name: str) -> bool:
        return (self._folder / name).is_file()

    def delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def fetch(self, name: str, path: Path, most: int | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (self._folder / name).open("rb") as source, path.open("wb") as target:
            _copy(source, target, name, most)

    def names(self, folder: str) -> list[str]:
        root = self._folder / folder
        return sorted(
            path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and not path.is_symlink()
        )

    def clear(self, folder: str) -> None:
        shutil.rmtree(self._folder / folder, ignore_errors=True)

    def delete_older(self, folder: str, seconds: float) -> int:
        before, deleted = time.time() - seconds, 0
        for path in (self._folder / folder).glob("*"):
            with suppress(FileNotFoundError):  # it may be deleted meanwhile
                if path.is_file() and path.lstat().st_mtime < before:
                    path.unlink()
                    deleted += 1
        return deleted

    def path(self, name: str) -> Path | None:
        return self._folder / name

    def _write(self, path: Path, data: bytes) -> None:
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(data)
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise self._refused(path, error) from error

    def _refused(self, path: Path, error: OSError) -> StoreError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFullError(
                f"The disk of '{self._folder}' is full: previews and other files cannot be written.",
                "Free some space; what was stored before is intact.",
            )
        return StoreError(f"{path} cannot be written: {error}.")


class SharedPrefix:
    """A prefix of a bucket."""

    def __init__(self, settings: Settings) -> None:
        self._root = addresses.absolute(settings.shared_place)
        self._objects = Objects(settings)
        self._seconds = settings.decode_timeout

    def save(self, files: Mapping[str, bytes]) -> None:
        there = {self._address(name): data for name, data in files.items()}
        try:
            self._objects.with_retries(lambda: self._objects.write(there), self._seconds)
        except OSError as error:
            raise self._refused("written", error) from error

    def add(self, path: Path, name: str) -> str:
        address = self._address(name)
        try:
            self._objects.with_retries(lambda: self._objects.upload(str(path), address), self._seconds)
        except OSError as error:
            raise self._refused("written", error) from error
        return address

    def read(self, name: str) -> bytes:
        try:
            return self._objects.read(self._address(name))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._refused("read", error) from error

    def exists(self, name: str) -> bool:
        try:
            self._objects.facts(self._address(name))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._refused("read", error) from error
        return True

    def delete(self, name: str) -> None:
        try:
            self._objects.delete(self._address(name))
        except OSError as error:
            raise self._refused("written", error) from error

    def fetch(self, name: str, path: Path, most: int | None = None) -> None:
        def copy() -> None:
            with self._objects.opened(self._address(name)) as (source, _), path.open("wb") as target:
                _copy(source, target, name, most)

        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._objects.with_retries(copy, self._seconds)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._refused("read", error) from error

    def names(self, folder: str) -> list[str]:
        root = self._address(folder)
        found: list[str] = []
        waiting = [root]
        try:
            while waiting:
                for entry in self._objects.listing(waiting.pop()):
                    if entry.is_folder:
                        waiting.append(entry.address)
                    else:
                        found.append(entry.address.removeprefix(f"{root}/"))
        except OSError as error:
            raise self._refused("read", error) from error
        return sorted(found)

    def clear(self, folder: str) -> None:
        for name in self.names(folder):
            self.delete(f"{folder}/{name}")

    def delete_older(self, folder: str, seconds: float) -> int:
        before = (time.time() - seconds) * 1e9
        try:
            entries = self._objects.listing(self._address(folder))
        except OSError as error:
            raise self._refused("read", error) from error
        old = [entry for entry in entries if not entry.is_folder and entry.mtime_ns < before]
        for entry in old:
            self.delete(f"{folder}/{addresses.name(entry.address)}")
        return len(old)

    def path(self, name: str) -> Path | None:
        return None

    def _address(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _refused(self, deed: str, error: OSError) -> StoreError:
        kind = StoreUnavailableError if isinstance(error, UnreachableError) else StoreError
        return kind(f"{self._root} cannot be {deed}: {error.strerror or error}.", "LIKEWISE_SHARED names the place.")


def _copy(source: IO[bytes], target: IO[bytes], name: str, most: int | None) -> None:
    """
    Raises:
        StoreError: there are more than ``most`` bytes.
    """
    copied = 0
    while piece := source.read(COPY_BYTES):
        copied += len(piece)
        if most is not None and copied > most:
            raise StoreError(f"'{name}' in the shared place has more than {most:,} bytes.")
        target.write(piece)
