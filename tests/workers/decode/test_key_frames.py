"""Which frames of a film stand for it, however long it lasts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workers.decode.recording import video
from workers.decode.recording.keyframes import MOST_CANDIDATES, KeyFrameCandidate, Sampler
from workers.decode.sandbox.options import DecodeOptions


def test_each_scene_of_a_long_film_has_a_key_frame_and_none_is_ten_seconds_off(
    decode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene, write_video
) -> None:
    frames = [scene(number // 40) for number in range(400)]
    path = write_video(tmp_path / "a.mp4", frames, rate=2, gop=8)
    for budget in (video.SEQUENTIAL_PIXELS, 96 * 128):  # all frames are decoded; some are sought
        monkeypatch.setattr(video, "SEQUENTIAL_PIXELS", budget)
        moments = np.array(decode(path).moments)
        assert {int(moment // 20) for moment in moments} == set(range(10))
        assert np.diff([0.0, *moments, 200.0]).max() <= 10.0


def test_a_codec_that_seldom_begins_anew_is_decoded_in_between(
    decode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video
) -> None:
    ramp = np.linspace(0, 60, 128, dtype=np.uint8)[None, :, None]
    frames = [np.broadcast_to(ramp + np.uint8(number // 8), (96, 128, 3)) for number in range(960)]
    path = write_video(tmp_path / "a.mp4", frames, rate=4, codec="mpeg4", gop=100)
    monkeypatch.setattr(video, "SEQUENTIAL_PIXELS", 96 * 128)
    assert np.diff([0.0, *decode(path).moments, 240.0]).max() <= 20.0
    monkeypatch.setattr(video, "BETWEEN_PIXELS", 0)
    assert np.diff([0.0, *decode(path).moments, 240.0]).max() > 20.0


def test_a_film_of_hours_is_chosen_from_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    pictures = [Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)) for _ in range(7)]
    candidates = [KeyFrameCandidate.of(0.0, picture, picture.size) for picture in pictures]
    made, most_held = 0, 0

    def candidate(moment: float) -> KeyFrameCandidate:
        nonlocal made
        made += 1
        return replace(candidates[int(moment // 45) % 7], moment=moment)

    sampler = Sampler(most=200, seconds=3600.0)
    for moment in np.arange(0, 3600, 0.5):
        sampler.offer(moment, partial(candidate, moment))
        most_held = max(most_held, len(sampler._part))
    moments = [frame.moment for frame in sampler.key_frames()]
    assert len(moments) <= 200
    assert max(np.diff(moments)) < 3 * 3600 / 200
    assert most_held <= MOST_CANDIDATES
    assert made <= 4 * MOST_CANDIDATES + 3600 / 3
    assert sampler.preview.size == (16, 12)

    unknown = Sampler(most=20)  # it does not say how long it is
    for moment in np.arange(0, 3600, 0.5):
        unknown.offer(moment, partial(candidate, moment))
    frames = unknown.key_frames()
    assert len(frames) <= 20
    assert frames[-1].moment > 3000


def test_the_setting_bounds_them(decode, options: DecodeOptions, tmp_path: Path, scene, write_video) -> None:
    path = write_video(tmp_path / "a.mp4", [scene(number // 3) for number in range(180)], rate=1)
    assert len(decode(path, using=replace(options, key_frames=4)).moments) == 4
    assert len(decode(path).moments) > 32
