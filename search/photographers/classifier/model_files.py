"""Files of a trained classifier: their names and format, and how they are read and checked.

    manifest.json    format, names, spaces, settings, weights, threshold, and the digests of the other files
    arrays.npz       the parts, familiarity, the rule of known shoots, judge of sets, medians of features, and the
                     components that the trees see
    trees.cbm        trees over features and embedding, in CatBoost's format; not where none were grown
    out_of_fold.npz  predictions of the training photos by parts that were not fitted to them
    report.json      a ``search.photographers.report.Report``

Nothing here is unpickled and no file is named after a photographer. The manifest is written last, so that a folder with
one is complete. ``workers.photographers.classifier.model_writer`` writes them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError, SpaceMismatchError
from search.photographers.photos.features import REVISION
from search.photographers.profiles.miscredits import OutOfFold
from search.spaces import Space

MANIFEST, ARRAYS, OUT_OF_FOLD, REPORT = "manifest.json", "arrays.npz", "out_of_fold.npz", "report.json"
TREES = "trees.cbm"
FORMAT = 3
"""Version of the files; another one is refused. Until 2, answers went by facts of file and camera as well."""

_TRAIN_AGAIN = "Train again: `likewise photographers train`."


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an ``.npz`` file by name.

    Raises:
        ModelError: the file is not there or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise damaged(path.parent, f"{path.name}: {error}") from error


def read_out_of_fold(folder: Path) -> OutOfFold:
    """Out-of-fold predictions of the training photos.

    Raises:
        ModelError: the file is not there or is damaged.
    """
    arrays = read_arrays(folder / OUT_OF_FOLD)
    try:
        facts = json.loads(arrays["told"].tobytes())
        rows = dict(zip(facts["ids"], arrays["probabilities"], strict=True))
        return OutOfFold(tuple(facts["names"]), rows)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(folder, f"{OUT_OF_FOLD}: {error}") from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, once every file has the digest that it names.

    Raises:
        ModelError: a file is missing or is not what was written, or another version wrote it.
    """
    try:
        facts = json.loads((folder / MANIFEST).read_text("utf-8"))
        if facts["format"] != FORMAT:
            raise ModelError(_other_version(facts["format"]), _TRAIN_AGAIN)
        for name, digest in facts["files"].items():
            if "/" in name or file_digest(folder / name) != digest:
                raise damaged(folder, f"{name} is not what was written")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(folder, str(error)) from error
    checked: dict[str, Any] = facts
    return checked


def _other_version(format_: int) -> str:
    if format_ > FORMAT:
        return "The photographers' classifier was written by a newer version of Likewise."
    return (
        "The photographers' classifier was written by an earlier version of Likewise, whose answers went by "
        "facts of the file as well; this version's go by the picture."
    )


def check_space(name: str, trained: str | None, asked: Space | None) -> None:
    """Check that a model was trained on vectors of the space it is used with.

    Args:
        trained: fingerprint of the space that the model was trained on; None when it does without.

    Raises:
        SpaceMismatchError: they are two spaces.
    """
    if trained is not None and (asked is None or asked.fingerprint != trained):
        there = f"now there is {asked}" if asked else "there is none now"
        raise SpaceMismatchError(
            f"The photographers' classifier was trained on another '{name}' space ({trained}); {there}.", _TRAIN_AGAIN
        )


def damaged(folder: Path, why: str) -> ModelError:
    """The error of a model folder that cannot be read."""
    return ModelError(f"The classifier in '{folder}' is damaged: {why}.", _TRAIN_AGAIN)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_features(trained: str) -> None:
    """Check that a model was trained on the features of this version.

    Args:
        trained: revision of the features that the model was trained on.

    Raises:
        SpaceMismatchError: features are computed differently now.
    """
    if trained != REVISION:
        raise SpaceMismatchError(
            f"The photographers' classifier was trained on features of revision {trained}, now they are {REVISION}.",
            _TRAIN_AGAIN,
        )
