"""The saved encoder gives files the codes that the training gave its photos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from search.photographers.model_registry import ModelKind, version_name
from search.photographers.space import PhotographerSpace
from search.settings import load_settings
from web.cli import main
from workers.photographers.joint.encode import SavedEncoder
from workers.training.shared_models import SharedModels


def test_a_photo_of_the_training_has_its_code_and_is_nearest_to_itself(world: Any) -> None:
    space = PhotographerSpace.load(world.result.folder)
    encoded = SavedEncoder(world.result.folder).encode(world.pictures[[5, 20]], 3)
    for row, picture in zip((5, 20), encoded, strict=True):
        np.testing.assert_allclose(picture.code, space.codes[row], atol=1e-4)
        np.testing.assert_allclose(picture.at, space.code_chart().spots[row].at, atol=1e-3)
        assert (picture.near[0].id, picture.near[0].photographer) == (space.ids[row], space.owner(row))
        assert len(picture.near) == 3
        assert picture.near[0].distance < 0.01 < picture.near[1].distance <= picture.near[2].distance


def test_the_command_encodes_files_and_tells_of_those_that_are_no_pictures(world: Any, tmp_path: Path) -> None:
    home, photo, broken = tmp_path / "home", tmp_path / "photo.png", tmp_path / "broken.jpg"
    Image.fromarray(world.pictures[5]).save(photo)
    broken.write_bytes(b"no picture")
    asked = ["photographers", "encode", str(photo), str(broken), "--near", "1", "--home", str(home), "--json"]
    untrained = CliRunner().invoke(main, asked)
    assert untrained.exit_code == 2
    assert "train --joint" in untrained.stderr + untrained.stdout

    models = SharedModels(load_settings({"home": str(home)}))
    models.publish(ModelKind.JOINT, version_name("0" * 64), world.result.folder)
    out = tmp_path / "codes.npz"
    told = CliRunner().invoke(main, [*asked, "--to", str(out)])
    assert told.exit_code == 1, told.output
    first, second = json.loads(told.stdout)["files"]
    space = PhotographerSpace.load(world.result.folder)
    assert first["picture"]["code"] == pytest.approx(space.codes[5].tolist(), abs=1e-3)
    assert first["picture"]["near"][0]["id"] == space.ids[5]
    assert second["path"] == str(broken)
    assert second["picture"] is None
    assert second["error"]
    with np.load(out) as written:
        assert written["filenames"].tolist() == [str(photo)]
        np.testing.assert_allclose(written["embeddings"][0], first["picture"]["code"], rtol=1e-5)
