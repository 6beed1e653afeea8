from __future__ import annotations

import io
import wave
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.errors import CorruptMediaError, MediaTooLargeError
from search.media import Kind
from workers.decode.recording import audio
from workers.decode.recording.frames import Reading
from workers.decode.recording.listening import read_track
from workers.decode.recording.streams import open_container
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound


def loudest_hertz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * 16_000 / len(samples))


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 44100),
        ("a.flac", "flac", 48000),
        ("a.mp3", "libmp3lame", 44100),
        ("a.ogg", "libopus", 48000),
        ("a.opus", "libopus", 48000),
        ("a.m4a", "aac", 44100),
        ("a.aac", "aac", 44100),
        ("a.aiff", "pcm_s16be", 22050),
        ("a.mka", "ac3", 48000),
        ("a.webm", "libopus", 48000),
    ],
)
def test_formats(decode, tmp_path: Path, name: str, codec: str, rate: int, sine, write_sound) -> None:
    stereo = np.stack([sine(2.0, rate), sine(2.0, rate)])
    decoded = decode(write_sound(tmp_path / name, stereo, rate, codec))
    assert decoded.kind is Kind.AUDIO
    assert decoded.mime.startswith("audio/")
    assert decoded.sound is not None
    assert decoded.sound.samples().dtype == np.float32
    assert np.abs(decoded.sound.samples()).max() <= 1
    assert decoded.facts.duration == pytest.approx(2.0, abs=0.15)
    assert len(decoded.sound) == pytest.approx(2.0 * 16_000, abs=0.15 * 16_000)
    assert loudest_hertz(decoded.sound.samples()) == pytest.approx(440, abs=2)
    assert decoded.facts.has_sound
    assert decoded.crops.shape == (0, 224, 224, 3)
    assert decoded.moments == ()


def float_wav(path: Path, samples: np.ndarray) -> Path:
    data = samples.astype("<f4").tobytes()
    form = b"\x03\0\x01\0" + (16000).to_bytes(4, "little") + (64000).to_bytes(4, "little") + b"\x04\0\x20\0"
    body = b"WAVEfmt \x10\0\0\0" + form + b"data" + len(data).to_bytes(4, "little") + data
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    return path


def test_floats_of_any_value(decode, tmp_path: Path, sine) -> None:
    samples = 8 * sine(1.0, 16_000)
    samples[10], samples[20], samples[30] = np.nan, np.inf, -np.inf
    sound = decode(float_wav(tmp_path / "wild.wav", samples)).sound.samples()
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(1.0)
    assert loudest_hertz(sound) == pytest.approx(440, abs=2)


def test_silence_has_a_waveform_and_no_fingerprint(decode, tmp_path: Path) -> None:
    decoded = decode(float_wav(tmp_path / "silence.wav", np.zeros(16_000)))
    assert decoded.fingerprints == ()
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        assert preview.size == (480, 160)


def test_the_waveform_lies_on_nothing_and_follows_the_sound(sine) -> None:
    loud_then_quiet = np.concatenate([sine(1.0, 16_000), 0.02 * sine(1.0, 16_000)])
    ink = np.asarray(audio.draw_waveform(loud_then_quiet))[..., 3]
    assert ink[0, 0] == 0
    assert (ink[:, :240] > 0).sum() > 2 * (ink[:, 240:] > 0).sum() > 0


def test_no_samples_at_all(decode, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "none.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
    with pytest.raises(CorruptMediaError):
        decode(tmp_path / "none.wav")


def test_one_sample(decode, tmp_path: Path) -> None:
    decoded = decode(float_wav(tmp_path / "one.wav", np.array([0.5])))
    assert len(decoded.sound) == 1


def test_a_header_that_hides_a_length_does_not_get_more_read_than_allowed(tmp_path: Path, sine) -> None:
    path, taken = float_wav(tmp_path / "long.wav", sine(5.0, 16_000)), Sound()
    with path.open("rb") as file:
        track = read_track(partial(open_container, file, path.name), 0, path.name, Reading(), taken, most=2)
    assert (track.seconds, track.whole, len(taken)) == (2.0, False, 2 * 16_000)


def test_too_long_is_refused_by_the_header(decode, options: DecodeOptions, tmp_path: Path, sine) -> None:
    path = float_wav(tmp_path / "long.wav", sine(5.0, 16_000))
    with pytest.raises(MediaTooLargeError, match="lasts 5 s"):
        decode(path, using=replace(options, max_seconds=4.0))


def test_damage_after_a_good_beginning_keeps_the_beginning(decode, tmp_path: Path, sine, write_sound) -> None:
    path = write_sound(tmp_path / "a.flac", sine(20.0, 44100)[np.newaxis], 44100, "flac")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.8)])
    decoded = decode(path)
    assert 10 < decoded.facts.duration < 17


def test_a_wrong_length_in_the_header_is_not_believed(decode, shared_data: Path) -> None:
    path = shared_data / "audio_formats_lena" / "lena" / "lena-gsm.aiff"
    if not path.exists():
        pytest.skip("this half of the shared data lacks the GSM recording")
    assert decode(path).facts.duration == pytest.approx(12.27, abs=0.1)
