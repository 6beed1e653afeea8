"""Settings as a 3-D look-up table in the format ``.cube``, which Photoshop, Resolve, darktable and FFmpeg open.

Source: Adobe, "Cube LUT Specification 1.0", 2013.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.develop.colours import developed
from search.photographers.develop.settings import Preset

SIZE = 33
"""Points along each of red, green and blue."""

_LONGEST_TITLE = 200


def table(preset: Preset, size: int = SIZE) -> NDArray[np.float64]:
    """Float64 ``(size³, 3)``: what becomes of evenly spaced colours, sRGB tones 0 to 1; red changes fastest.

    Vignette and grain are left out: they depend on the place, which no table of colours knows.
    """
    steps = np.linspace(0.0, 1.0, size)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return developed(np.stack([red, green, blue], axis=-1).reshape(-1, 3), preset)


def cube(preset: Preset, title: str) -> str:
    """Text of a ``.cube`` file of ``SIZE`` points a side.

    Args:
        title: what it is to be called; what the format cannot hold of it becomes ``_``.
    """
    shown = "".join(letter if letter.isascii() and letter.isprintable() and letter != '"' else "_" for letter in title)
    rows = "\n".join("{:.6f} {:.6f} {:.6f}".format(*row) for row in table(preset).tolist())
    return f'TITLE "{shown[:_LONGEST_TITLE]}"\nLUT_3D_SIZE {SIZE}\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n{rows}\n'
