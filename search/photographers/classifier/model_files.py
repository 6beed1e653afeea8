"""A trained classifier on disk: ``manifest.json``, ``arrays.npz``, ``trees.cbm``, ``out_of_fold.npz``, ``report.json``.

Nothing here is unpickled, no file is named after a photographer, and what was written says of itself whether it is
whole: the manifest is written last and holds the digests of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError, SpaceMismatchError
from search.photographers.photos.features import REVISION
from search.photographers.profiles.miscredits import OutOfFold
from search.spaces import Space

MANIFEST, ARRAYS, TREES, OUT_OF_FOLD, REPORT = (
    "manifest.json",
    "arrays.npz",
    "trees.cbm",
    "out_of_fold.npz",
    "report.json",
)
FORMAT = 2
_TRAIN_AGAIN = "Train again: `likewise photographers train`."
_LIBRARIES = ("catboost", "numpy", "optuna", "scikit-learn")


def versions() -> dict[str, str]:
    """Of the libraries that a model depends on."""
    return {name: version(name) for name in _LIBRARIES}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(arrays))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """
    Raises:
        ModelError: the file is not there or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise damaged(path.parent, f"{path.name}: {error}") from error


def write_out_of_fold(
    folder: Path, names: Sequence[str], ids: Sequence[str], probabilities: NDArray[np.float64]
) -> None:
    """What was said of the photos learnt from, each by a model that had not learnt from its group."""
    told = json.dumps({"names": names, "ids": ids}).encode()
    write_arrays(
        folder / OUT_OF_FOLD,
        {"told": np.frombuffer(told, np.uint8), "probabilities": probabilities.astype(np.float32)},
    )


def read_out_of_fold(folder: Path) -> OutOfFold:
    """
    Raises:
        ModelError: the file is not there or is damaged.
    """
    arrays = read_arrays(folder / OUT_OF_FOLD)
    try:
        told = json.loads(arrays["told"].tobytes())
        rows = dict(zip(told["ids"], arrays["probabilities"], strict=True))
        return OutOfFold(tuple(told["names"]), rows)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(folder, f"{OUT_OF_FOLD}: {error}") from error


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write what is told of the model, with the digests of all files beside it."""
    digests = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    told = {"format": FORMAT, **facts, "versions": versions(), "files": digests}
    (folder / MANIFEST).write_text(json.dumps(told, indent=1, ensure_ascii=False), "utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """
    Raises:
        ModelError: a file is missing or is not what was written, or another version wrote it.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
        if told["format"] != FORMAT:
            raise ModelError(f"The classifier in '{folder}' was written by another version.", _TRAIN_AGAIN)
        for name, digest in told["files"].items():
            if "/" in name or _digest(folder / name) != digest:
                raise damaged(folder, f"{name} is not what was written")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(folder, str(error)) from error
    checked: dict[str, Any] = told
    return checked


def check_space(name: str, trained: str | None, asked: Space | None) -> None:
    """
    Args:
        trained: fingerprint of the space that the model has learnt; None when it does without.

    Raises:
        SpaceMismatchError: the model would be asked about vectors of another one.
    """
    if trained is not None and (asked is None or asked.fingerprint != trained):
        there = f"now there is {asked}" if asked else "there is none now"
        raise SpaceMismatchError(
            f"The photographers' classifier was trained on another '{name}' space ({trained}); {there}.", _TRAIN_AGAIN
        )


def damaged(folder: Path, why: str) -> ModelError:
    return ModelError(f"The classifier in '{folder}' is damaged: {why}.", _TRAIN_AGAIN)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_features(trained: str) -> None:
    """
    Args:
        trained: revision of the features that the model has learnt.

    Raises:
        SpaceMismatchError: features are computed otherwise now.
    """
    if trained != REVISION:
        raise SpaceMismatchError(
            f"The photographers' classifier was trained on features of revision {trained}, now they are {REVISION}.",
            _TRAIN_AGAIN,
        )
