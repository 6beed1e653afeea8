"""What the tags of films and sounds say, and what they do not."""

from __future__ import annotations

import struct

import av
import numpy as np
import pytest

from search.media import Kind
from workers.decode.metadata.recordings import container_facts

APPLE = "com.apple.quicktime."

DATES = {
    "creationdate keeps its offset": (
        {APPLE + "creationdate": "2022-06-07T13:48:04-0500", "creation_time": "2022-06-07T18:48:04.000000Z"},
        "2022-06-07T13:48:04-05:00",
    ),
    "creation_time is UTC": ({"creation_time": "2022-06-07T18:48:04.000000Z"}, "2022-06-07T18:48:04+00:00"),
    "a date with a time": (
        {"date": "2020-01-02T03:04:05+0100", "creation_time": "2022-06-07T18:48:04Z"},
        "2020-01-02T03:04:05+01:00",
    ),
    "recorded (Matroska)": ({"date_recorded": "2020-01-02 03:04:05"}, "2020-01-02T03:04:05"),
    "a day alone": ({"date": "2020-01-02"}, "2020-01-02"),
    "the container's time before a day alone": (
        {"date": "2020-01-02", "creation_time": "2022-06-07T18:48:04Z"},
        "2022-06-07T18:48:04+00:00",
    ),
    "a year alone": ({"date": "1999"}, None),
    "epoch of QuickTime": ({"creation_time": "1904-01-01T00:00:00Z"}, None),
    "epoch of Unix": ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
    "far future": ({"creation_time": "2040-02-06T06:28:15Z", "date": "9999-12-31"}, None),
    "none": ({}, None),
}


@pytest.mark.parametrize("name", DATES)
def test_dates(name) -> None:
    tags, expected = DATES[name]
    assert next(iter(container_facts(tags, Kind.VIDEO).original), None) == expected


@pytest.mark.parametrize(
    ("tags", "kind", "authors"),
    [
        ({"artist": "Vera Lund"}, Kind.AUDIO, ("Vera Lund",)),
        ({"artist": "Vera Lund", "album_artist": "Various"}, Kind.VIDEO, ()),
        ({"author": "Ada"}, Kind.VIDEO, ("Ada",)),
        ({APPLE + "author": "Ada", "artist": "Vera Lund"}, Kind.VIDEO, ("Ada",)),
        ({"artist": "S\udcf8ren \udcc5berg"}, Kind.AUDIO, ("Søren Åberg",)),
        ({"artist": "Zoë"}, Kind.AUDIO, ("Zoë",)),
        ({"artist": "张三"}, Kind.AUDIO, ("张三",)),
        ({"artist": "S\udc81ren"}, Kind.AUDIO, ()),
    ],
)
def test_a_singer_made_no_film(tags, kind, authors) -> None:
    assert container_facts(tags, kind).authors == authors


def test_cameras_and_places() -> None:
    tags = {
        APPLE + "make": "Apple",
        APPLE + "model": "iPhone 12",
        APPLE + "location.iso6709": "+48.2000+016.5000+100.0/",
    }
    facts = container_facts(tags, Kind.VIDEO)
    assert (facts.camera, facts.place) == ("Apple iPhone 12", (48.2, 16.5))
    assert container_facts({"location": "+00.0000+000.0000/"}, Kind.VIDEO).place is None
    assert container_facts({"location-eng": "+48.2+016.5/"}, Kind.VIDEO).place == (48.2, 16.5)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.m4a"])
def test_the_tags_of_real_containers(decode, tmp_path, name) -> None:
    path = tmp_path / name
    codec = {"mp3": "mp3", "flac": "flac", "ogg": "libopus", "m4a": "aac"}[name[2:]]
    with av.open(str(path), "w") as container:
        container.metadata.update({"artist": "Vera Lünd", "date": "2020-01-02"})
        stream = container.add_stream(codec, rate=48000, layout="mono")
        tone = (0.4 * np.sin(np.arange(48000) / 20)).astype(np.float32)
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", 48000, stream.codec_context.frame_size or None
        )
        frame = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
        frame.sample_rate = 48000
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    decoded = decode(path)
    assert decoded.kind is Kind.AUDIO
    assert (decoded.facts.artist, decoded.facts.taken_at) == ("Vera Lünd", "2020-01-02")


def test_xmp_in_a_film(make, decode, tmp_path, write_video, scene) -> None:
    path = write_video(tmp_path / "a.mp4", [scene(1)] * 5)
    packet = make.xmp(
        "<dc:creator><rdf:Seq><rdf:li>Zoë</rdf:li></rdf:Seq></dc:creator>"
        "<photoshop:DateCreated>2018-01-30T20:30:48-05:00</photoshop:DateCreated>"
    ).encode()
    box = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC") + packet
    path.write_bytes(path.read_bytes() + struct.pack(">I", 8 + len(box)) + b"uuid" + box)
    facts = decode(path).facts
    assert (facts.artist, facts.taken_at) == ("Zoë", "2018-01-30T20:30:48-05:00")


def test_tags_in_latin_1(decode, tmp_path, write_sound, sine) -> None:
    """RIFF does not say how its texts are encoded."""
    path = write_sound(tmp_path / "a.wav", sine(0.5, 8000)[None], 8000, "pcm_s16le")
    name = "Sören".encode("latin-1") + b"\0"
    info = b"INFO" + b"IART" + struct.pack("<I", len(name)) + name
    whole = path.read_bytes() + b"LIST" + struct.pack("<I", len(info)) + info
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    assert decode(path).facts.artist == "Sören"
