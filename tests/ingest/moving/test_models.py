"""Trained models go into a backup and come back, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from search.photographers.model_registry import ModelKind
from workers.training.shared_models import SharedModels

NAME = "20260131T115900-0f1e2d3c"


def test_a_model_in_a_bucket_comes_back_into_a_folder(
    make_desk: Callable[..., Any], folder: Path, tmp_path: Path, bucket: Any
) -> None:
    made = tmp_path / "made"
    (made / "plots").mkdir(parents=True)
    (made / "model.cbm").write_bytes(bytes(range(256)))
    (made / "plots" / "map.html").write_text("a map")
    desk = make_desk("home", shared=f"{bucket.root}/shared")
    version = SharedModels(desk.settings).publish(ModelKind.JOINT, NAME, made)
    desk.back_up(folder)
    restored = make_desk("restored")
    restored.restore(folder)
    shelf = SharedModels(restored.settings)
    assert shelf.current(ModelKind.JOINT) == version
    found = shelf.folder(ModelKind.JOINT, version)
    assert (found / "model.cbm").read_bytes() == bytes(range(256))
    assert (found / "plots" / "map.html").read_text() == "a map"
