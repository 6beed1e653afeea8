"""What is heard of a recording: channels that cancel each other, silences that are long."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from workers.decode.recording import audio, listening

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
    assert np.sqrt(np.mean(np.square(decoded.sound))) > 0.05
    assert decoded.fingerprints
    if codec != "ac3":
        assert abs(cosine(decoded.sound, LEFT)) > 0.99


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
    assert np.array_equal(decode(path).sound, mean_of_channels(path))


def test_deep_effects_alone_are_heard(decode, tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", [QUIET, QUIET, QUIET, LEFT, QUIET, QUIET], "5.1", "pcm_s16le")
    assert cosine(decode(path).sound, LEFT) > 0.99


def plain_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are analysed of the first hundred, and three of silence are long."""
    monkeypatch.setattr(audio, "ANALYSED_SECONDS", 10)
    monkeypatch.setattr(listening, "LONG_SILENCE", 3)
    monkeypatch.setattr(listening, "SEARCHED_SECONDS", 100)


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize(
    ("parts", "heard"),
    [
        ([still(20), tone(500, 4)], [tone(500, 4)]),
        ([still(10.5), tone(500, 4), still(9)], [still(0.5), tone(500, 4)]),
        ([tone(300, 2), still(20), tone(500, 4)], [tone(300, 2), tone(500, 4)]),
        ([tone(300, 2), still(2), tone(500, 20)], [tone(300, 2), still(2), tone(500, 6)]),
        ([noise(1, 20, 1e-4), tone(500, 4)], [tone(500, 4)]),
        ([still(6), tone(500, 20)], [tone(500, 10)]),
        ([still(300), tone(500, 100)], [tone(500, 10)]),
        ([still(30)], [still(10)]),
        ([tone(500, 30)], [tone(500, 10)]),
        ([still(8), tone(500, 2)], [still(8), tone(500, 2)]),
    ],
)
def test_what_is_analysed_is_where_there_is_sound(
    decode, tmp_path: Path, parts: list[np.ndarray], heard: list[np.ndarray]
) -> None:
    decoded = decode(plain_wav(tmp_path / "a.wav", np.concatenate(parts)))
    expected = np.concatenate(heard)
    if len(np.concatenate(parts)) > 100 * RATE:
        # Found by listening here and there, so that it begins within a tone.
        assert decoded.sound.shape == expected.shape
        assert np.abs(np.fft.rfft(decoded.sound)).argmax() / 10 == pytest.approx(500, abs=1)
    else:
        assert len(decoded.sound) == pytest.approx(len(expected), abs=RATE)
        assert cosine(decoded.sound, expected) > 0.99 or not expected.any()
    assert decoded.facts.duration == pytest.approx(sum(map(len, parts)) / RATE, abs=0.01)


@pytest.mark.usefixtures("short_limits")
def test_the_silence_that_was_left_out_is_told(decode, tmp_path: Path) -> None:
    decoded = decode(plain_wav(tmp_path / "a.wav", np.concatenate([still(75), tone(500, 4)])))
    assert decoded.facts.remark == "It begins with 1:15 of silence, which is left out."
    assert decode(plain_wav(tmp_path / "b.wav", tone(500, 30))).facts.remark is None


@pytest.mark.usefixtures("short_limits")
def test_opposite_channels_after_a_long_silence(decode, tmp_path: Path) -> None:
    late = np.concatenate([still(20), tone(500, 4)])
    decoded = decode(recording(tmp_path / "a.wav", [late, -late], "stereo", "pcm_s16le"))
    assert len(decoded.sound) == 4 * RATE
    assert cosine(decoded.sound, tone(500, 4)) > 0.99
