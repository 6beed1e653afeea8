"""Trained models in the shared place: put there whole, named as the ones in use, read from there by every process."""

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
from search.photographers.model_registry import CURRENT, KEPT_VERSIONS, TRAIN_HINT, ModelKind, ModelVersion, is_version
from search.settings import Settings
from search.store.durable import sync_tree
from workers.storage.shared_place import shared_place

LOOK_SECONDS = 2.0
"""How long what a bucket said of the version in use is believed; a folder is looked into for every question."""

CACHE = "cache"
"""Folder of the data directory for copies of what lies in a bucket."""


class SharedModels:
    """A ``search.photographers.model_registry.ModelRegistry``. Safe to use from several threads and processes."""

    def __init__(self, settings: Settings) -> None:
        self._place = shared_place(settings)
        self._cache = settings.home / CACHE
        self._fetching = threading.Lock()
        self._known: dict[ModelKind, tuple[float, ModelVersion | None]] = {}

    def current(self, kind: ModelKind) -> ModelVersion | None:
        """
        Raises:
            StoreError: the place cannot be read, or does not hold what was written there.
        """
        is_folder = self._place.path(kind.folder) is not None
        asked, known = self._known.get(kind, (0.0, None))
        if is_folder or time.monotonic() - asked > LOOK_SECONDS:
            known = self._read_current(kind)
            self._known[kind] = time.monotonic(), known
        return known

    def folder(self, kind: ModelKind, version: ModelVersion) -> Path:
        there = f"{kind.folder}/{version.name}"
        folder = self._place.path(there)
        if folder is not None:
            if not folder.is_dir():
                raise _gone(version)
            return folder
        with self._fetching:
            return self._fetched(there, version)

    def publish(self, kind: ModelKind, name: str, folder: Path) -> ModelVersion:
        """Put what is in ``folder`` there as this version and have it used from now on; older ones are cleared away.

        Killed anywhere, the version before stays in use, and the same call does all of it again.

        Raises:
            StoreError: the place refuses.  DiskFullError: it is full.
        """
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        version = ModelVersion(name, datetime.now(UTC).isoformat(timespec="seconds"), tuple(files))
        for file in files:
            self._place.add(folder / file, f"{kind.folder}/{name}/{file}")
        if (there := self._place.path(f"{kind.folder}/{name}")) is not None:
            sync_tree(there)  # a crash may not leave a name with nothing behind it
        self._place.save({f"{kind.folder}/{CURRENT}": json.dumps(asdict(version)).encode()})
        self._known.pop(kind, None)
        self._clear_old(kind, name)
        return version

    def _read_current(self, kind: ModelKind) -> ModelVersion | None:
        try:
            content = self._place.read(f"{kind.folder}/{CURRENT}")
        except FileNotFoundError:
            return None
        try:
            told = json.loads(content)
            version = ModelVersion(str(told["name"]), str(told["made"]), tuple(map(str, told["files"])))
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(kind, type(error).__name__) from None
        if not is_version(version.name) or any(_leads_out(file) for file in version.files):
            raise _damaged(kind, "it names what is no version")
        return version

    def _fetched(self, there: str, version: ModelVersion) -> Path:
        """The copy of a version in the data directory, made now if it is not there."""
        target = self._cache / there
        if target.is_dir():
            return target
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            for file in version.files:
                self._place.fetch(f"{there}/{file}", unfinished / file)
            try:
                unfinished.rename(target)
            except OSError:
                if not target.is_dir():  # not made by another process meanwhile either
                    raise
        except FileNotFoundError:
            raise _gone(version) from None
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


def _leads_out(name: str) -> bool:
    return Path(name).is_absolute() or ".." in Path(name).parts


def _gone(version: ModelVersion) -> NotFoundError:
    return NotFoundError(f"The model {version.name} has been replaced meanwhile.", "Ask again.")


def _damaged(kind: ModelKind, reason: str) -> StoreError:
    return StoreError(
        f"{kind.folder}/{CURRENT} in the shared place cannot be read ({reason}).",
        "Delete it. " + TRAIN_HINT[kind],
    )
