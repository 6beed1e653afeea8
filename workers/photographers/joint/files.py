"""Files of a trained joint model: writing all of them, and reading what folding in needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from search.errors import ModelError, SpaceMismatchError
from search.photographers.space import CODES, LAYOUT, MANIFEST, VECTORS, WEIGHTS, JointReport, read_arrays
from workers.photographers.joint.autoencoder import Autoencoder
from workers.photographers.joint.experiments import Agreement, JointData, LearntVectors
from workers.photographers.joint.network import ShiftNetwork
from workers.photographers.joint.targets.coordinates import Standardisation, StyleCoordinates

_AUTOENCODER, _NETWORK = "autoencoder.", "joint."


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A trained model read back: pictures to codes, statistics to coordinates, and both to a vector."""

    autoencoder: Autoencoder
    network: ShiftNetwork
    codes: Standardisation
    coordinates: StyleCoordinates


def write_result(
    folder: Path,
    names: tuple[str, ...],
    ids: tuple[str, ...],
    data: JointData,
    clusters: NDArray[np.int64],
    learnt: LearntVectors,
    autoencoder: Autoencoder,
    agreed: Agreement,
    report: JointReport,
) -> None:
    """Write everything but plots and logs. The manifest is written last: a folder that has one is complete.

    Args:
        names: photographers in the order of the vectors.  ids: media ids in the order of ``data``.
        clusters: int64 (n,), pseudo-photographer of each photo.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fitted = learnt.fitted
    photos = np.bincount(data.owners[data.learnt], minlength=len(names))
    np.savez(
        folder / VECTORS,
        vectors=fitted.vectors,
        photos=photos,
        frames=fitted.frames,
        steps=fitted.steps,
        random_frames=agreed.frames,
        random_steps=agreed.steps,
    )
    np.savez(folder / CODES, ids=np.array(ids), codes=data.codes, owners=data.owners, clusters=clusters)
    weights: dict[str, NDArray[Any]] = {
        "codes_mean": learnt.codes.mean,
        "codes_deviation": learnt.codes.deviation,
        "statistics_mean": learnt.coordinates.scale.mean,
        "statistics_deviation": learnt.coordinates.scale.deviation,
        "axes": learnt.coordinates.axes,
    }
    for prefix, module in ((_AUTOENCODER, autoencoder), (_NETWORK, fitted.network)):
        weights |= {prefix + name: tensor.numpy() for name, tensor in module.state_dict().items()}
    np.savez(folder / WEIGHTS, allow_pickle=False, **weights)
    # In ASCII: a name may hold half a character, which no encoding of files would take.
    manifest = json.dumps({"layout": LAYOUT, "names": names, "report": asdict(report)}, indent=1, allow_nan=False)
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(manifest, "ascii")
    partial.replace(folder / MANIFEST)


def read_model(folder: Path, fingerprint: str) -> SavedModel:
    """
    Raises:
        SpaceMismatchError: it was learnt from statistics of another version.
        ModelError: the folder holds no complete result.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        written = manifest["report"]["fingerprint"]
        weights = read_arrays(folder / WEIGHTS)
        if written != fingerprint:
            raise SpaceMismatchError(
                f"The photographer space was made from statistics {written}, this Likewise computes {fingerprint}.",
                "Train it again.",
            )
        people, dimensions = weights[f"{_NETWORK}vectors"].shape
        network = ShiftNetwork(people, dimensions, weights["axes"].shape[1])
        autoencoder = Autoencoder()
        _fill(network, _NETWORK, weights)
        _fill(autoencoder, _AUTOENCODER, weights)
        scale = Standardisation(weights["statistics_mean"], weights["statistics_deviation"])
        return SavedModel(
            autoencoder.eval(),
            network.eval(),
            Standardisation(weights["codes_mean"], weights["codes_deviation"]),
            StyleCoordinates(scale, weights["axes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{folder.name} holds no photographer space: {error}.", "Train it again.") from error


def _fill(module: torch.nn.Module, prefix: str, weights: Mapping[str, NDArray[Any]]) -> None:
    state = {
        name.removeprefix(prefix): torch.from_numpy(np.array(array))
        for name, array in weights.items()
        if name.startswith(prefix)
    }
    module.load_state_dict(state)
    module.requires_grad_(False)
