"""To the model a picture in another colour space is the picture in sRGB, in every format that carries a profile."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from colour_files import FORMS, PROFILES
from PIL import Image, ImageCms

from search.settings import Settings
from workers.decode.file import decode_file
from workers.decode.opened import open_media
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound
from workers.embedders.image.efficientnet import efficientnet_lite0_network
from workers.embedders.networks import Runner

LEAST = 0.985


def subject() -> Image.Image:
    """A scene of an hour before sunset: sky, hills, a lake and a lit house."""
    y, x = np.mgrid[0:360, 0:480].astype(np.float32)
    sky = np.stack([150 + 90 * y / 200, 140 + 30 * y / 200, 200 - 60 * y / 200], -1)
    ridge = 190 + 30 * np.sin(x / 50) + 12 * np.sin(x / 17 + 1)
    ground = np.stack([60 + 20 * np.sin(x / 9), 90 + 30 * np.sin(x / 23 + y / 11), 45 + 10 * np.cos(y / 5)], -1)
    water = np.stack([60 + 30 * np.sin(y / 3), 90 + 20 * np.sin(y / 3), 130 + 20 * np.sin(x / 13)], -1)
    scene = np.where((y < ridge)[..., np.newaxis], sky, np.where((y < 280)[..., np.newaxis], ground, water))
    scene[200:270, 300:380] = (190, 70, 50)
    scene[220:240, 320:335] = (250, 230, 140)
    grain = np.random.default_rng(3).normal(0, 3, (360, 480, 1))
    return Image.fromarray((scene + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.models
def test_every_profile_in_every_format_is_as_its_twin(tmp_path: Path) -> None:
    options, source = DecodeOptions.of(Settings()), ImageCms.createProfile("sRGB")
    names, crops = [], []
    for form, how in FORMS.items():
        for name in (None, *PROFILES):
            profile = PROFILES[name] if name else None
            path = tmp_path / f"{name}.{form}"
            picture = subject()
            if profile:
                target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
                picture = ImageCms.profileToProfile(picture, source, target)
            picture.save(path, icc_profile=profile, **how)
            names.append((form, name))
            with open_media(str(path), options.max_bytes) as media:
                crops.append(decode_file(media, None, options, Sound()).crops)
    runner = Runner(efficientnet_lite0_network(), torch.device("cpu"), len(crops))
    vectors = dict(zip(names, runner(np.concatenate(crops))[0], strict=True))
    cosines = {(form, name): float(vectors[form, name] @ vectors[form, None]) for form, name in names if name}
    assert {case: cosine for case, cosine in cosines.items() if cosine <= LEAST} == {}
