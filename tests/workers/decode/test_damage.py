"""Recordings that are cut off or broken in the middle: what can be read is read, and how much cannot is told."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from search.errors import CorruptMediaError
from search.media import Kind
from workers.decode.recording import video

SECONDS = 6
RATE = 16_000


def sound(path: Path, codec: str, seconds: float = SECONDS, rate: int = RATE, **options: str) -> Path:
    """A tone in a little noise, of nearly constant bit rate."""
    moments = np.arange(int(seconds * rate)) / rate
    samples = 0.3 * np.sin(2 * np.pi * 440 * moments) + 0.05 * np.random.default_rng(1).standard_normal(len(moments))
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], "fltp", "mono")
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or None
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate, size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def film(path: Path, codec: str, seconds: float = SECONDS, moments: list[float] | None = None, **options: str) -> Path:
    """Ten pictures a second, each its own, all intra-coded, so that the bit rate is constant."""
    numbers, shown = np.random.default_rng(2), moments or [i / 10 for i in range(int(10 * seconds))]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25 if codec == "mpeg2video" else 10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 1
        stream.codec_context.time_base = Fraction(1, 25 if codec == "mpeg2video" else 10)
        for count, moment in enumerate(shown):
            blocks = numbers.integers(0, 255, (12, 16, 3))
            frame = av.VideoFrame.from_ndarray(np.kron(blocks, np.ones((4, 4, 1))).astype(np.uint8), "rgb24")
            frame.pts = count if codec == "mpeg2video" else round(moment * 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


SOUNDS: dict[str, Callable[[Path], Path]] = {
    "a.wav": lambda path: sound(path, "pcm_s16le"),
    "a.aiff": lambda path: sound(path, "pcm_s16be"),
    "a.au": lambda path: sound(path, "pcm_s16be"),
    "a.caf": lambda path: sound(path, "pcm_s16le"),
    "a.flac": lambda path: sound(path, "flac"),
    "a.mp3": lambda path: sound(path, "libmp3lame"),
    "a.aac": lambda path: sound(path, "aac"),
    "a.ogg": lambda path: sound(path, "libopus"),
    "a.m4a": lambda path: sound(path, "aac", movflags="faststart"),
    "a.mka": lambda path: sound(path, "ac3", rate=48_000),
}
FILMS: dict[str, Callable[[Path], Path]] = {
    "a.mp4": lambda path: film(path, "libx264", movflags="faststart"),
    "a.mov": lambda path: film(path, "mpeg4", movflags="faststart"),
    "a.mkv": lambda path: film(path, "libx264"),
    "a.webm": lambda path: film(path, "libvpx"),
    "a.avi": lambda path: film(path, "mpeg4"),
    "a.flv": lambda path: film(path, "libx264"),
    "a.ts": lambda path: film(path, "mpeg2video"),
    "a.mpg": lambda path: film(path, "mpeg2video"),
}
ALL = {**SOUNDS, **FILMS}
OPEN_ENDED = ("a.aac", "a.ogg", "a.ts", "a.mpg")
"""Formats in which nothing says how long a recording should be."""
UNCHECKED = ("a.wav", "a.aiff", "a.au", "a.caf")
"""Formats in which any bytes are sound."""
HINTED = ("a.mp3",)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("whole")
    return cache(lambda name: ALL[name](folder / name).read_bytes())


@pytest.mark.parametrize("name", ALL)
def test_whole_recordings_are_not_damaged(decode, tmp_path: Path, made, name: str) -> None:
    (tmp_path / name).write_bytes(made(name))
    assert decode(tmp_path / name).facts.damaged is None


@pytest.mark.parametrize("share", [0.99, 0.9, 0.75, 0.6])
@pytest.mark.parametrize("name", ALL)
def test_what_is_there_of_a_cut_recording_is_read(decode, tmp_path: Path, made, name: str, share: float) -> None:
    whole = made(name)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    decoded = decode(tmp_path / name)
    if name in OPEN_ENDED:
        assert (decoded.facts.damaged or 0.0) < 0.08
    else:
        assert (decoded.facts.damaged or 0.0) == pytest.approx(1 - share, abs=0.14)
    if decoded.kind is Kind.AUDIO:
        assert len(decoded.sound) / RATE == pytest.approx(SECONDS * share, abs=1.1)


@pytest.mark.parametrize("name", [name for name in ALL if name not in (*OPEN_ENDED, *HINTED)])
def test_less_than_half_is_refused(decode, tmp_path: Path, made, name: str) -> None:
    whole = made(name)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * 0.35)])
    with pytest.raises(CorruptMediaError, match=r"broken: \d\d% of it cannot be read, because the end .* is missing"):
        decode(tmp_path / name)


@pytest.mark.parametrize("filling", ["zeros", "noise"])
@pytest.mark.parametrize("name", [name for name in ALL if name not in (*UNCHECKED, "a.mka")])
def test_lost_bytes_in_the_middle(decode, tmp_path: Path, made, name: str, filling: str) -> None:
    data = bytearray(made(name))
    first, last = int(len(data) * 0.4), int(len(data) * 0.6)
    noise = np.random.default_rng(4).integers(0, 256, last - first, np.uint8).tobytes()
    data[first:last] = bytes(last - first) if filling == "zeros" else noise
    (tmp_path / name).write_bytes(data)
    decoded = decode(tmp_path / name)
    assert decoded.facts.damaged == pytest.approx(0.2, abs=0.14), name
    assert decoded.sound is not None or len(decoded.crops) >= 8


@pytest.mark.parametrize("name", [name for name in ALL if name not in (*UNCHECKED, "a.mka", "a.mpg", "a.webm")])
def test_three_quarters_lost_in_the_middle_are_too_many(decode, tmp_path: Path, made, name: str) -> None:
    data = bytearray(made(name))
    first, last = int(len(data) * 0.2), int(len(data) * 0.95)
    data[first:last] = bytes(last - first)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CorruptMediaError, match="cannot be read"):
        decode(tmp_path / name)


@pytest.mark.parametrize("name", ["a.m4a", "a.mp3", "a.flac", "a.aac", "a.mp4", "a.avi"])
@pytest.mark.parametrize("seconds", [5, 40])
def test_a_bad_start_counts_by_its_share(decode, tmp_path: Path, name: str, seconds: int) -> None:
    make = {"a.mp4": film, "a.avi": film}.get(name, sound)
    codec = {"a.m4a": "aac", "a.mp3": "libmp3lame", "a.flac": "flac", "a.aac": "aac", "a.mp4": "libx264"}
    path = make(tmp_path / name, codec.get(name, "mpeg4"), seconds)
    data = bytearray(path.read_bytes())
    first = 6000 if name == "a.avi" else 2000
    lost = len(data) // seconds
    data[first : first + lost] = bytes(lost)
    path.write_bytes(data)
    decoded = decode(path)
    assert 0 < decoded.facts.damaged < 2.5 / seconds


def test_a_minute_of_which_forty_seconds_have_arrived(decode, tmp_path: Path) -> None:
    path = sound(tmp_path / "a.m4a", "aac", 60, movflags="faststart")
    data = path.read_bytes()
    head = data.index(b"mdat")
    path.write_bytes(data[: head + (len(data) - head) * 2 // 3])
    facts = decode(path).facts
    assert facts.damaged == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.995])
@pytest.mark.parametrize("name", ["a.mp4", "a.m4a", "a.mov"])
def test_a_film_without_its_index_says_so(decode, tmp_path: Path, name: str, share: float) -> None:
    path = sound(tmp_path / name, "aac") if name == "a.m4a" else film(tmp_path / name, "libx264")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CorruptMediaError, match=r"has no index \(moov\): its recording or transfer was cut off"):
        decode(path)


def test_a_film_in_fragments(decode, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", "libx264", movflags="frag_every_frame+empty_moov")
    whole = path.read_bytes()
    assert decode(path).facts.damaged is None
    path.write_bytes(whole[: len(whole) * 2 // 3])
    assert decode(path).facts.duration == pytest.approx(4, abs=0.4)
    path.write_bytes(whole[: len(whole) * 3 // 4] + bytes(1000) + whole[len(whole) * 3 // 4 + 1000 :])
    assert 0.2 < decode(path).facts.damaged < 0.3


def test_lost_packets_of_a_transport_stream(decode, tmp_path: Path, made) -> None:
    packets = np.frombuffer(made("a.ts"), np.uint8).reshape(-1, 188)
    keep = np.ones(len(packets), bool)
    keep[len(keep) // 3 : len(keep) // 2] = False
    (tmp_path / "a.ts").write_bytes(packets[keep].tobytes())
    assert decode(tmp_path / "a.ts").facts.damaged == pytest.approx(1 / 6, abs=0.08)


def test_the_sound_of_a_film_may_be_lost(decode, tmp_path: Path, write_video, scene) -> None:
    path = write_video(tmp_path / "a.mkv", [scene(3)] * 40, tone=True)
    with av.open(str(path)) as container:
        spoilt = [(p.pos, p.size) for p in container.demux(audio=0) if p.size]
    data = bytearray(path.read_bytes())
    for at, size in spoilt:
        data[at + 8 : at + size] = b"\xff" * (size - 8)
    path.write_bytes(data)
    decoded = decode(path)
    assert decoded.sound is None
    assert decoded.facts.damaged is None
    assert decoded.facts.remark == "The sound of this video cannot be read."


@pytest.mark.parametrize("name", ["a.m4a", "a.mp3", "a.flac"])
def test_damage_of_a_sound_is_a_share_of_its_length(decode, tmp_path: Path, name: str) -> None:
    codec = {"a.m4a": "aac", "a.mp3": "libmp3lame"}.get(name, "flac")
    path = sound(tmp_path / name, codec, 40)
    data = bytearray(path.read_bytes())
    first, last = len(data) // 40, 5 * len(data) // 40
    data[first:last] = bytes(last - first)
    path.write_bytes(data)
    decoded = decode(path)
    assert decoded.facts.damaged == pytest.approx(0.1, abs=0.05)
    assert decoded.facts.duration == pytest.approx(36, abs=0.2)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_long_films_that_are_sampled_by_seeking(
    decode, tmp_path: Path, made, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "SEQUENTIAL_PIXELS", 64 * 48)
    path = tmp_path / name
    path.write_bytes(made(name))
    assert decode(path).facts.damaged is None
    path.write_bytes(made(name)[: int(len(made(name)) * 0.75)])
    assert decode(path).facts.damaged == pytest.approx(0.25, abs=0.14)
    path.write_bytes(made(name)[: int(len(made(name)) * 0.35)])
    with pytest.raises(CorruptMediaError, match="the end of the file is missing"):
        decode(path)


class TestWholeThoughOdd:
    """Files that look cut or broken at a glance, and are not."""

    def test_pauses(self, decode, tmp_path: Path) -> None:
        moments = [*(i / 10 for i in range(20)), *(9 + i / 10 for i in range(20)), 14.0]
        for name, codec in (("a.mkv", "libx264"), ("a.mp4", "libx264"), ("a.webm", "libvpx")):
            assert decode(film(tmp_path / name, codec, moments=moments)).facts.damaged is None

    @pytest.mark.parametrize("frames", [0.3, 3.0])
    def test_an_mp3_with_a_wrong_number_of_frames(self, decode, tmp_path: Path, made, frames: float) -> None:
        data = bytearray(made("a.mp3"))
        at = max(data.find(b"Xing"), data.find(b"Info")) + 8
        data[at : at + 4] = struct.pack(">I", int(struct.unpack(">I", data[at : at + 4])[0] * frames))
        (tmp_path / "a.mp3").write_bytes(data)
        assert decode(tmp_path / "a.mp3").facts.damaged is None

    @pytest.mark.parametrize("riff", [0, 0xFFFFFFFF, 0x7FFFF024, 1000])
    @pytest.mark.parametrize("data_size", [0xFFFFFFFF, 0x7FFFF000, 10_000_000])
    def test_odd_wav_headers(self, decode, tmp_path: Path, made, riff: int, data_size: int) -> None:
        data = bytearray(made("a.wav"))
        data[4:8] = struct.pack("<I", riff)
        at = data.index(b"data") + 4
        data[at : at + 4] = struct.pack("<I", data_size)
        (tmp_path / "a.wav").write_bytes(data)
        decoded = decode(tmp_path / "a.wav")
        assert decoded.facts.damaged is None
        assert len(decoded.sound) == pytest.approx(SECONDS * RATE, abs=RATE // 4)

    @pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.flac"])
    @pytest.mark.parametrize(
        "tag",
        [
            b"TAG" + bytes(125),
            b"APETAGEX" + struct.pack("<4I8x", 2000, 32, 0, 0) + bytes(20) + b"x" * 300,
            b"LYRICSBEGIN" + b"la " * 200 + b"000611LYRICS200" + b"TAG" + bytes(125),
        ],
    )
    def test_tags_behind_a_sound(self, decode, tmp_path: Path, made, name: str, tag: bytes) -> None:
        (tmp_path / name).write_bytes(made(name) + tag)
        assert (decode(tmp_path / name).facts.damaged or 0.0) < 0.05

    def test_an_id3_tag_before_a_sound(self, decode, tmp_path: Path, made) -> None:
        for name in ("a.mp3", "a.aac"):
            (tmp_path / name).write_bytes(b"ID3\x04\0\0\0\0\x10\x00" + bytes(2048) + made(name))
            assert decode(tmp_path / name).facts.damaged is None

    def test_a_stream_that_begins_late(self, decode, tmp_path: Path) -> None:
        late = [100 + i / 10 for i in range(30)]
        for name in ("a.mkv", "a.mp4", "a.flv"):
            decoded = decode(film(tmp_path / name, "libx264", moments=late))
            assert decoded.facts.damaged is None
            assert len(decoded.crops) >= 8

    def test_bytes_behind_a_film(self, decode, tmp_path: Path, made) -> None:
        (tmp_path / "a.mp4").write_bytes(made("a.mp4") + bytes(50_000))
        assert decode(tmp_path / "a.mp4").facts.damaged is None

    def test_one_frame(self, decode, tmp_path: Path) -> None:
        for name, codec in (("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx")):
            decoded = decode(film(tmp_path / name, codec, moments=[0.0]))
            assert decoded.moments == (0.0,)
            assert decoded.facts.damaged is None

    def test_two_transport_streams_in_one(self, decode, tmp_path: Path, made) -> None:
        (tmp_path / "a.ts").write_bytes(made("a.ts") * 2)
        assert (decode(tmp_path / "a.ts").facts.damaged or 0.0) < 0.05
