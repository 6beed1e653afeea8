"""Photographers from end to end, as somebody would use them: real models, a real training, real pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingest.sample.library import SampleLibrary
from web.cli import main

PHOTOS = 12
"""Of each photographer."""

MODELS = {"LIKEWISE_IMAGE_MODEL": "efficientnet_lite0", "LIKEWISE_VIDEO_MODEL": "frames", "LIKEWISE_DEVICE": "cpu"}
"""Weights that come with the packages, so that nothing looks for a download."""


@pytest.fixture
def library(sample_library: SampleLibrary, tmp_path: Path) -> Path:
    """Photos of three of the sample library's photographers, in folders of their names."""
    for folder in sorted((sample_library.folder / "photographers").iterdir())[:3]:
        target = tmp_path / "media" / folder.name
        target.mkdir(parents=True)
        for photo in sorted(folder.glob("*.jpg"))[:PHOTOS]:
            shutil.copy(photo, target)
    return tmp_path / "media"


@pytest.fixture
def likewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command to its end and give its answer."""
    for name, value in MODELS.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> Any:
        command = [*map(str, arguments), "--json", "--home", str(tmp_path / "home")]
        result: Result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@pytest.mark.models
def test_photographers_are_learnt_measured_and_told_apart(library: Path, likewise: Callable[..., Any]) -> None:
    likewise("ingest", library)
    likewise("photographers", "label", "--from", "folder")
    names = {folder.name for folder in library.iterdir()}
    assert {one["name"] for one in likewise("photographers", "list")} == names

    trained = likewise("photographers", "train", "--seconds", 2)
    assert trained["state"] == "done"
    report = likewise("photographers", "report")
    right = report["product"]["accuracy"]
    assert right["n"] == report["photos"] == PHOTOS * len(names)
    assert right["low"] > report["chance"], "better than guessing on photos that were not learnt from"

    photo = next(library.rglob("*.jpg"))
    answer = likewise("photographers", "predict", photo)
    assert answer["unknown"] or answer["candidates"][0]["probability"] >= answer["threshold"]
    assert {one["photographer"] for one in answer["candidates"]} == names
    assert sum(one["probability"] for one in answer["candidates"]) == pytest.approx(1)
    assert answer["candidates"][0]["photographer"] == photo.parent.name
    assert 0 < answer["threshold"] < 1
    assert answer["reasons"]
    shown = likewise("photographers", "show", photo.parent.name)
    assert not any("likeness alone" in note for note in shown["notes"]), "what was said out of fold is at hand"
