"""What each source says of a file, and which of them counts.

A file is described by several sources. For each fact the first that says something counts, in this order:

1. an XMP sidecar beside the file (``a.jpg.xmp`` before ``a.xmp``)
2. XMP in the file
3. IPTC-IIM in the file
4. EXIF; of a recording, the tags of its container and streams
5. PNG's texts (``Author``, ``Creation Time``)

Of dates, that of the original counts first, whichever source has it: ``exif:DateTimeOriginal``,
``photoshop:DateCreated``, IPTC 2:55, EXIF ``DateTimeOriginal``, a container's dates. Only where there is none, the
dates of digitisation count, and after these those of modification. Where another source says the same moment to more
precision (with its zone, say), that is taken.

Of authors, the first text counts that can be a name; a rights notice only where nobody is named as the author.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from search.photographers.photos.names import clean_name
from workers.decode.decoded import MediaFacts
from workers.decode.metadata.dates import completed
from workers.decode.metadata.quantities import Place

_T = TypeVar("_T")


class Source(IntEnum):
    """Where a fact stands; of two, the lower counts."""

    SIDECAR = 1
    XMP = 2
    IPTC = 3
    EXIF = 4
    TEXTS = 5


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What one source says of a file; units as in ``search.media.MediaRecord``.

    Attributes:
        authors: whoever it names, in its order.
        rights: its rights notice, which may name the author.
        original, digitised, modified: ISO 8601 dates, those that it names, the most telling first.
        place: latitude and longitude in degrees.
    """

    source: Source
    authors: tuple[str, ...] = ()
    rights: str | None = None
    original: tuple[str, ...] = ()
    digitised: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    camera: str | None = None
    lens: str | None = None
    iso: float | None = None
    aperture: float | None = None
    exposure: float | None = None
    focal_length: float | None = None
    place: Place | None = None


def merged(said: Iterable[SourceFacts]) -> MediaFacts:
    """The facts that count of what several sources say; of equal sources the earlier comes first."""
    ordered = sorted(said, key=lambda one: one.source)
    latitude, longitude = next((one.place for one in ordered if one.place is not None), (None, None))
    return MediaFacts(
        taken_at=_taken_at(ordered),
        camera=_first(one.camera for one in ordered),
        lens=_first(one.lens for one in ordered),
        iso=_first(one.iso for one in ordered),
        aperture=_first(one.aperture for one in ordered),
        exposure=_first(one.exposure for one in ordered),
        focal_length=_first(one.focal_length for one in ordered),
        latitude=latitude,
        longitude=longitude,
        artist=_artist(ordered),
    )


def _first(values: Iterable[_T | None]) -> _T | None:
    return next((value for value in values if value is not None), None)


def _taken_at(ordered: Sequence[SourceFacts]) -> str | None:
    kinds = ([one.original for one in ordered], [one.digitised for one in ordered], [one.modified for one in ordered])
    for said in kinds:
        dates = [date for several in said for date in several]
        if dates:
            return completed(dates[0], dates)
    return None


def _artist(ordered: Sequence[SourceFacts]) -> str | None:
    authors = [author for one in ordered for author in one.authors]
    named = next((author for author in authors if clean_name(author)), None)
    holder = next((name for one in ordered if (name := clean_name(one.rights))), None)
    return named or holder or next(iter(authors), None)


def camera_name(make: str | None, model: str | None) -> str | None:
    """Make and model without repeating the make: ``Canon`` and ``Canon EOS R5`` give ``Canon EOS R5``."""
    if not make or not model:
        return model or make
    if model.lower().startswith(make.split()[0].lower()):
        return model
    return f"{make} {model}"
