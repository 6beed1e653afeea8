"""Choose the page or frame that stands for a file with several: no reduced copies, no blank first frames.

Source of NewSubfileType: TIFF Revision 6.0, p. 36.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

_NEW_SUBFILE_TYPE, _REDUCED, _MASK = 254, 1, 4
_MOST_PAGES = 32
_CLEARLY_SMALLER = 0.5
"""Part of the pixels of another page of its proportions below which the first is a reduced copy."""
_PROPORTIONS = 0.03

_ANIMATIONS = frozenset({"GIF", "WEBP", "PNG", "AVIF"})
_FRAMES_TRIED = 8
_MOST_PIXELS = 200_000_000
"""Pixels that are decoded at most to look for a frame."""
_SIDE = 64
_UNREADABLE = (OSError, EOFError, ValueError, SyntaxError, Image.DecompressionBombError)
_PLAIN = 4.0
"""Standard deviation of the luma of a frame without content."""


def choose_page(picture: Image.Image) -> int:
    """Turn an opened TIFF to the page that stands for it; the number of that page.

    The first one is kept, as of scanned documents, unless it is a reduced copy of a larger one.
    """
    if picture.format != "TIFF":
        return 0
    sizes: list[tuple[int, int] | None] = []
    all_sizes: list[tuple[int, int] | None] = []
    try:
        for page in range(_MOST_PAGES):
            picture.seek(page)
            kind = picture.tag_v2.get(_NEW_SUBFILE_TYPE, 0)  # type: ignore[attr-defined]
            kind = kind if isinstance(kind, int) else 0
            all_sizes.append(picture.size)
            sizes.append(None if kind & (_REDUCED | _MASK) else picture.size)
    except (EOFError, OSError, ValueError, SyntaxError, TypeError, KeyError):
        pass
    chosen = _chosen(sizes if any(sizes) else all_sizes)
    picture.seek(chosen)
    return chosen


def _chosen(sizes: list[tuple[int, int] | None]) -> int:
    whole = [page for page, size in enumerate(sizes) if size]
    if not whole:
        return 0
    largest = max(whole, key=lambda page: (_area(sizes[page]), -page))
    first = sizes[0]
    if first is None:
        return largest
    return largest if _copies(first, sizes[largest]) else 0


def _area(size: tuple[int, int] | None) -> int:
    return size[0] * size[1] if size else 0


def _copies(small: tuple[int, int], large: tuple[int, int] | None) -> bool:
    """Whether one size is that of a reduced copy of the other."""
    if large is None or min(small) < 1 or _area(small) >= _CLEARLY_SMALLER * _area(large):
        return False
    across, down = large[0] / small[0], large[1] / small[1]
    return abs(across / down - 1) <= _PROPORTIONS + 1 / min(small)


def frame_with_content(picture: Image.Image) -> None:
    """Turn a loaded animation whose first frame is blank to the one of most detail among some evenly spaced ones."""
    if picture.format not in _ANIMATIONS or not getattr(picture, "is_animated", False) or _detail(picture) >= _PLAIN:
        return
    try:
        frames = int(getattr(picture, "n_frames", 1))
    except _UNREADABLE:
        frames = 1
    reach = min(frames, max(2, _MOST_PIXELS // max(1, picture.width * picture.height)))
    tried = sorted({round(at) for at in np.linspace(0, reach - 1, min(reach, _FRAMES_TRIED))})
    best, most = 0, _detail(picture)
    for frame in tried[1:]:
        try:
            picture.seek(frame)
            detail = _detail(picture)
        except _UNREADABLE:
            break
        if detail > most:
            best, most = frame, detail
    picture.seek(best)
    picture.load()


def _detail(picture: Image.Image) -> float:
    """Standard deviation of the luma, over gray where it is clear."""
    small = picture.convert("RGBA").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    gray = Image.new("RGBA", small.size, (128, 128, 128, 255))
    return float(np.asarray(Image.alpha_composite(gray, small).convert("L"), np.float32).std())
