"""Writing of a trained classifier's files.

``search.photographers.classifier.model_files`` describes and reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import Ensemble, Inputs
from search.photographers.classifier.model_files import ARRAYS, FORMAT, MANIFEST, OUT_OF_FOLD, TREES, file_digest
from search.photographers.classifier.reasons import medians
from search.photographers.photos.features import REVISION
from workers.photographers.classifier.fitting.ensemble import FitOptions
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.training_set import TrainingSet
from workers.photographers.classifier.tuning import SearchResult

LIBRARIES = ("catboost", "numpy", "optuna", "scikit-learn")


def manifest_facts(
    model: Ensemble,
    training: TrainingSet,
    options: ClassifierOptions,
    fit_options: FitOptions,
    search: SearchResult | None,
    notes: tuple[str, ...],
) -> Mapping[str, Any]:
    """Content of the manifest beside the format, versions and digests."""
    photos, trees = training.photos, model.parts.trees
    return {
        "photographers": training.names,
        "visual": photos.visual_space.fingerprint,
        "style": photos.style_space.fingerprint if photos.style_space else None,
        "features": REVISION,
        "digest": photos.digest,
        "photos": len(photos),
        "metadata": options.metadata,
        "seed": options.seed,
        "settings": asdict(fit_options.settings),
        "search": asdict(search) if search else None,
        "threshold": asdict(model.threshold),
        "conformal": asdict(model.conformal) if model.conformal else None,
        "weights": model.weights,
        "shares": model.shares.tolist(),
        "components": {name: part.explained for name, part in trees.components.items()} if trees else None,
        "present": trees.present.tolist() if trees else None,
        "notes": notes,
    }


def save_model(folder: Path, model: Ensemble, training: TrainingSet, inputs: Inputs) -> None:
    """Write arrays, trees and out-of-fold predictions of a model into a folder.

    Args:
        inputs: of the training photos.
    """
    arrays: dict[str, NDArray[Any]] = {
        "everyone": medians(inputs.features),
        "typical": np.stack([medians(inputs.features[training.labels == at]) for at in range(len(training.names))]),
    }
    for part, linear in model.parts.linears.items():
        arrays |= {f"{part}_{name}": values for name, values in linear.arrays().items()}
    arrays |= {f"familiar_{name}": values for name, values in model.parts.familiarity.arrays().items()}
    if model.sets is not None:
        arrays |= model.sets.arrays()
    if model.parts.trees is not None:
        for name, components in model.parts.trees.components.items():
            arrays |= {f"components_{name}_mean": components.mean, f"components_{name}_axes": components.axes}
        model.parts.trees.model.save_model(str(folder / TREES), format="cbm")
    write_arrays(folder / ARRAYS, arrays)
    write_out_of_fold(folder, training.names, training.photos.ids, model.out_of_fold)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest, with the digests of all files beside it."""
    digests = {path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    manifest = {"format": FORMAT, **facts, "versions": versions(), "files": digests}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")


def write_out_of_fold(
    folder: Path, names: Sequence[str], ids: Sequence[str], probabilities: NDArray[np.float64]
) -> None:
    """Predictions of the training photos, each by parts that were not fitted to its group.

    Args:
        probabilities: float64 ``(n, photographers)``.
    """
    facts = json.dumps({"names": names, "ids": ids}).encode()
    write_arrays(
        folder / OUT_OF_FOLD,
        {"told": np.frombuffer(facts, np.uint8), "probabilities": probabilities.astype(np.float32)},
    )


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """An ``.npz`` file of these arrays."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict(arrays))


def versions() -> dict[str, str]:
    """Versions of the libraries that a model depends on."""
    return {name: version(name) for name in LIBRARIES}
