"""Features of the time and the camera settings of a picture, from its EXIF tags where these exist.

Source of tags and codes: CIPA DC-008 (EXIF 2.32).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from search.photographers.photos.features import FEATURES, INDEX
from workers.decode.metadata.exif import directory
from workers.decode.metadata.quantities import number

_Base, _Ifd = ExifTags.Base, ExifTags.IFD

_ISO_ELSEWHERE = 65535
"""Largest value of the ISO tag, which then refers to the longer tags."""
_LONGER_ISO = (_Base.RecommendedExposureIndex, _Base.StandardOutputSensitivity)
_SATURDAY = 5
_TO_SECONDS = len("2000-01-01T00:00:00")
"""Characters without the zone: the hour is that of the camera's clock, and a broken zone does no harm."""


def shot_features(picture: Image.Image, taken_at: str | None) -> dict[str, float]:
    """Features by name: those that the file has with values in their ranges.

    Args:
        taken_at: ISO 8601, as ``pictures.picture_facts`` found it.
    """
    found = _moment(taken_at) | _settings(directory(picture, _Ifd.Exif))
    return {name: value for name, value in found.items() if value is not None and _in_range(name, value)}


def _in_range(name: str, value: float) -> bool:
    feature = FEATURES[INDEX[name]]
    return feature.low <= value <= feature.high


def _moment(taken_at: str | None) -> dict[str, float | None]:
    if taken_at is None:
        return {}
    moment = datetime.fromisoformat(taken_at[:_TO_SECONDS])
    return {
        "hour": moment.hour if "T" in taken_at else None,
        "weekday": moment.weekday(),
        "month": moment.month,
        "is_weekend": float(moment.weekday() >= _SATURDAY),
    }


def _settings(tags: Mapping[int, Any]) -> dict[str, float | None]:
    flash, zoom = number(tags.get(_Base.Flash)), number(tags.get(_Base.DigitalZoomRatio))
    return {
        "log_iso": _log1p(_iso(tags)),
        "aperture": number(tags.get(_Base.FNumber)),
        "log_exposure": _log1p(number(tags.get(_Base.ExposureTime))),
        "flash": None if flash is None else int(flash) & 1,
        "focal_length_35mm": number(tags.get(_Base.FocalLengthIn35mmFilm)),
        "digital_zoom": 1.0 if zoom == 0 else zoom,
        "exposure_compensation": number(tags.get(_Base.ExposureBiasValue)),
        "white_balance": number(tags.get(_Base.WhiteBalance)),
        "exposure_mode": number(tags.get(_Base.ExposureMode)),
        "metering_mode": number(tags.get(_Base.MeteringMode)),
    }


def _iso(tags: Mapping[int, Any]) -> float | None:
    iso = number(tags.get(_Base.ISOSpeedRatings))
    if iso == _ISO_ELSEWHERE:
        longer = (number(tags.get(tag)) for tag in _LONGER_ISO)
        return next((value for value in longer if value), iso)
    return iso


def _log1p(value: float | None) -> float | None:
    """``log1p`` of a positive value; None otherwise, as cameras write 0 for unknown."""
    return math.log1p(value) if value is not None and value > 0 else None
