"""Make SVG elements, and map values to positions on a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """One element. Texts and attribute values are escaped, other elements are not.

    Args:
        attributes: with ``_`` for ``-``, and ``class_``; None leaves one out. Numbers are rounded to two places.
    """
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{named}>{''.join(escape(child) for child in children)}</{tag}>")  # noqa: S704 (escaped above)


def picture(
    name: str, width: float, height: float, children: Iterable[object], *, class_: str, links: bool = False
) -> Markup:
    """A chart of ``width`` by ``height`` units, scaled to the page; ``name`` says what it shows.

    Args:
        links: some of the children are links, which an image could not hold.
    """
    parts, box = (element("title", name), *children), f"0 0 {width:g} {height:g}"
    if links:
        return element("svg", *parts, class_=class_, viewBox=box, role="group", aria_label=name)
    return element("svg", *parts, class_=class_, viewBox=box, role="img")


@dataclass(frozen=True, slots=True)
class AxisScale:
    """Linear map of ``low`` to ``start`` and ``high`` to ``end``; everything to the middle when they are equal."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) from ``low`` to ``high``, roughly ``about`` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def shown(value: float) -> str:
    """A value with at most three significant digits, for axes and tables."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) < 1000 else 0
    text = f"{value:,.{digits}f}".replace(",", "\u202f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "\u2212")


def shortened(name: str, most: int) -> str:
    """The name cut to ``most`` characters, with an ellipsis where it was cut."""
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
