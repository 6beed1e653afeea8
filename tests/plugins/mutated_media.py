"""Small media of every kind, drawn by code or taken from a folder, and 156 ways in which they are damaged; the same for
the same seed."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from search.errors import MEDIA_ERRORS, MediaError
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool

SEED, COUNT = 14, 156
TIMEOUT_S, MEMORY_MB = 20.0, 1024

PICTURES = ("jpg", "png", "gif", "tif", "bmp", "webp", "heic", "avif", "psd", "nef")
FILMS = {"mp4": "libx264", "mov": "mpeg4", "mkv": "libx264", "avi": "mpeg4", "webm": "libvpx"}
SOUNDS = {"mp3": "libmp3lame", "wav": "pcm_s16le", "flac": "flac", "ogg": "libopus", "m4a": "aac", "aac": "aac"}
KINDS = (*PICTURES, *FILMS, *SOUNDS)
_MUXERS = {"mkv": "matroska", "m4a": "mp4", "aac": "adts"}
_WIDTH, _HEIGHT = 96, 64
_BROKEN = frozenset({"broken_truncated", "fuzz_crash", "audio_broken", "avif_corrupt", "decompression_bomb"})


def drawn() -> dict[str, bytes]:
    """A whole file of each kind, by suffix."""
    return (
        {kind: _picture(kind) for kind in PICTURES}
        | {kind: _film(kind, codec) for kind, codec in FILMS.items()}
        | {kind: _sound(kind, codec) for kind, codec in SOUNDS.items()}
    )


def found(folder: Path, *, most: int = 400_000) -> dict[str, bytes]:
    """The smallest file of each kind below a folder that is no test of damage itself, by suffix."""
    smallest: dict[str, tuple[int, Path]] = {}
    for path in sorted(folder.rglob("*")):
        kind = path.suffix[1:].lower().replace("jpeg", "jpg").replace("tiff", "tif")
        if kind in KINDS and path.is_file() and _BROKEN.isdisjoint(path.parts):
            size = path.stat().st_size
            if 1000 < size < most and size < smallest.get(kind, (most, path))[0]:
                smallest[kind] = size, path
    return {kind: path.read_bytes() for kind, (_, path) in smallest.items()}


def mutated(whole: Mapping[str, bytes], seed: int = SEED) -> Iterator[tuple[str, dict[str, bytes]]]:
    """``COUNT`` cases: the name of the file to be decoded, and the files of its folder by name."""
    rng = random.Random(seed)
    cases = [(how, kind) for how in MUTATIONS for kind in KINDS]
    hostile = list(sidecars(rng)) + list(text_bombs())
    for at, (how, kind) in enumerate(cases[: COUNT - len(hostile)]):
        other = whole[rng.choice(KINDS)]
        name = f"{at:03}-{how}.{kind}"
        yield name, {name: MUTATIONS[how](bytearray(whole[kind]), other, rng)}
    for name, content, sidecar in hostile:
        yield name, {name: content or whole["jpg"]} | ({f"{name}.xmp": sidecar} if sidecar else {})


def _flip(data: bytearray, _: bytes, rng: random.Random) -> bytes:
    for _bit in range(max(3, len(data) // 400)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _flip_head(data: bytearray, _: bytes, rng: random.Random) -> bytes:
    for _bit in range(6):
        data[rng.randrange(4, min(200, len(data)))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _cut(data: bytearray, _: bytes, rng: random.Random) -> bytes:
    return bytes(data[: rng.randrange(len(data) // 10, len(data))])


def _huge_lengths(data: bytearray, _: bytes, rng: random.Random) -> bytes:
    """Numbers that may be lengths, sizes or offsets, as large as they can be."""
    for _field in range(4):
        at = rng.randrange(4, max(5, min(len(data) - 8, 600)))
        width = rng.choice((2, 4, 8))
        data[at : at + width] = rng.choice((b"\xff", b"\x7f")) + b"\xff" * (width - 1)
    return bytes(data)


def _spliced(data: bytearray, other: bytes, rng: random.Random) -> bytes:
    at, begin = rng.randrange(len(data)), rng.randrange(len(other))
    return bytes(data[:at]) + other[begin : begin + 2000] + bytes(data[at:])


def _repeated(data: bytearray, _: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.randrange(16, 512)
    return bytes(data[:at]) + bytes(data[at : at + length]) * 50 + bytes(data[at:])


def _holes(data: bytearray, _: bytes, rng: random.Random) -> bytes:
    for _hole in range(3):
        at = rng.randrange(8, len(data))
        length = min(rng.randrange(8, 256), len(data) - at)
        data[at : at + length] = bytes(length)
    return bytes(data)


MUTATIONS: Mapping[str, Callable[[bytearray, bytes, random.Random], bytes]] = {
    "flipped": _flip,
    "flipped-head": _flip_head,
    "cut": _cut,
    "huge-lengths": _huge_lengths,
    "spliced": _spliced,
    "repeated": _repeated,
    "holes": _holes,
}

_XMP = (
    '<?xml version="1.0"?>{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" {attributes}>{inside}'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def sidecars(rng: random.Random) -> Iterator[tuple[str, bytes, bytes]]:
    """Names, nothing, and sidecars: bombs of XML, of a ZIP, and what is none."""
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    whole = _xmp(attributes='tiff:Model="Camera"')
    yield "laughs.jpg", b"", _xmp(before=f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>', inside="&l9;")
    big = f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'
    yield "quadratic.jpg", b"", _xmp(before=big, inside="&a;" * 20_000)
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    yield "external.jpg", b"", _xmp(before=outside, inside="<tiff:Model>&e;</tiff:Model>")
    yield "deep.jpg", b"", _xmp(inside="<tiff:a>" * 100_000 + "</tiff:a>" * 100_000)
    yield "long.jpg", b"", _xmp(attributes=f'tiff:Model="{"m" * 2_000_000}"')
    yield "numbers.jpg", b"", _xmp(attributes='exif:FNumber="1/0" exif:ExposureTime="9e999" exif:GPSLatitude="1e99N"')
    yield "zip.jpg", b"", b"PK\x03\x04" + zlib.compress(bytes(10_000_000))
    yield "cut.jpg", b"", whole[: len(whole) // 2]
    yield "noise.jpg", b"", rng.randbytes(5000)
    yield "utf16.jpg", b"", whole.decode().encode("utf-16")[:-1]


def text_bombs() -> Iterator[tuple[str, bytes, bytes]]:
    """Names, pictures whose compressed texts, profiles or pixels are far larger than they look, and no sidecar."""
    for name, kind, head in (("ztxt.png", b"zTXt", b"Comment\0\0"), ("iccp.png", b"iCCP", b"profile\0\0")):
        yield name, _with_chunk(_picture("png"), kind, head + zlib.compress(bytes(60_000_000), 9)), b""
    wide = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    yield "wide.png", b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", wide) + _chunk(b"IDAT", zlib.compress(b"")), b""
    plain = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    packed, row = zlib.compressobj(1), bytes(1 + 30_000 // 8)
    rows = b"".join(packed.compress(row * 1000) for _ in range(30)) + packed.flush()
    yield "plain.png", b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", plain) + _chunk(b"IDAT", rows), b""


def outcome(future: Future[Decoded]) -> tuple[str, object]:
    """What became of a file: a code of our vocabulary with nothing, or ``decoded`` with what was found. Words of errors
    may name the limit of a child."""
    error = future.exception()
    if error is not None:
        if not isinstance(error, MediaError) or error.code not in MEDIA_ERRORS:
            return f"no reason of ours: {error!r}", None
        return error.code, None
    decoded = future.result()
    arrays = (decoded.crops, decoded.whole, decoded.clips)
    shapes = [None if array is None else array.shape for array in arrays]
    shapes.append(None if decoded.sound is None else (len(decoded.sound),))
    same: dict[str, Any] = asdict(decoded.facts) | {"mime": decoded.mime, "shapes": shapes}
    return "decoded", same | {
        "kind": decoded.kind.value,
        "moments": decoded.moments,
        "fingerprints": decoded.fingerprints,
        "pixel_hash": decoded.pixel_hash,
        "crops": zlib.crc32(decoded.crops.tobytes()),
        "preview": decoded.preview,
    }


def pool_of(settings: Settings, sandbox: str) -> DecodePool:
    """Decoders with or without powers, of otherwise the same limits."""
    limits = {"decode_timeout": TIMEOUT_S, "decode_memory_mb": MEMORY_MB, "decoder_sandbox": sandbox}
    return DecodePool(settings.model_copy(update=limits))


def _picture(kind: str) -> bytes:
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    red = 127 + 120 * np.sin(x / 9 + y / 15)
    pixels = np.stack([red, np.where(x + y < 80, 220, 40), 255 * x / _WIDTH], -1).clip(0, 255).astype(np.uint8)
    picture, buffer = Image.fromarray(pixels), io.BytesIO()
    if kind == "psd":
        return _psd(pixels)
    if kind == "heic":
        pillow_heif.from_pillow(picture).save(buffer, quality=80)
        return buffer.getvalue()
    more: dict[str, Any] = {}
    if kind == "png":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_itxt("XML:com.adobe.xmp", _xmp(attributes='tiff:Model="Camera"').decode())
    elif kind in ("jpg", "webp", "avif", "tif", "nef"):
        exif = Image.Exif()
        exif[0x010F], exif[0x0110], exif[0x0132] = "Maker", "Camera", "2020:02:03 04:05:06"
        more["exif"] = exif
    elif kind == "gif":
        more |= {"save_all": True, "append_images": [picture.transpose(Image.Transpose.ROTATE_180)]}
    form = {"jpg": "JPEG", "tif": "TIFF", "nef": "TIFF"}.get(kind, kind.upper())
    picture.save(buffer, form, **more)
    return buffer.getvalue()


def _psd(pixels: Any) -> bytes:
    """A Photoshop file of one merged picture, not compressed. Source: "Adobe Photoshop File Formats Specification"."""
    height, width, _ = pixels.shape
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    return head + struct.pack(">III", 0, 0, 0) + struct.pack(">H", 0) + pixels.transpose(2, 0, 1).tobytes()


def _film(kind: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    rng = np.random.default_rng(SEED)
    with av.open(buffer, "w", format=_MUXERS.get(kind, kind)) as container:
        stream: Any = container.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for at in range(10):
            pixels = rng.integers(0, 256, (_HEIGHT // 8, _WIDTH // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            pixels[:, at * 8 : at * 8 + 16] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _sound(kind: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    seconds = np.arange(48_000) / 48_000
    tone = (8000 * np.sin(2 * np.pi * 440 * seconds * (1 + seconds))).astype(np.int16)[None]
    with av.open(buffer, "w", format=_MUXERS.get(kind, kind)) as container:
        stream: Any = container.add_stream(codec, rate=48_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.format, "mono", 48_000, stream.frame_size or 0)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _xmp(*, before: str = "", attributes: str = "", inside: str = "") -> bytes:
    return _XMP.format(before=before, attributes=attributes, inside=inside).encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    """A PNG with a further chunk behind its header."""
    return png[:33] + _chunk(kind, data) + png[33:]
