"""Reading a large JPEG at a fraction of its size must not change what the model sees of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from search.settings import Settings
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.image.efficientnet import efficientnet_lite0_network
from workers.embedders.networks import Runner


@pytest.fixture(scope="module")
def runner() -> Runner:
    return Runner(efficientnet_lite0_network(), torch.device("cpu"), 4)


def cosines(paths: list[Path], runner: Runner, settings: Settings) -> np.ndarray:
    """Between the embedding of each file as the pool decodes it and as Pillow and torchvision do in full."""
    from torchvision import transforms  # takes seconds

    prepare = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    with DecodePool(settings) as pool:
        ours = np.concatenate([pool.submit(str(path)).result().crops for path in paths])
    full = []
    for path in paths:
        with Image.open(path) as opened:
            full.append(np.asarray(prepare(ImageOps.exif_transpose(opened).convert("RGB"))))
    return (runner(ours)[0] * runner(np.stack(full))[0]).sum(axis=1)


@pytest.mark.models
def test_enlarged_pictures(
    shared_data: Path, tmp_path: Path, runner: Runner, make_settings: Callable[..., Settings]
) -> None:
    paths = []
    for number, source in enumerate(sorted((shared_data / "images_caltech101").glob("*/*.jpg"))[::67]):
        with Image.open(source) as opened:
            scale = (5, 9, 13)[number % 3]
            large = opened.convert("RGB").resize(
                (opened.width * scale, opened.height * scale), Image.Resampling.BICUBIC
            )
        path = tmp_path / f"{number}.jpg"
        large.save(path, quality=90)
        paths.append(path)
    assert len(paths) >= 10
    assert cosines(paths, runner, make_settings()).min() >= 0.99


@pytest.mark.models
def test_camera_files(shared_data: Path, runner: Runner, make_settings: Callable[..., Settings]) -> None:
    paths = sorted((shared_data / "photographers_fullres_exif").glob("*/*.jpg"))
    assert len(paths) >= 5
    assert cosines(paths, runner, make_settings()).min() >= 0.99
