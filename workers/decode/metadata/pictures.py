"""Read the metadata of a picture: EXIF, and XMP and IPTC for the author's name.

Each tag is read on its own, and an impossible value counts as absent: broken metadata never fails a picture.

Source of tags: CIPA DC-008 (EXIF 2.32), IPTC-IIM 4.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from search.photographers.photos.names import clean_name
from workers.decode.decoded import MediaFacts
from workers.decode.metadata.sources import SourceFacts

_T = TypeVar("_T")
_Tags = Mapping[int, Any]

_Base, _Gps, _Ifd = ExifTags.Base, ExifTags.GPS, ExifTags.IFD

LONGEST_TEXT = 200
_XMP_CREATOR = re.compile(rb"<dc:creator>.*?<rdf:li[^>]*>([^<]{1,400})</rdf:li>", re.DOTALL)
_XMP_SEARCHED = 256 * 1024
_IPTC_BYLINE = (2, 80)


def tolerant(read: Callable[[], _T | None]) -> _T | None:
    """``read()``, or None when it raises: Pillow's readers raise almost any exception on broken tags."""
    try:
        return read()
    except Exception:
        return None


def orientation_of(picture: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 when absent or invalid."""
    value = tolerant(lambda: picture.getexif().get(_Base.Orientation))
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def picture_facts(picture: Image.Image, width: int, height: int, others: Sequence[SourceFacts] = ()) -> MediaFacts:
    """Metadata of an opened (not necessarily loaded) picture.

    Args:
        width, height: pixels after orientation.
        others: what sources outside the picture say, such as sidecars.
    """
    base: _Tags = tolerant(lambda: dict(picture.getexif())) or {}
    shot: _Tags = directory(picture, _Ifd.Exif)
    gps: _Tags = directory(picture, _Ifd.GPSInfo)
    return MediaFacts(
        width=width,
        height=height,
        taken_at=taken_at(base, shot),
        camera=camera_name(text(base.get(_Base.Make)), text(base.get(_Base.Model))),
        lens=text(shot.get(_Base.LensModel)),
        iso=_positive(shot.get(_Base.ISOSpeedRatings)),
        aperture=_positive(shot.get(_Base.FNumber)),
        exposure=_positive(shot.get(_Base.ExposureTime)),
        focal_length=_positive(shot.get(_Base.FocalLength)),
        latitude=_degrees(gps.get(_Gps.GPSLatitude), gps.get(_Gps.GPSLatitudeRef), "S", 90.0),
        longitude=_degrees(gps.get(_Gps.GPSLongitude), gps.get(_Gps.GPSLongitudeRef), "W", 180.0),
        artist=_artist(picture, base),
    )


def directory(picture: Image.Image, ifd: int) -> _Tags:
    """The tags of one of EXIF's directories; empty when it is absent or broken."""
    return tolerant(lambda: dict(picture.getexif().get_ifd(ifd))) or {}


def _artist(picture: Image.Image, base: _Tags) -> str | None:
    """The first text on the author that is a name, or else the first text; the rights holder comes last."""
    written = (
        text(base.get(_Base.Artist)),
        text(base.get(_Base.XPAuthor), "utf-16-le"),
        tolerant(lambda: _xmp_creator(picture)),
        tolerant(lambda: _iptc_byline(picture)),
        clean_name(text(base.get(_Base.Copyright))),
    )
    texts = [found for found in written if found]
    return next((found for found in texts if clean_name(found)), texts[0] if texts else None)


def text(value: object, encoding: str = "utf-8") -> str | None:
    """A tag as one line of printable text of at most ``LONGEST_TEXT`` characters; None when that is empty."""
    if isinstance(value, bytes):
        value = value.decode(encoding, "replace")
    if not isinstance(value, str):
        return None
    printable = "".join(c if c.isprintable() else " " for c in value.split("\0")[0])
    return " ".join(printable.split())[:LONGEST_TEXT] or None


def camera_name(make: str | None, model: str | None) -> str | None:
    """Make and model without repeating the make: ``Canon`` and ``Canon EOS R5`` give ``Canon EOS R5``."""
    if not make or not model:
        return model or make
    if model.lower().startswith(make.split()[0].lower()):
        return model
    return f"{make} {model}"


def taken_at(base: _Tags, shot: _Tags) -> str | None:
    """ISO 8601 time of capture, with the offset from UTC where the camera wrote one."""
    for tags, moment, offset, fraction in (
        (shot, _Base.DateTimeOriginal, _Base.OffsetTimeOriginal, _Base.SubsecTimeOriginal),
        (shot, _Base.DateTimeDigitized, _Base.OffsetTimeDigitized, _Base.SubsecTimeDigitized),
        (base, _Base.DateTime, _Base.OffsetTime, _Base.SubsecTime),
    ):
        written = text(tags.get(moment))
        if written and (parsed := _parse_moment(written)):
            return parsed + _subsecond(text(tags.get(fraction))) + _offset(text(shot.get(offset)))
    return None


def _parse_moment(written: str) -> str | None:
    digits = re.match(r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)(?:\D(\d\d))?", written)
    if not digits:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in digits.groups())
    try:
        return datetime(year, month, day, hour, minute, min(second, 59)).isoformat()  # noqa: DTZ001  (camera's own clock)
    except ValueError:
        return None


def _subsecond(fraction: str | None) -> str:
    return f".{fraction[:6]:0<3}" if fraction and fraction.isdigit() and int(fraction) else ""


def _offset(written: str | None) -> str:
    return written if written and re.fullmatch(r"[+-]\d\d:\d\d", written) else ""


def number(value: object) -> float | None:
    """A tag as a finite number, the first where it holds several; None for any other value."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    found = tolerant(lambda: float(value))  # type: ignore[arg-type]
    return found if found is not None and math.isfinite(found) else None


def _positive(value: object) -> float | None:
    found = number(value)
    return found if found is not None and found > 0 else None


def _degrees(value: object, reference: object, negative: str, limit: float) -> float | None:
    """Degrees, minutes and seconds as signed degrees; None outside ±``limit``."""
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    parts = [number(part) for part in value]
    if parts[0] is None:
        return None
    degrees = parts[0] + (parts[1] or 0.0) / 60 + (parts[2] or 0.0) / 3600
    if not 0 <= degrees <= limit:
        return None
    signed = -degrees if (text(reference) or "").upper().startswith(negative) else degrees
    return round(signed, 7)


def _xmp_creator(picture: Image.Image) -> str | None:
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    raw = packet.encode() if isinstance(packet, str) else bytes(packet)
    found = _XMP_CREATOR.search(raw[:_XMP_SEARCHED])
    return text(found[1]) if found else None


def _iptc_byline(picture: Image.Image) -> str | None:
    if not isinstance(picture, ImageFile.ImageFile):
        return None
    value = (IptcImagePlugin.getiptcinfo(picture) or {}).get(_IPTC_BYLINE)
    return text(value[0] if isinstance(value, list) and value else value)


def container_moment(written: str | None) -> str | None:
    """``creation_time`` of a container as ISO 8601; None for the dates of epoch zero that many programs write."""
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    if moment.year <= 1970:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
