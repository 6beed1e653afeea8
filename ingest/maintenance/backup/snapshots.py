"""The backups that one folder holds: the latest, by its manifest, and those before, which share parts with it.

manifest.json                        of the latest backup
snapshots/20261130T114500123-1a2b.json  manifests of all of them
collections/images/5f….parquet       parts, by the SHA-256 of their bytes
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ingest.maintenance.backup.manifest import (
    JOURNAL,
    MANIFEST,
    Journal,
    Manifest,
    load_manifest,
    seal,
)
from search.errors import UsageError
from search.store.durable import sync, write_json
from workers.storage.shared_place import MODELS

SNAPSHOTS = "snapshots"
FOLDERS = ("ledger", "collections", MODELS)
"""Folders of parts."""


def name_of(manifest: Manifest) -> str:
    """Name of a backup among those of its folder; in order of time, that of versions before in whole seconds."""
    moment = manifest.head.created.partition("+")[0]
    when = "".join(letter for letter in moment if letter.isdigit() or letter == "T")
    return f"{when}-{manifest.head.id[:4]}"


def names(folder: Path) -> list[str]:
    """Names of the backups in a folder, the latest first; none where a version before wrote the only one."""
    return sorted((path.stem for path in (folder / SNAPSHOTS).glob("*.json")), reverse=True)


def load(folder: Path, name: str | None) -> Manifest:
    """The manifest of a backup, of the latest where no name is given.

    Raises:
        UsageError: there is none of that name.
        BackupError: it is damaged, or of a newer version.
    """
    if name is None:
        return load_manifest(folder)
    known = names(folder)
    if name not in known:
        raise UsageError(
            f"'{folder}' holds no backup '{name}'.", f"It holds {', '.join(known) or 'one without a name'}."
        )
    return load_manifest(folder, f"{SNAPSHOTS}/{name}.json")


def keep(folder: Path, manifest: Manifest) -> None:
    """Keep a manifest under its name, durably."""
    place = folder / SNAPSHOTS
    place.mkdir(exist_ok=True)
    path = place / f"{name_of(manifest)}.json"
    if not path.exists():
        write_json(path, seal(manifest))


def keep_latest(folder: Path) -> None:
    """Keep the manifest that is about to be replaced, also one that a version before wrote.

    Raises:
        BackupError: it is damaged.
    """
    if (folder / MANIFEST).exists():
        keep(folder, load_manifest(folder))


def drop_older(folder: Path, most: int) -> list[str]:
    """Delete all backups but the latest ``most``, and the parts that no other needs; names of those deleted.

    Raises:
        BackupError: a manifest is damaged, so that nobody knows which parts it needs.
    """
    doomed = names(folder)[most:]
    for name in doomed:
        (folder / SNAPSHOTS / f"{name}.json").unlink()
    if doomed:
        sync(folder / SNAPSHOTS)
        delete_unused(folder)
    return doomed


def delete_unused(folder: Path) -> None:
    """Delete parts that neither a backup nor an unfinished one needs, and folders without any.

    Raises:
        BackupError: a manifest is damaged.
    """
    manifests = [load(folder, name) for name in names(folder)]
    if (folder / MANIFEST).exists():
        manifests.append(load_manifest(folder))
    needed = {part.path for manifest in manifests for part in manifest.parts}
    needed |= {part.path for part in Journal(folder).parts} if (folder / JOURNAL).exists() else set()
    for top in FOLDERS:
        _delete_except(folder, folder / top, needed)


def _delete_except(folder: Path, within: Path, needed: set[str]) -> None:
    entries: Iterable[Path] = sorted(within.iterdir()) if within.is_dir() else ()
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            _delete_except(folder, entry, needed)
        elif entry.relative_to(folder).as_posix() not in needed:
            entry.unlink()
    if within.is_dir() and not any(within.iterdir()):
        within.rmdir()
