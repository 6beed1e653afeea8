"""Format numbers, times, sizes and places for people; also filters of the templates."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flask import Flask

from search.errors import UsageError
from web.near import in_words, read
from web.wording import likeness, moment, percent, weaker


def clock(seconds: float | None) -> str:
    """``0:07``, ``12:30`` or ``1:02:03``; moments within recordings are told by ``web.wording.moment``."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def span(seconds: float | None) -> str:
    """A rough duration: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def size(count: int) -> str:
    """Bytes in decimal units, as file managers show them."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def exposure(seconds: float | None) -> str:
    """``1/250 s`` or ``2.5 s``."""
    if not seconds:
        return ""
    if seconds >= 0.3:
        return f"{seconds:g} s"
    return f"1/{round(1 / seconds)} s" if seconds < 0.1 else f"{Fraction(seconds).limit_denominator(10)} s"


def number(value: float) -> str:
    """``12 345``, with a thin no-break space."""
    return f"{value:,.0f}".replace(",", "\u202f")


def borders(shares: Sequence[float]) -> str:
    """``12 % top, 12 % bottom``, of shares of the sides that are borders: left, top, right, bottom; empty without."""
    named = zip(("left", "top", "right", "bottom"), shares, strict=False)
    return ", ".join(f"{100 * share:.0f} % {side}" for side, share in named if share >= 0.005)


def near(text: str) -> str:
    """A filter by place in words; any other text unchanged."""
    try:
        return in_words(read(text))
    except UsageError:
        return text


def install_formats(app: Flask) -> None:
    """Register the functions as filters of the templates."""
    for filter_ in (clock, moment, span, size, percent, likeness, weaker, exposure, number, borders, near):
        app.jinja_env.filters[filter_.__name__] = filter_
