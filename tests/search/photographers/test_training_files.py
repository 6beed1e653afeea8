"""Which files of a trained model are shown to people."""

from __future__ import annotations

from pathlib import Path

from search.photographers.model_registry import ModelKind, ModelVersion
from search.photographers.training_files import training_files


class Registry:
    """One version with these files, none without."""

    def __init__(self, *files: str) -> None:
        self.files = files

    def current(self, kind: ModelKind) -> ModelVersion | None:
        return ModelVersion("20260131T115900-0f1e2d3c", "2026-01-31", self.files) if self.files else None

    def folder(self, kind: ModelKind, version: ModelVersion) -> Path:
        return Path("/models") / version.name


def test_only_plots_and_logs_of_the_version_in_use() -> None:
    folder = Path("/models/20260131T115900-0f1e2d3c")
    hostile = ("plots/../secret.html", "plots/sub/a.html", "plots/a.html\n", "plots/a.js", "manifest.json")
    found = training_files(Registry("plots/settling.html", "tensorboard/events.1", *hostile), ModelKind.JOINT)
    assert found is not None
    assert found.plots == {"settling.html": folder / "plots" / "settling.html"}
    assert found.logs == folder / "tensorboard"
    without = training_files(Registry("manifest.json"), ModelKind.JOINT)
    assert without is not None
    assert (without.plots, without.logs) == ({}, None)
    assert training_files(Registry(), ModelKind.JOINT) is None
