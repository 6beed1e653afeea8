from __future__ import annotations

import gc
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.errors import CorruptMediaError, MediaTooLargeError
from search.media import Kind
from workers.decode.recording import video
from workers.decode.recording.movement.clips import clip_ticks
from workers.decode.sandbox.options import DecodeOptions


def brightening(seconds: float, rate: int) -> list[np.ndarray]:
    """Frames whose gray level tells their moment: level = 20 + 20 per second."""
    return [np.full((96, 128, 3), 20 + round(20 * i / rate), np.uint8) for i in range(int(seconds * rate))]


def told_moment(picture: np.ndarray) -> float:
    return (float(picture.mean()) - 20) / 20


@pytest.mark.parametrize(
    ("name", "codec", "mime"),
    [
        ("a.mp4", "libx264", "video/mp4"),
        ("a.mov", "libx264", "video/quicktime"),
        ("a.mkv", "libx264", "video/x-matroska"),
        ("a.webm", "libvpx", "video/webm"),
        ("a.avi", "mpeg4", "video/x-msvideo"),
        ("a.ts", "mpeg2video", "video/mp2t"),
    ],
)
@pytest.mark.parametrize("tone", [False, True])
def test_containers(decode, tmp_path: Path, name: str, codec: str, mime: str, tone: bool, scene, write_video) -> None:
    rate = 25
    path = write_video(tmp_path / name, [scene(3)] * 2 * rate, rate=rate, codec=codec, tone=tone and name != "a.ts")
    decoded = decode(path)
    assert decoded.kind is Kind.VIDEO
    assert decoded.mime == mime
    assert (decoded.facts.width, decoded.facts.height) == (128, 96)
    assert decoded.facts.duration == pytest.approx(2.0, abs=0.2)
    assert len(decoded.crops) == len(decoded.moments) == 8
    assert list(decoded.moments) == sorted(decoded.moments)
    assert decoded.facts.has_sound == (tone and name != "a.ts") == (decoded.sound is not None)
    assert decoded.clips is None
    assert decoded.whole.shape == decoded.crops.shape
    assert decoded.preview
    if decoded.sound is not None:
        assert len(decoded.sound) == pytest.approx(2.0 * 16_000, abs=3000)


def test_moments_tell_the_time_of_their_pictures(decode, tmp_path: Path, write_video) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", brightening(10, 10)))
    told = [told_moment(crop) for crop in decoded.crops]
    assert told == pytest.approx(list(decoded.moments), abs=0.25)
    assert decoded.moments[0] < 1.5
    assert decoded.moments[-1] > 8.5


def test_long_videos_are_sampled_by_seeking(
    decode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video
) -> None:
    path = write_video(tmp_path / "a.mp4", brightening(10, 10), gop=5)
    monkeypatch.setattr(video, "SEQUENTIAL_PIXELS", 96 * 128)
    decoded = decode(path)
    assert len(decoded.moments) >= 8
    assert [told_moment(crop) for crop in decoded.crops] == pytest.approx(list(decoded.moments), abs=0.25)
    assert decoded.moments[-1] > 8


def test_long_videos_with_few_self_contained_frames(
    decode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_video
) -> None:
    path = write_video(tmp_path / "a.mp4", brightening(10, 10), gop=1000)
    monkeypatch.setattr(video, "SEQUENTIAL_PIXELS", 96 * 128 * 99)
    decoded = decode(path)
    assert len(decoded.moments) > 1
    assert [told_moment(crop) for crop in decoded.crops] == pytest.approx(list(decoded.moments), abs=0.25)


def test_every_shot_has_a_key_frame(decode, tmp_path: Path, scene, write_video) -> None:
    lengths = [10, 10, 80, 10]
    frames = [scene(seed) for seed, length in enumerate(lengths) for _ in range(length)]
    moments = decode(write_video(tmp_path / "a.mp4", frames)).moments
    for start, end in [(0, 1), (1, 2), (2, 10), (10, 11)]:
        assert any(start <= moment < end for moment in moments)
    assert len([moment for moment in moments if 2 <= moment < 10]) > 2


def test_no_more_key_frames_than_allowed(decode, options: DecodeOptions, tmp_path: Path, scene, write_video) -> None:
    path = write_video(tmp_path / "a.mp4", [scene(i // 10) for i in range(200)])
    assert len(decode(path, using=replace(options, key_frames=5)).moments) == 5
    assert len(decode(path, using=replace(options, key_frames=1)).moments) == 1


def test_a_single_frame(decode, options: DecodeOptions, tmp_path: Path, scene, write_video) -> None:
    decoded = decode(write_video(tmp_path / "a.mp4", [scene(1)]), using=replace(options, clips=True))
    assert decoded.moments == (0.0,)
    assert decoded.clips.shape == (1, 16, 112, 112, 3)
    assert decoded.whole.shape == decoded.crops.shape


def test_whole_frames_lose_nothing_at_the_sides(decode, tmp_path: Path, write_video) -> None:
    frame = np.zeros((96, 288, 3), np.uint8)
    frame[:, :40], frame[:, -40:] = (255, 0, 0), (0, 0, 255)
    decoded = decode(write_video(tmp_path / "a.mp4", [frame] * 10))
    assert decoded.crops[0, 112, 5] == pytest.approx((0, 0, 0), abs=30)
    assert decoded.whole[0, 112, 5] == pytest.approx((255, 0, 0), abs=30)
    assert decoded.whole[0, 112, -5] == pytest.approx((0, 0, 255), abs=30)


def test_the_phone_was_held_upright(decode, options: DecodeOptions, tmp_path: Path, write_video) -> None:
    frame = np.zeros((96, 160, 3), np.uint8)
    frame[:48, :80], frame[:48, 80:], frame[48:, :80] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    path = write_video(tmp_path / "a.mp4", [frame] * 10)
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), data.index(b"tkhd"))
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 96 << 16, 0, 1 << 30)
    path.write_bytes(data)
    decoded = decode(path, using=replace(options, clips=True))
    assert (decoded.facts.width, decoded.facts.height) == (96, 160)
    for upright in (decoded.crops[0], decoded.clips[0, 0]):
        near, far = 10, -10
        assert upright[near, near] == pytest.approx((0, 0, 255), abs=30)
        assert upright[near, far] == pytest.approx((255, 0, 0), abs=30)
        assert upright[far, far] == pytest.approx((0, 255, 0), abs=30)


def test_clips_are_spread_over_the_video(decode, options: DecodeOptions, tmp_path: Path, write_video) -> None:
    path = write_video(tmp_path / "a.mp4", brightening(10, 30), rate=30)
    clips = decode(path, using=replace(options, clips=True)).clips
    assert clips.shape == (5, 16, 112, 112, 3)
    told = np.array([[told_moment(frame) for frame in clip] for clip in clips])
    assert told == pytest.approx(clip_ticks(10.0) / 15, abs=0.1)


def test_decoding_leaves_no_threads(decode, options: DecodeOptions, tmp_path: Path, write_video, scene) -> None:
    """Those of a converter a frame took the address space of a decoder after some thirty films."""
    path = write_video(tmp_path / "a.mp4", [scene(number) for number in range(30)])
    decode(path, using=replace(options, clips=True))
    before = len(list(Path("/proc/self/task").iterdir()))
    gc.disable()
    try:
        decode(path, using=replace(options, clips=True))
        assert len(list(Path("/proc/self/task").iterdir())) <= before
    finally:
        gc.enable()


def test_a_short_video_is_looped() -> None:
    assert clip_ticks(0.4).tolist() == [[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3]]
    assert clip_ticks(0.0).tolist() == [[0] * 16]
    assert clip_ticks(20 / 15)[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert clip_ticks(100.0)[:, 0].tolist() == [0, 371, 742, 1113, 1484]


def test_sound_alone_in_a_video_container_is_audio(decode, tmp_path: Path, sine, write_sound) -> None:
    path = write_sound(tmp_path / "a.mp4", sine(1.0, 44100)[np.newaxis], 44100, "aac")
    decoded = decode(path, Kind.VIDEO)
    assert (decoded.kind, decoded.mime) == (Kind.AUDIO, "audio/mp4")


def test_large_frames_are_refused(decode, options: DecodeOptions, tmp_path: Path, scene, write_video) -> None:
    path = write_video(tmp_path / "a.mp4", [scene(1)] * 3)
    with pytest.raises(MediaTooLargeError, match="128 x 96"):
        decode(path, using=replace(options, max_pixels=128 * 96 - 1))


def test_a_cut_off_video(decode, tmp_path: Path, scene, write_video) -> None:
    path = write_video(tmp_path / "a.mkv", [scene(i // 20) for i in range(300)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    decoded = decode(path)
    assert decoded.moments
    path.write_bytes(whole[:300])
    with pytest.raises(CorruptMediaError):
        decode(path)
