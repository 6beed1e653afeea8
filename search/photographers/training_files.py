"""Files of a training that people look at: its plots and its logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from search.photographers.model_registry import ModelKind, ModelRegistry
from search.photographers.space import LOGS, PLOTS

_PLOT = re.compile(rf"{PLOTS}/([a-z0-9-]+\.html)")
"""What ``workers.photographers.joint.plots`` calls its files."""


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """Where a training of the model in use has left what it drew and logged.

    Attributes:
        version: of the model.
        plots: file name to the self-contained HTML page.
        logs: folder for TensorBoard; None where the training wrote none.
    """

    version: str
    plots: Mapping[str, Path]
    logs: Path | None


def training_files(models: ModelRegistry, kind: ModelKind) -> TrainingFiles | None:
    """The files that the registry lists of the version in use; None before the first training.

    Raises:
        NotFoundError: another version is in use by now.
        StoreError: the place cannot be read.
    """
    version = models.current(kind)
    if version is None:
        return None
    folder = models.folder(kind, version)
    plots = {match[1]: folder / PLOTS / match[1] for match in map(_PLOT.fullmatch, version.files) if match}
    logs = folder / LOGS if any(file.startswith(f"{LOGS}/") for file in version.files) else None
    return TrainingFiles(version.name, plots, logs)
