"""Read the metadata of a camera's raw file from the file itself, for files that are a TIFF inside."""

from __future__ import annotations

import struct
import warnings
from typing import IO

from PIL import Image

from workers.decode.metadata.pictures import directory_sources
from workers.decode.metadata.quantities import tolerant
from workers.decode.metadata.sources import SourceFacts

_ORDERS = {b"II": "<", b"MM": ">"}


def raw_sources(file: IO[bytes]) -> tuple[SourceFacts, ...]:
    """What the directories of a raw file say (DNG, NEF, CR2, ARW, ORF, RW2, …); nothing where it is no TIFF.

    Only directories are read, no pixels. The position in the file is where it was before.
    """
    at = file.tell()
    file.seek(0)
    try:
        return tolerant(lambda: _read(file)) or ()
    finally:
        file.seek(at)


def _read(file: IO[bytes]) -> tuple[SourceFacts, ...]:
    head = file.read(8)
    exif = Image.Exif()
    exif.endian = _ORDERS[head[:2]]
    (first,) = struct.unpack(f"{exif.endian}I", head[4:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exif.load_from_fp(file, first)
        return tuple(directory_sources(exif))
