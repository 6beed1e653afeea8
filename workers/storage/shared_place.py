"""The place that web and workers both reach (``Settings.shared_place``): a folder, or a prefix of a bucket.

Previews, uploads and trained models lie there. Names are relative, ``previews/ab/<id>.webp`` say, and never come from a
request.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from search import addresses
from search.errors import DiskFullError, StoreError, StoreUnavailableError
from search.settings import Settings
from workers.storage.objects import Objects, UnreachableError

PREVIEWS, UPLOADS, MODELS, TRAINING, SCRATCH = OWN_FOLDERS = ("previews", "uploads", "models", "training", "scratch")
"""What Likewise keeps there; no scan looks into these. ``training`` holds what trainings in work read and write,
``scratch`` files that are embedded and thrown away."""


class SharedPlace(Protocol):
    """Every method raises ``StoreError`` when the place refuses, ``DiskFullError`` when it is full."""

    def save(self, files: Mapping[str, bytes]) -> None:
        """Write each file whole or not at all, in place of one of its name."""
        ...

    def add(self, path: Path, name: str) -> str:
        """Copy a file of this machine there; returns its path or address, by which every worker can read it."""
        ...

    def read(self, name: str) -> bytes:
        """
        Raises:
            FileNotFoundError: there is none of that name.
        """
        ...

    def exists(self, name: str) -> bool: ...

    def delete(self, name: str) -> None:
        """Nothing happens where there is nothing."""
        ...

    def fetch(self, name: str, path: Path) -> None:
        """Copy a file from there to this machine; its folder is made.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        ...

    def names(self, folder: str) -> list[str]:
        """Names, below ``folder``, of all files in it and in its folders, in order; empty where there is none."""
        ...

    def clear(self, folder: str) -> None:
        """Delete a folder with all that is in it; nothing happens where there is none."""
        ...

    def path(self, name: str) -> Path | None:
        """Where it lies, if in a folder; it need not exist."""
        ...


def shared_place(settings: Settings) -> SharedPlace:
    if addresses.is_remote(settings.shared_place):
        return SharedPrefix(settings)
    return SharedFolder(Path(settings.shared_place))


class SharedFolder:
    """A folder of this machine, which others may have mounted too."""

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

    def fetch(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._folder / name, path)

    def names(self, folder: str) -> list[str]:
        root = self._folder / folder
        return sorted(
            path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and not path.is_symlink()
        )

    def clear(self, folder: str) -> None:
        shutil.rmtree(self._folder / folder, ignore_errors=True)

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
                f"No space left for previews in {self._folder}.", "Free some space; the job goes on where it stopped."
            )
        return StoreError(f"{path} cannot be written: {error}.")


class SharedPrefix:
    """A prefix of a bucket. What is in it is written and read whole, many files at once."""

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

    def fetch(self, name: str, path: Path) -> None:
        def copy() -> None:
            with self._objects.opened(self._address(name)) as (source, _), path.open("wb") as target:
                shutil.copyfileobj(source, target)

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

    def path(self, name: str) -> Path | None:
        return None

    def _address(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _refused(self, deed: str, error: OSError) -> StoreError:
        kind = StoreUnavailableError if isinstance(error, UnreachableError) else StoreError
        return kind(f"{self._root} cannot be {deed}: {error.strerror or error}.", "LIKEWISE_SHARED names the place.")
