"""Names of XMP sidecars: files beside a picture or recording that hold what an editor knows of it.

Only names; ``workers.decode.metadata.sidecar`` reads the files. Lightroom and exiftool write ``a.xmp`` beside
``a.jpg``, darktable and digiKam ``a.jpg.xmp``.
"""

from __future__ import annotations

import os

_EXTENSION = "xmp"
_SPELLINGS = (
    *(_EXTENSION, _EXTENSION.upper(), _EXTENSION.title()),
    *("xMp", "xmP", "xMP", "XmP", "XMp"),
)
"""Every case of the extension, the usual ones first."""


def is_sidecar(name: str) -> bool:
    """Whether a file of this name can be a sidecar of another: ``.xmp`` after something, in either case."""
    stem, dot, extension = name.rpartition(".")
    return bool(stem and dot) and extension.lower() == _EXTENSION


def sidecar_names(name: str) -> tuple[str, ...]:
    """Names that sidecars of the file ``name`` in the same folder can have, the one that decides first.

    ``a.jpg.xmp`` comes before ``a.xmp``, which may belong to ``a.cr2`` too. Of one that is written in several cases,
    the first that exists counts. Empty for a sidecar itself.

    Args:
        name: a name, no path.
    """
    if is_sidecar(name):
        return ()
    stems = dict.fromkeys((name, os.path.splitext(name)[0]))  # noqa: PTH122  (a name may end with a dot)
    return tuple(f"{stem}.{extension}" for stem in stems for extension in _SPELLINGS)
