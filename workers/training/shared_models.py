"""Model registry in the shared place: publishes trained models and fetches the one in use."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from search.errors import NotFoundError, StoreError
from search.photographers.model_registry import (
    CURRENT,
    KEPT_VERSIONS,
    LAYOUT,
    TRAIN_HINT,
    ModelKind,
    ModelVersion,
    is_version,
)
from search.settings import Settings
from search.store.durable import sync_tree
from workers.storage.shared_place import shared_place

REFRESH_SECONDS = 2.0
"""How long the version in use is cached, where the place is a bucket; a folder is read for every query."""

CACHE = "cache"
"""Folder of the data directory for copies of a bucket's files."""


class SharedModels:
    """A ``search.photographers.model_registry.ModelRegistry``. Safe to use from several threads and processes."""

    def __init__(self, settings: Settings) -> None:
        self._place = shared_place(settings)
        self._cache = settings.home / CACHE
        self._fetching = threading.Lock()
        self._known: dict[ModelKind, tuple[float, ModelVersion | None]] = {}

    def current(self, kind: ModelKind) -> ModelVersion | None:
        """See ``ModelRegistry``.

        Raises:
            StoreError: the place cannot be read, its file is damaged, or a newer version of Likewise wrote it.
        """
        is_folder = self._place.path(kind.folder) is not None
        asked, known = self._known.get(kind, (0.0, None))
        if is_folder or time.monotonic() - asked > REFRESH_SECONDS:
            known = self._read_current(kind)
            self._known[kind] = time.monotonic(), known
        return known

    def folder(self, kind: ModelKind, version: ModelVersion) -> Path:
        """See ``ModelRegistry``.

        Raises:
            NotFoundError: the version has been replaced and deleted.  StoreError: its files cannot be copied.
        """
        key = f"{kind.folder}/{version.name}"
        folder = self._place.path(key)
        if folder is not None:
            if not folder.is_dir():
                raise _replaced(version)
            return folder
        with self._fetching:
            return self._fetched(key, version)

    def publish(self, kind: ModelKind, name: str, folder: Path) -> ModelVersion:
        """Copy the files of ``folder`` there as this version and put it in use; the oldest versions are deleted.

        If the process is killed, the previous version stays in use, and the same call can be repeated.

        Raises:
            StoreError: the place cannot be written.  DiskFullError: it is full.
        """
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        version = ModelVersion(name, datetime.now(UTC).isoformat(timespec="seconds"), tuple(files))
        for file in files:
            self._place.add(folder / file, f"{kind.folder}/{name}/{file}")
        if (published := self._place.path(f"{kind.folder}/{name}")) is not None:
            sync_tree(published)  # a crash may not leave a name with nothing behind it
        self._place.save({f"{kind.folder}/{CURRENT}": json.dumps({"layout": LAYOUT, **asdict(version)}).encode()})
        self._known.pop(kind, None)
        self._clear_old(kind, name)
        return version

    def _read_current(self, kind: ModelKind) -> ModelVersion | None:
        try:
            content = self._place.read(f"{kind.folder}/{CURRENT}")
        except FileNotFoundError:
            return None
        try:
            stored = json.loads(content)
            if stored.get("layout", 1) > LAYOUT:
                raise StoreError(
                    f"{kind.folder}/{CURRENT} in the shared place was written by a newer version of Likewise.",
                    "Update Likewise on this machine.",
                )
            version = ModelVersion(str(stored["name"]), str(stored["made"]), tuple(map(str, stored["files"])))
        except (AttributeError, ValueError, KeyError, TypeError) as error:
            raise _damaged(kind, type(error).__name__) from None
        if not is_version(version.name) or any(_is_outside(file) for file in version.files):
            raise _damaged(kind, "it names what is no version")
        return version

    def _fetched(self, key: str, version: ModelVersion) -> Path:
        """Copy of a version in the data directory, fetched if it is not there."""
        target = self._cache / key
        if target.is_dir():
            return target
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            for file in version.files:
                self._place.fetch(f"{key}/{file}", unfinished / file)
            try:
                unfinished.rename(target)
            except OSError:
                if not target.is_dir():  # not made by another process meanwhile either
                    raise
        except FileNotFoundError:
            raise _replaced(version) from None
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error}.") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        for old in sorted(filter(_is_old, target.parent.iterdir()), reverse=True)[KEPT_VERSIONS:]:
            shutil.rmtree(old, ignore_errors=True)
        return target

    def _clear_old(self, kind: ModelKind, current: str) -> None:
        names = {name.partition("/")[0] for name in self._place.names(kind.folder)}
        versions = sorted((name for name in names - {current} if is_version(name)), reverse=True)
        for old in versions[KEPT_VERSIONS - 1 :]:
            self._place.clear(f"{kind.folder}/{old}")


def _is_old(folder: Path) -> bool:
    return is_version(folder.name)


def _is_outside(name: str) -> bool:
    return Path(name).is_absolute() or ".." in Path(name).parts


def _replaced(version: ModelVersion) -> NotFoundError:
    return NotFoundError(f"The model {version.name} has been replaced meanwhile.", "Ask again.")


def _damaged(kind: ModelKind, reason: str) -> StoreError:
    return StoreError(
        f"{kind.folder}/{CURRENT} in the shared place cannot be read ({reason}).",
        "Delete it. " + TRAIN_HINT[kind],
    )
