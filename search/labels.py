"""Reads the labels of files from the folders they lie in or from a manifest."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from search.errors import NotFoundError, UsageError
from search.store.base import Store

MANIFEST = "manifest.csv"


def read_groups(directory: Path) -> dict[str, str]:
    """Absolute path to group, as the column ``group`` of ``manifest.csv`` says; nothing where there is no such column.

    Raises:
        NotFoundError: files of the manifest are not there.
        UsageError: the manifest cannot be read.
    """
    manifest = Path(os.path.abspath(directory.expanduser()), MANIFEST)  # noqa: PTH100 - resolve() would follow links
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            grouped = "group" in (csv.DictReader(lines).fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    return read_column(manifest, "group") if grouped else {}


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
    labels = read_column(manifest, "label") if manifest.is_file() else _from_folders(root)
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


def read_column(manifest: Path, column: str) -> dict[str, str]:
    """Absolute path to value, of one column of a manifest (UTF-8 CSV whose paths are relative to its folder); rows
    without a value are passed over.

    Raises:
        NotFoundError: files that it names are not there.
        UsageError: it lacks the column or ``path``, or cannot be read.
    """
    found: dict[str, str] = {}
    absent: list[str] = []
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            columns = rows.fieldnames or ()
            lacking = [name for name in ("path", column) if name not in columns]
            if lacking:
                raise UsageError(
                    f"{manifest} has no column '{lacking[0]}'; its columns are {', '.join(columns) or 'none'}.",
                    f"It needs the columns path and {column}, named in its first line.",
                )
            for row in rows:
                relative, value = (row["path"] or "").strip(), (row[column] or "").strip()
                if not relative or not value:
                    continue
                path = Path(os.path.normpath(manifest.parent / relative))
                if path.is_file():
                    found[path.as_posix()] = value
                else:
                    absent.append(relative)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{manifest} cannot be read as CSV in UTF-8: {error}.") from None
    if absent:
        raise NotFoundError(f"{manifest} names {len(absent)} files that are not there, '{absent[0]}' first.")
    return found


def _from_folders(root: Path) -> dict[str, str]:
    labels: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        parts = Path(folder).relative_to(root).parts
        if parts:
            labels |= {Path(folder, name).as_posix(): parts[0] for name in files if not name.startswith(".")}
    return labels
