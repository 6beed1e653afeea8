"""Charts of shoots on a time axis, one a quantity, all with the same axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.charts.svg import AxisScale, element, picture, shown, ticks

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 24
LEAST, MOST = 2.5, 7.0
"""Radii of the smallest and the largest shoot."""


@dataclass(frozen=True, slots=True)
class ShootDot:
    """A shoot: its time in days, the number of its photos, a value, and what it is called."""

    day: float
    photos: int
    value: float | None
    name: str


def over_shoots(
    name: str, unit: str, dots: Sequence[ShootDot], ends: tuple[str, str], since: float | None = None
) -> Markup:
    """A dot for each shoot, larger for more photos, with its name as the title.

    Args:
        name, unit: of the quantity.
        ends: labels of the first and the last day.
        since: day from which a change is marked by a line.
    """
    known = [(dot, dot.value) for dot in dots if dot.value is not None]
    days = [dot.day for dot in dots]
    low = min((value for _, value in known), default=0.0)
    high = max((value for _, value in known), default=1.0)
    spread = (high - low) or abs(high) or 1.0
    low, high = low - 0.1 * spread, high + 0.1 * spread
    across = AxisScale(min(days, default=0.0), max(days, default=1.0), LEFT + MOST, WIDTH - RIGHT - MOST)
    up = AxisScale(low, high, HEIGHT - BOTTOM, TOP)
    parts: list[Markup] = []
    for tick in ticks(low, high, 4):
        parts.append(element("line", class_="rule", x1=LEFT, x2=WIDTH - RIGHT, y1=up(tick), y2=up(tick)))
        parts.append(element("text", shown(tick), class_="end", x=LEFT - 6, y=up(tick) + 4))
    parts.append(element("text", ends[0], x=LEFT, y=HEIGHT - 7, text_anchor="start"))
    if ends[1] != ends[0]:
        parts.append(element("text", ends[1], x=WIDTH - RIGHT, y=HEIGHT - 7, text_anchor="end"))
    if since is not None:
        parts.append(element("line", class_="change", x1=across(since), x2=across(since), y1=TOP, y2=HEIGHT - BOTTOM))
    most = max((dot.photos for dot in dots), default=1)
    for dot, value in known:
        title = element("title", f"{dot.name}: {shown(value)} {unit}".rstrip())
        radius = LEAST + (MOST - LEAST) * (dot.photos / most) ** 0.5
        parts.append(element("circle", title, class_="shoot", cx=across(dot.day), cy=up(value), r=round(radius, 1)))
    summary = f"{name}{f', in {unit}' if unit else ''}, of each shoot from {ends[0]} to {ends[1]}"
    return picture(summary, WIDTH, HEIGHT, parts, class_="chart over-shoots")
