"""What the parent refuses to believe."""

from __future__ import annotations

import itertools
import json
import os
import struct
import threading
from dataclasses import replace

import numpy as np
import pytest

from search.errors import MEDIA_ERRORS
from search.media import Kind
from search.photographers.photos.features import FEATURES
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.sandbox.frames import (
    MOST_HEADER_BYTES,
    Deadline,
    DeadlineExceeded,
    PipeClosed,
    ProtocolError,
    read_header,
)
from workers.decode.sandbox.protocol import Reply, read_reply, write_reply
from workers.decode.sandbox.sound_pieces import ReceivedSound, SentSound
from workers.decode.sound import PIECE_SECONDS, SOUND_RATE, Sound

FEATURES_SENT = tuple(None if at % 3 else feature.low for at, feature in enumerate(FEATURES))

FULL = Decoded(
    kind=Kind.VIDEO,
    mime="video/mp4",
    facts=MediaFacts(width=640, height=480, duration=2.5, camera="Käfer", latitude=-1.5, has_sound=True),
    crops=np.arange(2 * 224 * 224 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 224, 224, 3),
    moments=(0.0, 1.25),
    clips=np.ones((1, 16, 112, 112, 3), np.uint8),
    whole=np.full((2, 224, 224, 3), 7, np.uint8),
    inner=np.full((2, 224, 224, 3), 9, np.uint8),
    borders=(0.1, 0.0, 0.25, 0.0),
    sound=Sound.of(np.linspace(-1, 1, 100, dtype=np.float32)),
    fingerprints=("0" * 64, "f" * 64),
    features=FEATURES_SENT,
    preview=b"picture",
)


def answer(*writes: bytes | Reply, heard: ReceivedSound | None = None) -> Reply:
    """What the parent makes of what a child writes."""
    reading, writing = os.pipe()

    def write() -> None:
        for part in writes:
            if isinstance(part, Reply):
                write_reply(writing, part)
            else:
                os.write(writing, part)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return read_reply(reading, Deadline(30), heard)
    finally:
        thread.join()
        os.close(reading)


def frame(header: object, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + body


GOOD: dict[str, object] = {
    "rss": 1,
    "kind": "image",
    "mime": "image/png",
    "facts": {},
    "moments": [],
    "fingerprints": [],
    "features": [],
    "arrays": [],
}


@pytest.mark.parametrize(
    "decoded", [FULL, Decoded(Kind.AUDIO, "audio/wav", MediaFacts()), replace(FULL, clips=None, sound=None)]
)
def test_a_reply_survives_the_pipe(decoded: Decoded) -> None:
    reply = answer(Reply(decoded, 12345))
    assert reply.rss == 12345
    got = reply.result
    assert isinstance(got, Decoded)
    for name in ("crops", "clips", "whole", "inner"):
        sent, received = getattr(decoded, name), getattr(got, name)
        assert (sent is None) == (received is None)
        assert sent is None or (np.array_equal(sent, received) and sent.dtype == received.dtype)
    for name in ("kind", "mime", "facts", "moments", "fingerprints", "features", "borders", "preview"):
        assert getattr(decoded, name) == getattr(got, name)
    assert (decoded.sound is None) == (got.sound is None)
    if decoded.sound is not None:
        np.testing.assert_array_equal(decoded.sound.samples(), got.sound.samples())


@pytest.mark.parametrize("code", MEDIA_ERRORS)
def test_an_error_survives_the_pipe(code: str) -> None:
    error = answer(Reply(MEDIA_ERRORS[code]("what", "do"), 1)).result
    assert type(error) is MEDIA_ERRORS[code]
    assert (error.message, error.hint) == ("what", "do")


def test_an_error_of_no_known_kind() -> None:
    for said in ({"code": "SystemExit"}, {"code": ["x"]}, "text", None, {}, {"code": "corrupt", "message": 1}):
        with pytest.raises(ProtocolError):
            answer(frame({"rss": 1, "error": said}))


@pytest.mark.parametrize(
    "changes",
    [
        {"rss": -1},
        {"rss": None},
        {"kind": "executable"},
        {"kind": ["image"]},
        {"mime": None},
        {"mime": "x" * 5000},
        {"facts": None},
        {"facts": {"__class__": "x"}},
        {"facts": {"width": "1"}},
        {"facts": {"width": 1.5}},
        {"facts": {"width": True}},
        {"facts": {"width": 10**300}},
        {"facts": {"iso": 10**400}},
        {"facts": {"iso": float("nan")}},
        {"facts": {"camera": 5}},
        {"facts": {"camera": "x" * 5000}},
        {"facts": {"has_sound": None}},
        {"moments": None},
        {"moments": ["1"]},
        {"moments": [float("inf")]},
        {"moments": [10**400]},
        {"kind": "video", "moments": [1.0]},
        {"fingerprints": ["0" * 63]},
        {"fingerprints": ["G" * 64]},
        {"fingerprints": [None]},
        {"fingerprints": ["0" * 64] * 3000},
        {"features": None},
        {"features": [1.0] * 77},
        {"features": [None] * 79},
        {"features": [None] * 77 + ["1"]},
        {"features": [None] * 77 + [True]},
        {"features": [None] * 77 + [float("nan")]},
        {"features": [None] * 77 + [1.01]},
        {"features": [-1, *[None] * 77]},
        {"borders": None},
        {"borders": [0.1] * 3},
        {"borders": [0.6, 0, 0.4, 0]},
        {"borders": [-0.1, 0, 0, 0]},
        {"borders": [0, float("nan"), 0, 0]},
        {"borders": [0, 0, 0, "0"]},
        {"arrays": None},
        {"arrays": [None]},
        {"arrays": [{}]},
        {"arrays": [{"name": "secrets", "dtype": "uint8", "shape": [1]}]},
        {"arrays": [{"name": ["crops"], "dtype": "uint8", "shape": [1]}]},
        {"arrays": [{"name": "crops", "dtype": "object", "shape": [0, 224, 224, 3]}]},
        {"arrays": [{"name": "crops", "dtype": "uint8", "shape": [1, 224, 224]}]},
        {"arrays": [{"name": "crops", "dtype": "uint8", "shape": [1, 225, 224, 3]}]},
        {"arrays": [{"name": "crops", "dtype": "uint8", "shape": [-1, 224, 224, 3]}]},
        {"arrays": [{"name": "crops", "dtype": "uint8", "shape": [10**9, 224, 224, 3]}]},
        {"arrays": [{"name": "crops", "dtype": "uint8", "shape": "all"}]},
        {"arrays": [{"name": "preview", "dtype": "uint8", "shape": [10**12]}]},
        {"arrays": [{"name": "vectors", "dtype": "float64", "shape": [1]}]},
        {"sound": 1},
        {"sound": True},
        {"sound": "many"},
    ],
    ids=str,
)
def test_nonsense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        answer(frame(GOOD | changes))


def test_texts_that_no_database_takes_are_cleaned() -> None:
    facts = {"camera": "a\0b \ud800"}
    assert answer(frame(GOOD | {"facts": facts})).result.facts.camera == "ab ?"
    said = {"code": "corrupt", "message": "'\udce9.png'\0", "hint": ""}
    assert answer(frame({"rss": 1, "error": said})).result.message == "'?.png'"


def test_whole_pictures_of_other_crops() -> None:
    with pytest.raises(ProtocolError):
        answer(Reply(replace(FULL, whole=FULL.whole[:1]), 1))


def test_the_same_array_twice() -> None:
    preview = {"name": "preview", "dtype": "uint8", "shape": [1]}
    with pytest.raises(ProtocolError):
        answer(frame(GOOD | {"arrays": [preview, preview]}, b"xx"))


@pytest.mark.parametrize("sample", ["nan", "inf", "2e6"])
def test_sound_that_is_no_number(sample: str) -> None:
    with pytest.raises(ProtocolError, match="no numbers"):
        answer(frame({"samples": 1}, np.float32(sample).tobytes()), frame(GOOD | {"sound": 1}))


@pytest.mark.parametrize("count", [0, -1, True, "1", PIECE_SECONDS * SOUND_RATE + 1, 10**400])
def test_pieces_of_sound_that_are_none(count: object) -> None:
    with pytest.raises(ProtocolError, match="more sound than is allowed"):
        answer(frame({"samples": count}))


def test_more_sound_than_is_allowed_is_not_taken() -> None:
    piece = frame({"samples": SOUND_RATE}, bytes(4 * SOUND_RATE))
    with pytest.raises(ProtocolError, match="more sound than is allowed"):
        answer(*[piece] * 3, heard=ReceivedSound(2 - PIECE_SECONDS))
    with pytest.raises(ProtocolError, match="again and again"):
        answer(*[frame({"restart": True})] * 17)


def test_a_sound_is_sent_while_it_is_decoded_and_can_be_begun_anew() -> None:
    heard = np.random.default_rng(1).normal(size=25 * SOUND_RATE).astype(np.float32)
    reading, writing = os.pipe()

    def send() -> None:
        sound = SentSound(writing)
        for _ in range(2):
            sound.restart()
            for second in np.split(heard, 25):
                sound.add(second)
        write_reply(writing, Reply(replace(FULL, sound=sound), 1))

    thread = threading.Thread(target=send)
    thread.start()
    got = read_reply(reading, Deadline(30)).result
    thread.join()
    assert isinstance(got, Decoded)
    np.testing.assert_allclose(got.sound.samples(), heard / np.abs(heard).max(), atol=1e-6)


def test_sound_gives_a_decoder_more_time() -> None:
    deadline = Deadline(1e-9)
    reading, writing = os.pipe()
    os.write(writing, frame({"samples": 1600}, bytes(6400)))
    header = read_header(reading, Deadline(5))
    assert ReceivedSound().take(header, reading, Deadline(5))
    with pytest.raises(DeadlineExceeded):
        deadline.wait(reading)
    deadline.extend(0.1)
    os.write(writing, b"x")
    deadline.wait(reading)


@pytest.mark.parametrize(
    "data",
    [struct.pack(">I", MOST_HEADER_BYTES + 1), struct.pack(">I", 4) + b"nope", frame([1]), frame("x"), b"\xff" * 64],
    ids=["too long", "no JSON", "a list", "a text", "noise"],
)
def test_headers_that_are_none(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        answer(data)


@pytest.mark.parametrize("data", [b"", b"\0\0", struct.pack(">I", 10) + b"{", frame(GOOD)[:-1]])
def test_a_reply_that_breaks_off(data: bytes) -> None:
    with pytest.raises(PipeClosed):
        answer(data)


def test_a_reply_that_does_not_come() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\0\0")
    with pytest.raises(DeadlineExceeded):
        read_reply(reading, Deadline(0.05))
    os.close(writing)
    os.close(reading)


def test_time_in_which_this_process_stood_still_is_not_held_against_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x")
    deadline = Deadline(5)
    with monkeypatch.context() as patch:
        patch.setattr("workers.decode.sandbox.frames.time.monotonic", itertools.count(step=3600.0).__next__)
        deadline.wait(reading)
        deadline.wait(reading)
    os.close(writing)
    os.close(reading)
