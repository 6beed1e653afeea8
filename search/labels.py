"""Reads the labels of files from the folders they lie in or from a manifest."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from search.errors import NotFoundError, UsageError
from search.store.base import Store

MANIFEST = "manifest.csv"


def read_labels(directory: Path) -> dict[str, str]:
    """Absolute path to label, of every labelled file below a folder.

    Where the folder holds ``manifest.csv`` (UTF-8, with or without a byte order mark), its columns ``path`` (relative
    to the folder) and ``label`` say so; rows without a label are passed over. Otherwise a file's label is the first
    folder on the way to it; files directly in the folder have none, and hidden ones are passed over.

    Raises:
        NotFoundError: the folder is not there, or files of the manifest are not.
        UsageError: the manifest lacks a column or cannot be read, or nothing is labelled.
    """
    root = Path(os.path.abspath(directory.expanduser()))  # noqa: PTH100 - resolve() would follow links
    if not root.is_dir():
        raise NotFoundError(f"'{root}' is not a folder.")
    manifest = root / MANIFEST
    labels = _from_manifest(manifest) if manifest.is_file() else _from_folders(root)
    if not labels:
        raise UsageError(
            f"Nothing in '{root}' is labelled.",
            f"Sort files into one folder a label, or write {MANIFEST} with the columns path and label.",
        )
    return labels


def labels_by_id(store: Store, labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of paths as labels of what is stored; links on the way to a file make no difference."""
    real = {os.path.realpath(path): label for path, label in labels.items()}
    found: dict[str, str] = {}
    for collection in store.collections():
        for point in store.scroll(collection, payload=["paths"]):
            for path in point.payload["paths"]:
                if (label := real.get(os.path.realpath(path))) is not None:
                    found[point.id] = label
    return found


def _from_manifest(manifest: Path) -> dict[str, str]:
    labels: dict[str, str] = {}
    absent: list[str] = []
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            columns = rows.fieldnames or ()
            lacking = [name for name in ("path", "label") if name not in columns]
            if lacking:
                raise UsageError(
                    f"{manifest} has no column '{lacking[0]}'; its columns are {', '.join(columns) or 'none'}.",
                    "It needs the columns path and label, named in its first line.",
                )
            for row in rows:
                relative, label = (row["path"] or "").strip(), (row["label"] or "").strip()
                if not relative or not label:
                    continue
                path = Path(os.path.normpath(manifest.parent / relative))
                if path.is_file():
                    labels[path.as_posix()] = label
                else:
                    absent.append(relative)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{manifest} cannot be read as CSV in UTF-8: {error}.") from None
    if absent:
        raise NotFoundError(f"{manifest} names {len(absent)} files that are not there, '{absent[0]}' first.")
    return labels


def _from_folders(root: Path) -> dict[str, str]:
    labels: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        parts = Path(folder).relative_to(root).parts
        if parts:
            labels |= {Path(folder, name).as_posix(): parts[0] for name in files if not name.startswith(".")}
    return labels
