"""Copies, edits and broken files of the sample library, as a real library has them."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingest.sample.pictures import encode_picture
from ingest.sample.plan import SampleFile, SampleItem, generator
from ingest.sample.recording import encode_film, encode_sound
from search.media import Kind

Pixels: TypeAlias = NDArray[np.uint8]

EXACT_COPIES = {
    "copies/backup/mountain-lake-01.jpg": "photographers/ines-calloway/mountain-lake-01.jpg",
    "copies/backup/lighthouse by Samuel.jpg": "photographers/samuel-okoro-lind/lighthouse-01.jpg",
    "copies/backup/guitar-morning (1).flac": "sounds/guitar/guitar-morning.flac",
    "copies/backup/sailing (copy).mp4": "videos/waves/sailing.mp4",
}
"""Path of a copy to the path of its original, byte by byte the same."""


def resized(pixels: Pixels) -> Pixels:
    """Half the size: uint8 (rows, columns, 3) to (rows // 2, columns // 2, 3)."""
    height, width = pixels.shape[:2]
    smaller: Pixels = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return smaller


def cropped(pixels: Pixels) -> Pixels:
    """Without a margin of 4 %: uint8 (rows, columns, 3)."""
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(pixels[height // 25 : -height // 25, width // 25 : -width // 25])


def recoloured(pixels: Pixels) -> Pixels:
    """With warmer colours: uint8 (rows, columns, 3)."""
    warmer = pixels.astype(np.float32) * np.array([1.10, 1.0, 0.86], np.float32)
    return np.clip(warmer, 0, 255).astype(np.uint8)


def same(pixels: Pixels) -> Pixels:
    """Unchanged: uint8 (rows, columns, 3)."""
    return pixels


EDITED_PICTURES: dict[str, tuple[str, str, Callable[[Pixels], Pixels], int]] = {
    "copies/edits/flower-small.jpg": ("photographers/ines-calloway/flower-01.jpg", "resized", resized, 88),
    "copies/edits/fruit-bowl-low-quality.jpg": ("photographers/aiko-brandt/fruit-bowl-01.jpg", "re-encoded", same, 40),
    "copies/edits/balloons-cropped.jpg": (
        "photographers/samuel-okoro-lind/hot-air-balloons-01.jpg",
        "cropped",
        cropped,
        90,
    ),
    "copies/edits/sailing-boat-warmer.jpg": (
        "photographers/lucia-ferrante/sailing-boat-01.jpg",
        "recoloured",
        recoloured,
        90,
    ),
    "copies/edits/starry-sky-web.webp": ("photographers/ines-calloway/starry-sky-02.jpg", "re-encoded", resized, 70),
}
"""Path of an edit to its original, what was done, how, and the quality it was saved with."""

EDITED_SOUND = ("copies/edits/temple-bell-small.mp3", "sounds/bell/temple-bell.wav")
EDITED_FILM = ("copies/edits/lake-panorama-small.webm", "videos/pan/lake-panorama.mp4")
BROKEN_PICTURE = "broken/interrupted-download.jpg"
BROKEN_FILM = "broken/unfinished-recording.mp4"


def copy_items() -> list[SampleItem]:
    """Exact and edited copies; their originals must have been made."""
    items = []
    for path, original in EXACT_COPIES.items():
        file = SampleFile(path, kind_of(path), copy_of=original)
        items.append(SampleItem(file, partial(read, original)))
    for path, (original, edit, change, quality) in EDITED_PICTURES.items():
        file = SampleFile(path, Kind.IMAGE, edit_of=original, edit=edit)
        items.append(SampleItem(file, partial(edit_picture, original, change, path.rpartition(".")[2], quality)))
    for (path, original), kind, make in (
        (EDITED_SOUND, Kind.AUDIO, reencode_sound),
        (EDITED_FILM, Kind.VIDEO, reencode_film),
    ):
        file = SampleFile(path, kind, edit_of=original, edit="re-encoded")
        items.append(SampleItem(file, partial(make, original, path.rpartition(".")[2])))
    return items


def broken_items() -> list[SampleItem]:
    """A picture and a film that no decoder can read."""
    return [
        SampleItem(SampleFile(BROKEN_PICTURE, Kind.IMAGE, broken=True), broken_picture),
        SampleItem(SampleFile(BROKEN_FILM, Kind.VIDEO, broken=True), broken_film),
    ]


def kind_of(path: str) -> Kind:
    """Kind by extension."""
    return {"jpg": Kind.IMAGE, "flac": Kind.AUDIO, "mp4": Kind.VIDEO}[path.rpartition(".")[2]]


def read(original: str, folder: Path) -> bytes:
    """The bytes of a file of the library."""
    return (folder / original).read_bytes()


def edit_picture(
    original: str, change: Callable[[Pixels], Pixels], extension: str, quality: int, folder: Path
) -> bytes:
    """A changed copy of a picture of the library, encoded again."""
    with Image.open(folder / original) as image:
        pixels = np.asarray(image.convert("RGB"))
    return encode_picture(change(pixels), extension, quality=quality)


def reencode_sound(original: str, extension: str, folder: Path) -> bytes:
    """A sound of the library in another format."""
    with av.open(folder / original) as container:
        stream = container.streams.audio[0]
        blocks = [frame.to_ndarray()[0] for frame in container.decode(stream)]
        rate = stream.rate
    return encode_sound(np.concatenate(blocks) / 32_768, rate, extension)


def reencode_film(original: str, extension: str, folder: Path) -> bytes:
    """A film of the library in another format and half the size, without sound."""
    with av.open(folder / original) as container:
        stream = container.streams.video[0]
        rate = round(float(stream.average_rate or 16))
        frames = [resized(frame.to_ndarray(format="rgb24").astype(np.uint8)) for frame in container.decode(stream)]
    height, width = frames[0].shape[:2]
    return encode_film(frames, (width, height), rate, extension)


def broken_picture(folder: Path) -> bytes:
    """The first 400 bytes of a JPEG: its headers without the picture."""
    buffer = io.BytesIO()
    noise = generator(BROKEN_PICTURE).integers(0, 255, (240, 320, 3), np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()[:400]


def broken_film(folder: Path) -> bytes:
    """An MP4 whose recording was cut off: media data without the index, which is written last."""
    header = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    return header + b"\x00\x00\x40\x00mdat" + generator(BROKEN_FILM).bytes(8000)
