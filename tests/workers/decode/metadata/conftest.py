"""Pictures whose metadata are written byte by byte, so that each encoding and each mistake can be."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from workers.decode.decoded import MediaFacts

Tag = tuple[int, bytes]
"""Type of a TIFF tag and its bytes."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8}

_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "dc": "http://purl.org/dc/elements/1.1/",
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
    }.items()
)


def ascii_tag(value: str | bytes) -> Tag:
    return 2, (value.encode() if isinstance(value, str) else value) + b"\0"


def rationals(*values: tuple[int, int]) -> Tag:
    return 5, b"".join(struct.pack("<II", *value) for value in values)


def tiff(*directories: Mapping[int, Tag], pointers: Sequence[int] = (0x8769, 0x8825)) -> bytes:
    """A TIFF header and directories: the first one points at the others, by ``pointers``."""
    blocks: list[bytes] = []
    at = 8
    starts: list[int] = []
    for tags in reversed(directories[1:]):
        block = _directory(at, tags)
        blocks.append(block)
        starts.insert(0, at)
        at += len(block)
    links = {p: (4, struct.pack("<I", start)) for p, start in zip(pointers, starts, strict=False)}
    blocks.append(_directory(at, {**directories[0], **links}))
    return b"II*\0" + struct.pack("<I", at) + b"".join(blocks)


def _directory(start: int, tags: Mapping[int, Tag]) -> bytes:
    extra_at = start + 2 + 12 * len(tags) + 4
    packed, extra = b"", b""
    for tag, (kind, value) in sorted(tags.items()):
        if len(value) <= 4:
            content = value.ljust(4, b"\0")
        else:
            content = struct.pack("<I", extra_at + len(extra))
            extra += value + b"\0" * (len(value) % 2)
        packed += struct.pack("<HHI", tag, kind, len(value) // _SIZES[kind]) + content
    return struct.pack("<H", len(tags)) + packed + struct.pack("<I", 0) + extra


def iim(*sets: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, record, number, len(raw)) + raw for record, number, raw in sets)


def photoshop(resources: Mapping[int, bytes]) -> bytes:
    blocks = (
        b"8BIM" + struct.pack(">HHI", id_, 0, len(raw)) + raw + b"\0" * (len(raw) % 2) for id_, raw in resources.items()
    )
    return b"".join(blocks)


def xmp(properties: str = "", attributes: str = "") -> str:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {_NAMESPACES} {attributes}>{properties}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def creator(name: str) -> str:
    return xmp(f"<dc:creator><rdf:Seq><rdf:li>{name}</rdf:li></rdf:Seq></dc:creator>")


def jpeg(exif: bytes = b"", packet: bytes | str = b"", iptc: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), (90, 120, 40)).save(buffer, "JPEG")
    plain = buffer.getvalue()
    packet = packet.encode() if isinstance(packet, str) else packet
    segments = b""
    for marker, raw in (
        (0xE1, b"Exif\0\0" + exif if exif else b""),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet if packet else b""),
        (0xED, b"Photoshop 3.0\0" + photoshop({0x0404: iptc}) if iptc else b""),
    ):
        if raw:
            segments += struct.pack(">BBH", 0xFF, marker, len(raw) + 2) + raw
    return plain[:2] + segments + plain[2:]


def png(*chunks: tuple[bytes, bytes], late: bool = False) -> bytes:
    """A PNG with further chunks before its pixels, or behind them."""
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), (90, 120, 40)).save(buffer, "PNG")
    plain = buffer.getvalue()
    made = b"".join(
        struct.pack(">I", len(raw)) + name + raw + struct.pack(">I", zlib.crc32(name + raw)) for name, raw in chunks
    )
    at = plain.index(b"IEND" if late else b"IDAT") - 4
    return plain[:at] + made + plain[at:]


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The functions above."""
    functions = (ascii_tag, rationals, tiff, iim, photoshop, xmp, creator, jpeg, png)
    return SimpleNamespace(**{function.__name__: function for function in functions})


@pytest.fixture
def facts_of(decode: Callable[..., object], tmp_path: Path) -> Callable[..., MediaFacts]:
    """Facts of a file of these bytes."""

    def run(content: bytes, name: str = "a.jpg") -> MediaFacts:
        path = tmp_path / name
        path.write_bytes(content)
        return decode(path).facts  # type: ignore[attr-defined,no-any-return]

    return run
