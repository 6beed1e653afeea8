"""Decode pictures whose file is cut or damaged as far as they go, and measure how much of them is missing."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImagePalette, PngImagePlugin

from search.errors import CorruptMediaError
from workers.decode.image.scans import ProgressiveScan, scans_of, share_missing

MOST_MISSING = 0.5
"""Share of a picture that may be missing; with more it says too little."""

_SALVAGED = frozenset({"JPEG", "MPO", "PNG", "GIF", "TIFF", "BMP", "DIB", "PPM", "TGA"})
"""Formats whose decoders write rows as they come."""
_LEVELS = (0, 255)
"""What the pixels are before two decodes: those that still differ afterwards were not written."""

_FILL, _FILL_SLACK, _LEAST_RUN = 128, 2, 8
"""Gray that libjpeg fills with, levels from it that count, and the least pixels of it at the end of a row."""
_REACH_SIDE = 640
_NOTHING = 1e-9

_CODESTREAM, _CODESTREAM_END = b"\xff\x4f\xff\x51", b"\xff\xd9"
"""Of JPEG 2000. Source: Recommendation ITU-T T.800, table A.2."""
_VALUE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of one value by TIFF's number of its type. Source: TIFF Revision 6.0, pp. 15 and 16."""

PngImagePlugin.MAX_TEXT_MEMORY = 64 << 20

Open = Callable[[], Image.Image]
"""Opens the picture anew, its page chosen, nothing loaded."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A loaded picture and the share of it that is missing, None where it is whole."""

    picture: Image.Image
    missing: float | None


def salvaged(
    picture: Image.Image, open_again: Open, error: Exception, name: str, reason: str | None = None
) -> Salvaged:
    """What can be had of a picture that did not load.

    Args:
        error: what its decoder said.
        reason: why it is so, if that is known better.

    Raises:
        CorruptMediaError: less than half of it is there.
    """
    if picture.format not in _SALVAGED:
        raise error
    with tolerant_of_cuts():
        again = open_again()
    try:
        again.load()  # what is broken may have no pixels in it, such as a comment of a PNG
    except (OSError, SyntaxError, ValueError, EOFError, IndexError):
        pass
    else:
        return Salvaged(again, None)
    with tolerant_of_cuts():
        if picture.format in ("JPEG", "MPO"):
            missing, again = _missing_of_jpeg(open_again), open_again()
            if missing <= MOST_MISSING:
                again.load()
        else:
            missing, again = _missing_rows(open_again)
    if missing > MOST_MISSING:
        raise CorruptMediaError(
            f"'{name}' is cut or damaged: only {1 - missing:.0%} of the picture can be read "
            f"({reason or _plain(error)})."
        )
    return Salvaged(again, max(1e-4, round(missing, 4)) if missing > _NOTHING else None)


@contextmanager
def tolerant_of_cuts() -> Iterator[None]:
    """Pillow decodes as far as it comes. Its switch is global; this process decodes one picture at a time."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _missing_rows(open_again: Open) -> tuple[float, Image.Image]:
    """Share of the pixels that the decoder did not write, and the picture, in which these are mid-gray."""
    decoded = [_prefilled(open_again(), level) for level in _LEVELS]
    first, second = (np.asarray(picture) for picture in decoded)
    if first.shape != second.shape:
        return 1.0, decoded[0]
    unwritten: npt.NDArray[np.bool_] = np.not_equal(first, second)
    if unwritten.ndim == 3:
        unwritten = np.asarray(unwritten.any(axis=-1))
    missing = float(unwritten.mean())
    if 0 < missing <= MOST_MISSING:
        _fill(decoded[0], unwritten)
    return missing, decoded[0]


def _prefilled(picture: Image.Image, level: int) -> Image.Image:
    """The picture, decoded over pixels of one value as far as it goes."""
    bands = Image.getmodebands(picture.mode)
    if getattr(picture, "_frame_transparency", None) is not None:
        picture._frame_transparency = level  # type: ignore[attr-defined]  # what Pillow fills a GIF with
    picture.im = Image.new(picture.mode, picture.size, level if bands == 1 else (level,) * bands).im
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError):
        picture.tile = []  # type: ignore[attr-defined]
    return picture


def _fill(picture: Image.Image, unwritten: npt.NDArray[np.bool_]) -> None:
    """Give pixels without a value that of the last one above or, in rows that have some, to the left of them, so that
    interlaced pictures look coarse and not torn; rows before the first and after the last become mid-gray."""
    pixels = np.array(picture)
    rows = np.asarray((~unwritten).any(axis=1))
    first, last = (int(np.flatnonzero(rows)[at]) for at in (0, -1)) if rows.any() else (0, -1)
    outside = np.ones(len(rows), np.bool_)
    outside[first : last + 1] = False
    if unwritten[first : last + 1].any():
        known = np.where(~unwritten, np.arange(unwritten.shape[1]), 0)
        pixels = np.take_along_axis(pixels, _spread(np.maximum.accumulate(known, axis=1), pixels.ndim), axis=1)
        above = np.maximum.accumulate(np.where(rows, np.arange(unwritten.shape[0]), 0))
        pixels[first : last + 1] = pixels[above[first : last + 1]]
    bits = picture.mode == "1"
    if picture.mode != "P" and not bits:
        pixels[outside] = _FILL if pixels.dtype == np.uint8 else pixels[~outside].mean() if last >= 0 else 0
    elif picture.palette is not None:
        pixels[outside] = _grayest(picture.palette)
    filled = Image.frombytes(
        picture.mode, picture.size, np.packbits(pixels, -1).tobytes() if bits else pixels.tobytes()
    )
    picture.im = filled.im
    if picture.palette is not None:
        picture.palette.dirty = 1


def _grayest(palette: ImagePalette.ImagePalette) -> int:
    """Number of the colour nearest to mid-gray."""
    colours = np.frombuffer(palette.tobytes(), np.uint8).reshape(-1, len(palette.mode))[:, :3]
    return int(np.abs(colours.astype(int) - _FILL).sum(axis=1).argmin())


def _spread(index: npt.NDArray[np.intp], dimensions: int) -> npt.NDArray[np.intp]:
    return index if dimensions == 2 else index[..., np.newaxis]


def _missing_of_jpeg(open_again: Open) -> float:
    """Share of a JPEG that is missing."""
    picture = open_again()
    if picture.info.get("progressive"):
        data = _bytes_of(picture)
        known = scans_of(data)
        return share_missing(known, _reach_of_last(data, known[-1]) if known else 0.0)
    decoded = []
    for level in _LEVELS:
        again = open_again()
        again._ended = True  # type: ignore[attr-defined]  # Pillow would add an end marker, and libjpeg fill with gray
        decoded.append(np.asarray(_prefilled(again, level)))
    written = (decoded[0] == decoded[1]).reshape(len(decoded[0]), -1).all(axis=1)
    sure = int(np.flatnonzero(written)[-1]) + 1 if written.any() else 0
    whole = open_again()
    whole.load()
    return _gray_end(np.asarray(whole.convert("L"), np.int16)[sure:]) / max(1, whole.width * whole.height)


def _gray_end(rest: npt.NDArray[np.int16]) -> int:
    """Pixels that libjpeg filled with gray: without the next block it holds back those before, so that the rows that
    it gave only with a made-up end marker count as missing from where nothing but its gray follows."""
    other = np.abs(rest - _FILL) > _FILL_SLACK
    runs = np.where(other.any(axis=1), np.argmax(other[:, ::-1], axis=1), rest.shape[1])
    return int(runs[runs >= _LEAST_RUN].sum())


def _reach_of_last(data: bytes, scan: ProgressiveScan) -> float:
    """Share of the rows that the last scan of a progressive JPEG reaches: the last that its last bytes change."""
    rows = []
    for part in (data[: scan.end - (scan.end - scan.start) // 16 - 1], data[: scan.end]):
        with Image.open(io.BytesIO(part + b"\xff\xd9"), formats=("JPEG",)) as picture:
            picture.draft(None, (_REACH_SIDE, _REACH_SIDE))
            try:
                picture.load()
            except (OSError, SyntaxError, ValueError):
                return 0.0
            rows.append(np.asarray(picture.convert("RGB")))
    changed = np.flatnonzero((rows[0] != rows[1]).reshape(len(rows[0]), -1).any(axis=1))
    block = max(1, 16 * len(rows[0]) // max(1, picture.height))
    reached = int(changed[-1]) + 1 if changed.size else 0
    return 1.0 if reached + block >= len(rows[0]) else reached / len(rows[0])


def _bytes_of(picture: Image.Image) -> bytes:
    file = picture.fp  # type: ignore[attr-defined]
    assert file is not None
    file.seek(0)
    return bytes(file.read())


def _plain(error: Exception) -> str:
    return f"{error}".rstrip(".") or type(error).__name__


def ends_early(file: IO[bytes]) -> str | None:
    """Words for a file that is shorter than its own header says; None where it is not, or does not say."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF":
        declared = int.from_bytes(head[4:8], "little") + 8
    elif head[4:8] == b"ftyp":
        declared = _boxes_end(file, size)
    elif head[4:8] == b"jP  " or head[:4] == _CODESTREAM:
        file.seek(-2, os.SEEK_END)
        return None if file.read(2) == _CODESTREAM_END else "its file ends early: the end marker is not there"
    elif head[:4] in (b"II*\0", b"MM\0*"):
        return _tiff_ends_early(file, head, size)
    else:
        return None
    return f"its file ends early: {size:,} of {declared:,} bytes are there" if declared > size else None


def _tiff_ends_early(file: IO[bytes], head: bytes, size: int) -> str | None:
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    at = int.from_bytes(head[4:8], order)
    file.seek(min(at, size))
    entries = int.from_bytes(file.read(2), order)
    table = file.read(12 * entries)
    if len(table) < 12 * max(1, entries):
        return f"its file ends early: it has {size:,} bytes, and its directory is at {at:,}"
    end = 0
    for start in range(0, len(table), 12):
        kind, count, value = (
            int.from_bytes(table[start + first : start + last], order) for first, last in ((2, 4), (4, 8), (8, 12))
        )
        length = count * _VALUE_SIZES.get(kind, 0)
        if length > 4:
            end = max(end, value + length)
    if end <= size:
        return None
    return f"its file ends early: it has {size:,} bytes, and values of its directory reach to {end:,}"


def _boxes_end(file: IO[bytes], size: int) -> int:
    """Where the last box of an ISO base media file ends, by its header."""
    at = 0
    for _ in range(1000):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        length = int.from_bytes(head[:4], "big")
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            break
        at += length
        if at >= size:
            break
    return at


def beginning_later(file: IO[bytes], most: int = 1 << 16) -> io.BytesIO | None:
    """The picture behind junk at the start of a file; None where there is none in the first ``most`` bytes."""
    file.seek(0)
    head = file.read(most)
    starts = [at for mark in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n") if (at := head.find(mark)) > 0]
    if not starts:
        return None
    file.seek(min(starts))
    return io.BytesIO(file.read())
