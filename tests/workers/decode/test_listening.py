"""What is heard of a recording: channels that cancel each other, silences that are long."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from search.settings import Settings
from workers.decode import sound, thinned
from workers.decode.sandbox import pool as pool_module
from workers.decode.sandbox.pool import DecodePool

RATE = 16_000


def noise(seed: int, seconds: float = 2.0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def still(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


def recording(path: Path, channels: list[np.ndarray], layout: str, codec: str, rate: int = RATE) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.stack(channels), np.float32), "fltp", layout)
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or None
        resampler = av.AudioResampler(stream.codec_context.format, layout, rate, size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def mean_of_channels(path: Path) -> np.ndarray:
    """FFmpeg's own mix to mono at 16 kHz."""
    resampler, parts = av.AudioResampler("flt", "mono", RATE), []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts += resampler.resample(frame)
    return np.concatenate([part.to_ndarray()[0] for part in [*parts, *resampler.resample(None)]])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    n = min(len(a), len(b))
    return float(a[:n] @ b[:n] / max(1e-9, np.linalg.norm(a[:n]) * np.linalg.norm(b[:n])))


LEFT, RIGHT, QUIET = noise(1), noise(2), still(2.0)
FORMATS = [("a.wav", "pcm_s16le"), ("a.wav", "pcm_f32le"), ("a.flac", "flac"), ("a.mka", "ac3")]


@pytest.mark.parametrize(("name", "codec"), FORMATS)
@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("stereo", [LEFT, -LEFT]),
        ("stereo", [LEFT, -0.8 * LEFT]),
        ("stereo", [LEFT, 0.02 * RIGHT - LEFT]),
        ("5.1", [LEFT, -LEFT, QUIET, QUIET, QUIET, QUIET]),
        ("5.1", [QUIET, QUIET, 0.01 * RIGHT, QUIET, LEFT, -LEFT]),
        ("quad", [LEFT, -LEFT, 0.5 * LEFT, -0.5 * LEFT]),
    ],
)
def test_channels_that_cancel_each_other_are_heard(
    decode, tmp_path: Path, name: str, codec: str, layout: str, channels: list[np.ndarray]
) -> None:
    rate = 48_000 if codec == "ac3" else RATE
    path = recording(tmp_path / name, channels, layout, codec, rate)
    decoded = decode(path)
    assert np.sqrt(np.mean(np.square(decoded.sound.samples()))) > 0.05
    assert decoded.fingerprints
    if codec != "ac3":
        assert abs(cosine(decoded.sound.samples(), LEFT)) > 0.99


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("a.wav", "pcm_u8"), ("a.m4a", "aac")])
@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("mono", [LEFT]),
        ("stereo", [LEFT, LEFT]),
        ("stereo", [LEFT, RIGHT]),
        ("stereo", [LEFT, QUIET]),
        ("stereo", [QUIET, LEFT]),
        ("stereo", [LEFT, 0.5 * RIGHT - 0.3 * LEFT]),
        ("stereo", [QUIET, QUIET]),
        ("5.1", [LEFT, RIGHT, LEFT, 3 * noise(7), QUIET, QUIET]),
        ("5.1", [QUIET, QUIET, LEFT, QUIET, QUIET, QUIET]),
        ("5.1", [QUIET, QUIET, QUIET, QUIET, LEFT, QUIET]),
    ],
)
def test_ordinary_channels_are_mixed_as_ever(
    decode, tmp_path: Path, name: str, codec: str, layout: str, channels: list[np.ndarray]
) -> None:
    path = recording(tmp_path / name, channels, layout, codec)
    assert np.array_equal(decode(path).sound.samples(), mean_of_channels(path))


def test_deep_effects_alone_are_heard(decode, tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", [QUIET, QUIET, QUIET, LEFT, QUIET, QUIET], "5.1", "pcm_s16le")
    assert cosine(decode(path).sound.samples(), LEFT) > 0.99


def plain_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(
    "parts",
    [
        [still(20), tone(500, 4)],
        [tone(300, 2), still(20), tone(500, 4)],
        [noise(1, 20, 1e-4), tone(500, 4), still(9)],
        [still(400), tone(500, 4)],
    ],
)
def test_all_of_a_recording_is_heard_whatever_silences_lie_in_it(
    decode, tmp_path: Path, parts: list[np.ndarray]
) -> None:
    whole = np.concatenate(parts)
    decoded = decode(plain_wav(tmp_path / "a.wav", whole))
    np.testing.assert_allclose(decoded.sound.samples(), whole, atol=1e-4)
    assert decoded.facts.duration == pytest.approx(len(whole) / RATE, abs=0.01)
    assert decoded.facts.remark is None


@pytest.mark.parametrize("at", [0, 400])
def test_opposite_channels_in_a_long_recording(decode, tmp_path: Path, at: int) -> None:
    late = np.concatenate([still(at), tone(500, 4), still(400 - at)])
    decoded = decode(recording(tmp_path / "a.wav", [late, -late], "stereo", "pcm_s16le"))
    assert len(decoded.sound) == len(late)
    assert cosine(decoded.sound.samples(), late) > 0.99


def test_a_long_recording_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two minutes, the child holds seconds and the parent the 10 s that may stay in memory."""
    asked: list[Path] = []
    monkeypatch.setattr(sound, "KEPT_SECONDS", 10)
    monkeypatch.setattr(pool_module, "disk_folder", lambda home: str(asked.append(home) or tmp_path))
    whole = np.concatenate([tone(300 + 10 * n, 1) for n in range(120)])
    path = plain_wav(tmp_path / "a.wav", whole)
    with DecodePool(Settings(decode_workers=1)) as pool:
        heard = pool.submit(str(path)).result().sound
    assert heard is not None
    assert len(asked) == 1, "a file was made"
    pieces = list(heard.pieces())
    assert [len(piece) for piece in pieces] == [10 * RATE] * 12
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)


def test_what_is_drawn_and_told_of_a_long_recording_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinned, "MOST_ROWS", 64)
    monkeypatch.setattr(thinned, "_TOGETHER", 32)
    rows = np.arange(1000, dtype=np.float32)[:, None]
    series = thinned.Thinned(lambda groups: groups.max(axis=1))
    for part in np.array_split(rows, 90):
        series.add(part)
    kept = series.rows()
    assert kept.ravel().tolist() == [*range(15, 1000, 16), 999]
