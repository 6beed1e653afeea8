"""Reads and writes a place with a radius as people type it: ``52.52,13.405,1000``."""

from __future__ import annotations

from search.errors import UsageError

FORM = "LAT,LON,METRES"

Near = tuple[float, float, float]
"""Latitude, longitude (degrees, WGS 84) and radius (metres)."""


def read(text: str) -> Near:
    """
    Raises:
        UsageError: it is not three numbers; whether they are a place is for ``search.store.filters.Filter`` to say.
    """
    try:
        latitude, longitude, metres = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"'near' cannot be {text!r}.", f"It takes {FORM}: 52.52,13.405,1000 is within 1 km of Berlin's centre."
        ) from None
    return latitude, longitude, metres


def written(near: Near) -> str:
    """Inverse of :func:`read`."""
    return ",".join(f"{number:.12g}" for number in near)


def place(latitude: float, longitude: float, decimals: int = 5) -> str:
    """``52.52000° N, 13.40500° E``."""
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.{decimals}f}° {north}, {abs(longitude):.{decimals}f}° {east}"


def in_words(near: Near) -> str:
    """``within 1 km of 52.520° N, 13.405° E``."""
    latitude, longitude, metres = near
    radius = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return f"within {radius} of {place(latitude, longitude, 3)}"
