"""Films that begin black, fade in, or lie between black bars."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workers.decode.perceptual import picture_fingerprint
from workers.decode.recording import video
from workers.decode.sandbox.options import DecodeOptions

BLACK = [np.zeros((96, 128, 3), np.uint8)] * 10


def shown(preview: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(preview)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def faded(picture: np.ndarray) -> list[np.ndarray]:
    return [np.rint(picture * (step / 10)).astype(np.uint8) for step in range(10)]


@pytest.mark.parametrize("sought", [False, True])
@pytest.mark.parametrize("beginning", ["black", "fade", "dark gray"])
def test_black_frames_are_no_key_frames(
    decode,
    options: DecodeOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_video,
    photo: Image.Image,
    sought: bool,
    beginning: str,
) -> None:
    still = np.asarray(photo.resize((128, 96)))
    start = {"black": BLACK, "fade": BLACK[:5] + faded(still), "dark gray": [frame + 17 for frame in BLACK]}[beginning]
    path = write_video(tmp_path / "a.mp4", [*start, *[still] * 20, *BLACK], gop=5)
    if sought:
        monkeypatch.setattr(video, "SEQUENTIAL_PIXELS", 96 * 128)
    decoded = decode(path, using=replace(options, clips=True))
    assert all(crop.mean(axis=2).std() > 2 for crop in decoded.crops)
    assert len(decoded.fingerprints) >= len(decoded.crops) - (beginning == "fade")
    assert np.abs(shown(decoded.preview) - still).mean() < 12
    assert all(clip.std() > 2 for clip in decoded.clips)
    like = picture_fingerprint(photo)
    assert any(bin(int(each, 16) ^ int(like, 16)).count("1") < 40 for each in decoded.fingerprints)


def test_a_film_that_is_all_black_has_key_frames(decode, options: DecodeOptions, tmp_path: Path, write_video) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", BLACK * 2), using=replace(options, clips=True))
    assert len(decoded.crops) == 8
    assert decoded.fingerprints == ()
    assert decoded.clips.shape[0] >= 1


def test_between_black_bars(decode, tmp_path: Path, write_video, photo: Image.Image) -> None:
    frame = np.zeros((96, 128, 3), np.uint8)
    frame[16:80] = np.asarray(photo.resize((128, 64)))
    decoded = decode(write_video(tmp_path / "a.mp4", BLACK + [frame] * 20))
    assert np.abs(shown(decoded.preview) - frame).mean() < 12
    assert len(decoded.fingerprints) == len(decoded.crops)
