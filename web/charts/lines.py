"""Line charts of values over time, one per quantity, with common periods."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from web.charts.svg import AxisScale, element, picture, shown, ticks

WIDTH, HEIGHT = 300, 150
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 24
LABELS = 3
"""Most labels of periods below a chart, the first and the last among them."""


def over_time(name: str, unit: str, periods: Sequence[str], values: Sequence[float | None]) -> Markup:
    """A line through the values, interrupted at periods without one.

    Args:
        name: of the quantity.
        unit: of its values, for the reader of the title; may be empty.
        periods: labels, in order of time.
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    spread = (high - low) or abs(high) or 1.0
    low, high = low - 0.08 * spread, high + 0.08 * spread
    across = AxisScale(0, max(1, len(periods) - 1), LEFT + 6, WIDTH - RIGHT - 6)
    up = AxisScale(low, high, HEIGHT - BOTTOM, TOP)
    parts: list[Markup] = []
    for tick in ticks(low, high, 4):
        parts.append(element("line", class_="rule", x1=LEFT, x2=WIDTH - RIGHT, y1=up(tick), y2=up(tick)))
        parts.append(element("text", shown(tick), class_="end", x=LEFT - 6, y=up(tick) + 4))
    for at in _named(len(periods)):
        anchor = "start" if at == 0 else "end" if at == len(periods) - 1 else "middle"
        x = {"start": LEFT, "end": WIDTH - RIGHT, "middle": across(at)}[anchor]
        parts.append(element("text", periods[at], x=x, y=HEIGHT - 7, text_anchor=anchor))
    for run in _runs(values):
        points = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in run)
        parts.append(element("polyline", class_="line", points=points))
    for at, value in enumerate(values):
        if value is not None:
            title = element("title", f"{periods[at]}: {shown(value)} {unit}".rstrip())
            parts.append(element("circle", title, class_="dot", cx=across(at), cy=up(value), r=3))
    summary = f"{name}{f', in {unit}' if unit else ''}, from {periods[0]} to {periods[-1]}" if periods else name
    return picture(summary, WIDTH, HEIGHT, parts, class_="chart over-time")


def _named(count: int) -> list[int]:
    """Indices of the periods that are labelled."""
    if count <= LABELS:
        return list(range(count))
    return sorted({round(part * (count - 1) / (LABELS - 1)) for part in range(LABELS)})


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if len(run) > 1]
