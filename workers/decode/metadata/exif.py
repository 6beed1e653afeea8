"""Read EXIF's directories. Each tag is read on its own, and an impossible value counts as absent; MakerNotes are not
read.

Source of tags: CIPA DC-008 (EXIF 2.32 and 3.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

from workers.decode.metadata.dates import moment
from workers.decode.metadata.quantities import Place, degrees, place, positive, tolerant
from workers.decode.metadata.sources import Source, SourceFacts, camera_name
from workers.decode.metadata.texts import text

_Tags = Mapping[int, Any]
_Base, _Gps, _Ifd = ExifTags.Base, ExifTags.GPS, ExifTags.IFD

_PHOTOGRAPHER = 0xA437
"""Of EXIF 3.0, which Pillow does not name."""
_VOID = "V"
"""GPS status of a receiver without a fix."""


def exif_facts(exif: Image.Exif) -> SourceFacts:
    """What EXIF tags say; DateTimeOriginal and its like also where they stand in the first directory."""
    base = _readable(exif)
    shot = _below(exif, _Ifd.Exif)
    both = {**base, **shot}
    authors = (
        text(base.get(_Base.Artist)),
        text(both.get(_PHOTOGRAPHER)),
        text(base.get(_Base.XPAuthor), "utf-16-le"),
    )
    return SourceFacts(
        Source.EXIF,
        authors=tuple(author for author in authors if author),
        rights=text(base.get(_Base.Copyright)),
        original=_dates(both, _Base.DateTimeOriginal, _Base.OffsetTimeOriginal, _Base.SubsecTimeOriginal),
        digitised=_dates(both, _Base.DateTimeDigitized, _Base.OffsetTimeDigitized, _Base.SubsecTimeDigitized),
        modified=_dates(both, _Base.DateTime, _Base.OffsetTime, _Base.SubsecTime),
        camera=camera_name(text(base.get(_Base.Make)), text(base.get(_Base.Model))),
        lens=text(shot.get(_Base.LensModel)),
        iso=positive(shot.get(_Base.ISOSpeedRatings)),
        aperture=positive(shot.get(_Base.FNumber)),
        exposure=positive(shot.get(_Base.ExposureTime)),
        focal_length=positive(shot.get(_Base.FocalLength)),
        place=_place(_below(exif, _Ifd.GPSInfo)),
    )


def directory(picture: Image.Image, ifd: int) -> _Tags:
    """The tags of one of EXIF's directories; empty when it is absent or broken."""
    exif = tolerant(picture.getexif)
    return {} if exif is None else _below(exif, ifd)


def _below(exif: Image.Exif, ifd: int) -> _Tags:
    return _readable(tolerant(lambda: exif.get_ifd(ifd)) or {})


def _readable(tags: Any) -> dict[int, Any]:
    """The tags that can be read, each on its own: one that is broken takes no other with it."""
    found = {tag: tolerant(lambda tag=tag: tags[tag]) for tag in tolerant(lambda: list(tags)) or ()}  # type: ignore[misc]
    return {tag: value for tag, value in found.items() if value is not None}


def orientation_of(picture: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 when absent or invalid."""
    value = tolerant(lambda: picture.getexif().get(_Base.Orientation))
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _dates(tags: _Tags, written: int, zone: int, fraction: int) -> tuple[str, ...]:
    found = moment(text(tags.get(written)), text(tags.get(zone)), text(tags.get(fraction)))
    return (found,) if found else ()


def _place(gps: _Tags) -> Place | None:
    if (text(gps.get(_Gps.GPSStatus)) or "").upper() == _VOID:
        return None
    return place(
        degrees(gps.get(_Gps.GPSLatitude), text(gps.get(_Gps.GPSLatitudeRef)), 90.0),
        degrees(gps.get(_Gps.GPSLongitude), text(gps.get(_Gps.GPSLongitudeRef)), 180.0),
    )
