"""Which of a recording's streams are its film and its sound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from search.media import Kind

RATE = 16_000
Samples = np.ndarray


def tone(hertz: float, seconds: float = 2.0) -> Samples:
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def silence(seconds: float = 2.0) -> Samples:
    return np.zeros(int(seconds * RATE), np.float32)


class Mux:
    """A container made stream by stream, interleaved as they come."""

    def __init__(self, path: Path) -> None:
        self.path, self._streams = path, []
        self._made = path.with_suffix({".m4a": ".mp4", ".m4b": ".mp4", ".mka": ".mkv"}.get(path.suffix, path.suffix))
        self._container = av.open(str(self._made), "w")

    def pictures(self, codec: str, size: tuple[int, int], moments: list[float], disposition: int = 0) -> Mux:
        """Pictures at ``moments``, each of its own."""
        stream = self._container.add_stream(codec, rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
        if disposition:
            stream.disposition = disposition
        self._streams.append((stream, self._encoded_pictures(stream, size, moments)))
        return self

    def sound(self, samples: Samples, disposition: int = 0, codec: str = "aac") -> Mux:
        stream = self._container.add_stream(codec, rate=RATE, layout="mono")
        if disposition:
            stream.disposition = disposition
        self._streams.append((stream, self._encoded_sound(stream, samples)))
        return self

    def write(self) -> Path:
        with self._container as container:
            for _, encode in self._streams:
                for packet in encode():
                    container.mux(packet)
        return self._made.rename(self.path)

    def _encoded_pictures(self, stream, size: tuple[int, int], moments: list[float]) -> Callable:
        def encode():
            numbers = np.random.default_rng(5)
            for moment in moments:
                small = numbers.integers(0, 255, (size[1] // 16, size[0] // 16, 3))
                frame = av.VideoFrame.from_ndarray(np.kron(small, np.ones((16, 16, 1))).astype(np.uint8), "rgb24")
                frame.pts, frame.time_base = round(moment * 10), Fraction(1, 10)
                yield from stream.encode(frame)
            yield from stream.encode(None)

        return encode

    def _encoded_sound(self, stream, samples: Samples) -> Callable:
        def encode():
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "fltp", "mono")
            frame.sample_rate = RATE
            resampler = av.AudioResampler(stream.codec_context.format, "mono", RATE, stream.codec_context.frame_size)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                yield from stream.encode(part)
            yield from stream.encode(None)

        return encode


def loudest_hertz(sound: Samples) -> float:
    return float(np.abs(np.fft.rfft(sound)).argmax() * RATE / len(sound))


ALWAYS = [i / 10 for i in range(20)]
SMALL, LARGE = (64, 48), (128, 96)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.avi"])
@pytest.mark.parametrize("first", [("mjpeg", [0.0]), ("mpeg4", ALWAYS)])
def test_a_small_stream_before_the_film(decode, tmp_path: Path, name: str, first: tuple[str, list[float]]) -> None:
    codec, moments = first
    path = Mux(tmp_path / name).pictures(codec, SMALL, moments).pictures("mpeg4", LARGE, ALWAYS).write()
    decoded = decode(path)
    assert (decoded.facts.width, decoded.facts.height) == LARGE
    assert len(decoded.crops) >= 8


def test_a_large_cover_before_the_film(decode, tmp_path: Path) -> None:
    mux = Mux(tmp_path / "a.mkv").pictures("mjpeg", LARGE, [0.0]).pictures("mpeg4", SMALL, ALWAYS)
    decoded = decode(mux.sound(tone(440)).write())
    assert (decoded.facts.width, decoded.facts.height) == SMALL
    assert decoded.kind is Kind.VIDEO


def test_the_track_that_is_enabled_of_two_of_one_size(decode, tmp_path: Path) -> None:
    path = (
        Mux(tmp_path / "a.mkv")
        .pictures("mpeg4", LARGE, ALWAYS[:12])
        .pictures("mpeg4", LARGE, ALWAYS, Disposition.default)
        .write()
    )
    assert decode(path).moments[-1] > 1.3


@pytest.mark.parametrize("beside", [Disposition.dependent, Disposition.still_image, Disposition.comment])
def test_what_goes_beside_a_film_is_none(decode, tmp_path: Path, beside: Disposition) -> None:
    path = Mux(tmp_path / "a.mp4").pictures("mpeg4", LARGE, ALWAYS, beside).pictures("mpeg4", SMALL, ALWAYS).write()
    with av.open(str(path)) as container:
        kept = bool(container.streams.video[0].disposition & beside)
    assert (decode(path).facts.width == SMALL[0]) or not kept


@pytest.mark.parametrize(
    ("name", "codec", "moments", "kind"),
    [
        ("book.m4b", "mjpeg", [0.0, 3.0, 5.0], Kind.AUDIO),
        ("book.m4a", "png", [0.0, 3.0], Kind.AUDIO),
        ("song.mp4", "mjpeg", [0.0], Kind.AUDIO),
        ("song.mov", "png", [0.0], Kind.AUDIO),
        ("song.mkv", "mjpeg", [0.0, 4.0], Kind.AUDIO),
        ("song.mka", "mjpeg", [0.0, 2.0, 4.0], Kind.AUDIO),
        ("song.avi", "mjpeg", [0.0], Kind.AUDIO),
        ("camera.avi", "mjpeg", [i / 10 for i in range(60)], Kind.VIDEO),
        ("camera.mkv", "mjpeg", [float(i) for i in range(6)], Kind.VIDEO),
        ("still.mp4", "mpeg4", [0.0], Kind.VIDEO),
    ],
)
def test_pictures_that_illustrate_a_sound(
    decode, tmp_path: Path, name: str, codec: str, moments: list[float], kind: Kind
) -> None:
    path = Mux(tmp_path / name).pictures(codec, LARGE, moments).sound(tone(700, 6.0)).write()
    decoded = decode(path)
    assert decoded.kind is kind
    assert loudest_hertz(decoded.sound.samples()) == pytest.approx(700, abs=5)


@pytest.mark.parametrize("film", [True, False])
@pytest.mark.parametrize("tracks", [[silence(), tone(900)], [silence(), silence(), tone(900)]])
def test_silent_tracks_are_passed_over(decode, tmp_path: Path, film: bool, tracks: list[Samples]) -> None:
    mux = Mux(tmp_path / "a.mkv")
    if film:
        mux.pictures("mpeg4", LARGE, ALWAYS)
    for track in tracks:
        mux.sound(track)
    assert loudest_hertz(decode(mux.write()).sound.samples()) == pytest.approx(900, abs=5)


@pytest.mark.parametrize(
    "beside", [Disposition.comment, Disposition.visual_impaired, Disposition.hearing_impaired, Disposition.karaoke]
)
def test_tracks_beside_the_main_one_come_last(decode, tmp_path: Path, beside: Disposition) -> None:
    path = Mux(tmp_path / "a.mkv").sound(tone(300), beside).sound(tone(900)).write()
    with av.open(str(path)) as container:
        first = container.streams.audio[0].disposition
    expected = 900 if first & beside else 300
    assert loudest_hertz(decode(path).sound.samples()) == pytest.approx(expected, abs=5)


def test_the_default_track_comes_first(decode, tmp_path: Path) -> None:
    path = Mux(tmp_path / "a.mkv").sound(tone(300)).sound(tone(900), Disposition.default).write()
    assert loudest_hertz(decode(path).sound.samples()) == pytest.approx(900, abs=5)


def test_silence_alone_is_a_sound(decode, tmp_path: Path) -> None:
    decoded = decode(Mux(tmp_path / "a.mka").sound(silence()).sound(silence()).write())
    assert decoded.kind is Kind.AUDIO
    assert not decoded.sound.samples().any()
