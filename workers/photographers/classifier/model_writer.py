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

from search.evaluation.statistics import Estimate
from search.photographers.classifier.ensemble import FILE, Ensemble
from search.photographers.classifier.model_files import ARRAYS, FORMAT, MANIFEST, OUT_OF_FOLD, TREES, file_digest
from search.photographers.classifier.reasons import medians
from search.photographers.classifier.trees import EMBEDDING
from search.photographers.photos.features import REVISION
from search.photographers.report import ReportCheck
from workers.photographers.classifier.fitting.trees import CalibratedTrees
from workers.photographers.classifier.training_set import TrainingSet

LIBRARIES = ("catboost", "numpy", "scikit-learn")


def manifest_facts(
    model: Ensemble,
    training: TrainingSet,
    seed: int,
    notes: Sequence[str],
    checks: Sequence[ReportCheck],
    trees: CalibratedTrees | None,
    trees_accuracy: Estimate | None,
) -> Mapping[str, Any]:
    """Content of the manifest beside the format, versions and digests.

    Args:
        trees_accuracy: of the trees' recipe in the folds of the report.
    """
    photos = training.photos
    return {
        "photographers": training.names,
        "visual": photos.visual_space.fingerprint,
        "style": photos.style_space.fingerprint if photos.style_space else None,
        "dimensions": {"style": photos.style.shape[1], "appearance": photos.appearance.shape[1]},
        "appearance": photos.appearance_space.fingerprint if photos.appearance_space else None,
        "features": REVISION,
        "digest": photos.digest,
        "photos": len(photos),
        "seed": seed,
        "answers": {
            evidence: {"threshold": asdict(rules.threshold), "conformal": asdict(rules.conformal)}
            for evidence, rules in model.rules.items()
        },
        "weights": model.calibration.weights,
        "shares": model.calibration.shares.tolist(),
        "checks": [asdict(check) for check in checks],
        "trees": trees_facts(trees, trees_accuracy) if trees else None,
        "notes": notes,
    }


def trees_facts(trees: CalibratedTrees, accuracy: Estimate | None) -> Mapping[str, Any]:
    """What the manifest says of trees."""
    return {
        "present": trees.trees.present.tolist(),
        "weight": trees.weight,
        "explained": trees.trees.components[EMBEDDING].explained,
        "accuracy": asdict(accuracy) if accuracy else None,
    }


def save_model(folder: Path, model: Ensemble, training: TrainingSet, trees: CalibratedTrees | None = None) -> None:
    """Write arrays, trees and out-of-fold predictions of a model into a folder."""
    features, parts = training.photos.features, model.parts
    arrays: dict[str, NDArray[Any]] = {
        "everyone": medians(features),
        "typical": np.stack([medians(features[training.labels == at]) for at in range(len(training.names))]),
    }
    for part, linear in parts.linears.items():
        arrays |= _prefixed(part, linear.arrays())
    arrays |= _prefixed(FILE, parts.file.arrays())
    arrays |= _prefixed("familiar_nearest", parts.nearest.arrays()) | _prefixed("familiar_style", parts.style.arrays())
    for rule in (model.sets, model.calibration.rule):
        arrays |= rule.arrays() if rule is not None else {}
    if trees is not None:
        components = trees.trees.components[EMBEDDING]
        arrays |= {"trees_mean": components.mean, "trees_axes": components.axes}
        save_trees(folder / TREES, trees)
    write_arrays(folder / ARRAYS, arrays)
    write_out_of_fold(folder, training.names, training.photos.ids, model.out_of_fold)


def save_trees(path: Path, trees: CalibratedTrees) -> None:
    """Write trees in CatBoost's format, without time and chance, so that equal trees make equal files."""
    model = trees.trees.model
    told = model.get_metadata()
    told["model_guid"], told["train_finish_time"] = "", ""
    model.save_model(str(path), format="cbm")


def _prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{prefix}_{name}": values for name, values in arrays.items()}


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
