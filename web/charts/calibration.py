"""Calibration curve as SVG: share of right answers against the probability they were given with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.charts.svg import AxisScale, element, picture

SIZE = 340
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 46
SMALLEST, LARGEST = 3.5, 10.0
"""Radius of the point of a bin with one photo, and of the fullest bin."""


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """Answers whose mean probability is ``probability``.

    Attributes:
        right: share of them that was right, 0 to 1.  low, high: its 95 % interval.
        photos: number of answers.
    """

    probability: float
    right: float
    low: float
    high: float
    photos: int


def calibration(points: Sequence[CalibrationPoint]) -> Markup:
    """Points below the diagonal are surer than the answers deserve. The area of a point grows with its photos."""
    across = AxisScale(0, 1, LEFT, SIZE - RIGHT)
    up = AxisScale(0, 1, SIZE - BOTTOM, TOP)
    parts: list[Markup] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(element("line", class_="rule", x1=LEFT, x2=SIZE - RIGHT, y1=up(share), y2=up(share)))
        parts.append(element("text", f"{100 * share:.0f}", class_="end", x=LEFT - 7, y=up(share) + 4))
        parts.append(element("text", f"{100 * share:.0f}", x=across(share), y=SIZE - BOTTOM + 18, text_anchor="middle"))
    parts.append(element("line", class_="ideal", x1=across(0), y1=up(0), x2=across(1), y2=up(1)))
    middle = (LEFT + SIZE - RIGHT) / 2
    parts.append(element("text", "probability given, %", x=middle, y=SIZE - 6, text_anchor="middle", class_="axis"))
    parts.append(
        element(
            "text",
            "right, %",
            class_="axis",
            text_anchor="middle",
            transform=f"rotate(-90) translate({-(TOP + SIZE - BOTTOM) / 2:.0f} 14)",
        )
    )
    drawn = [one for one in points if one.photos]
    fullest = max((one.photos for one in drawn), default=1)
    path = " ".join(f"{across(one.probability):.1f},{up(one.right):.1f}" for one in drawn)
    if len(drawn) > 1:
        parts.append(element("polyline", class_="line", points=path))
    for one in drawn:
        x = across(one.probability)
        parts.append(element("line", class_="whisker", x1=x, x2=x, y1=up(one.low), y2=up(one.high)))
    for one in drawn:
        radius = max(SMALLEST, LARGEST * math.sqrt(one.photos / fullest))
        title = element(
            "title", f"{100 * one.probability:.0f} % given, {100 * one.right:.0f} % right, {one.photos} photos"
        )
        parts.append(element("circle", title, class_="dot", cx=across(one.probability), cy=up(one.right), r=radius))
    return picture("Probability given against share that was right", SIZE, SIZE, parts, class_="chart calibration")
