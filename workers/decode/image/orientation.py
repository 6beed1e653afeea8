"""Turn stills upright: the one place that says which formats still lie after they are decoded.

Pillow turns a TIFF, and pillow-heif a HEIF, while they load: a HEIF by irot and imir alone. Its EXIF repeats these, and
says nothing on its own: a file with an orientation in EXIF only is shown as it is stored, as other viewers show it.
Everything else lies as its EXIF says.
Source: CIPA DC-008 (EXIF 2.32), tag Orientation; ISO/IEC 23008-12, 6.5.10 and annex A.
"""

from __future__ import annotations

from PIL import Image

from workers.decode.metadata.exif import orientation_of

_TURNED_ON_LOADING = frozenset({"TIFF", "HEIF"})
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that undoes each EXIF orientation."""


def remaining_orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8, by which a loaded picture still has to be turned."""
    return 1 if picture.format in _TURNED_ON_LOADING else orientation_of(picture)


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height after :func:`upright`."""
    return (size[1], size[0]) if orientation >= 5 else size
