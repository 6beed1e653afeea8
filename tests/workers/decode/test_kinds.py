from __future__ import annotations

import pytest

from search.media import Kind
from workers.decode.kinds import (
    AUDIO_EXTENSIONS,
    IMAGE_EXTENSIONS,
    VIDEO_EXTENSIONS,
    Family,
    is_raw_name,
    kind_of_name,
    sniff,
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/a/b.JPG", Kind.IMAGE),
        ("x.heic", Kind.IMAGE),
        ("x.nef", Kind.IMAGE),
        ("x.tar.webm", Kind.VIDEO),
        ("x.m2ts", Kind.VIDEO),
        ("x.Opus", Kind.AUDIO),
        ("x.txt", None),
        ("jpg", None),
        (".jpg", None),
        ("", None),
    ],
)
def test_the_extension_says_the_kind(name: str, kind: Kind | None) -> None:
    assert kind_of_name(name) is kind


def test_no_extension_has_two_kinds() -> None:
    assert not IMAGE_EXTENSIONS & VIDEO_EXTENSIONS
    assert not IMAGE_EXTENSIONS & AUDIO_EXTENSIONS
    assert not VIDEO_EXTENSIONS & AUDIO_EXTENSIONS


def test_raw_names_are_pictures() -> None:
    assert is_raw_name("IMG_1.CR2")
    assert kind_of_name("IMG_1.CR2") is Kind.IMAGE
    assert not is_raw_name("IMG_1.tif")


@pytest.mark.parametrize(
    ("head", "family"),
    [
        (b"\xff\xd8\xff\xe0", Family.PICTURE),
        (b"\xff\xd8\xff\xf7", Family.UNKNOWN),
        (b"\0\0\0\x1cftypavif", Family.PICTURE),
        (b"\0\0\0\x1cftypisom", Family.STREAMS),
        (b"\0\0\0\x18ftypcrx ", Family.RAW),
        (b"\0\0\0\x08wide", Family.STREAMS),
        (b"RIFF\0\0\0\0WEBP", Family.PICTURE),
        (b"RIFF\0\0\0\0AVI ", Family.STREAMS),
        (b"FORM\0\0\0\0AIFF", Family.STREAMS),
        (b"FORM\0\0\0\0ILBM", Family.UNKNOWN),
        (b"\x0eB\0\0\x12\xaf\x01\0\x80\0\x80\0\x08\0\x03\0", Family.PICTURE),
        (b"\x0eB\0\0\x12\xaf of something else", Family.UNKNOWN),
        (b"P7 332\n", Family.PICTURE),
        (b"P7 is how this text begins", Family.UNKNOWN),
        (b"plain text", Family.UNKNOWN),
        (b"", Family.UNKNOWN),
    ],
)
def test_the_first_bytes_say_the_decoder(head: bytes, family: Family) -> None:
    assert sniff(head) is family
