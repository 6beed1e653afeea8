"""Draw maps on two principal axes of one scale: photographers by name, and photos as a cloud."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from search.photographers.answers import Chart
from web.charts.svg import AxisScale, element, picture, shortened

WIDTH, HEIGHT = 900, 560
MARGIN = 46
LETTER, LINE = 8.2, 20.0
"""Width of a letter and height of a line of a label, in units of the map."""

NAME = 22
"""Most letters of a name on the map; the title of the dot, and the list, have the whole name."""

COLOURS = 12
"""Colours of the style sheet, ``.c0`` to ``.c11``, repeated for further groups."""

MOST_PATHS = 40
"""Most photographers whose paths are drawn; more lines would hide the dots."""

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Dot:
    """One photo of a cloud. ``group`` selects its colour; -1 is none."""

    at: Position
    group: int
    words: str
    href: str


def photographer_map(chart: Chart, highlighted: str = "") -> Markup:
    """Map of photographers as dots that link to their pages, with as many names as fit, those with most photos first.

    ``data-path`` of a dot holds its former positions in map units, for the script that animates it.

    Args:
        highlighted: id of the photographer to highlight.
    """
    fit = _Fit.of([place for spot in chart.spots for place in (spot.at, *spot.path)])
    most = max((spot.photos for spot in chart.spots), default=1)
    placed = {spot.id: fit(spot.at) for spot in chart.spots}
    radius = {spot.id: 4.0 + 8.0 * math.sqrt(spot.photos / most) for spot in chart.spots}
    ordered = sorted(chart.spots, key=lambda spot: (spot.id != highlighted, -spot.photos, spot.name))
    names = {spot.id: spot.display_name or spot.name for spot in ordered}
    named = _fitting_names(((id_, shortened(name, NAME)) for id_, name in names.items()), placed, radius)
    paths, dots = [], []
    for spot in reversed(ordered):
        x, y = placed[spot.id]
        path = " ".join("{:.1f},{:.1f}".format(*fit(place)) for place in spot.path)
        if path and len(chart.spots) <= MOST_PATHS:
            paths.append(element("polyline", class_="way", points=path))
        parts = [element("title", f"{names[spot.id]}, {spot.photos} photos")]
        parts.append(element("circle", cx=0, cy=0, r=radius[spot.id]))
        if spot.id in named:
            dx, dy, anchor = named[spot.id]
            parts.append(element("text", shortened(names[spot.id], NAME), x=dx, y=dy, text_anchor=anchor))
        dots.append(
            element(
                "a",
                *parts,
                href=f"/photographers/{spot.id}",
                class_="spot here" if spot.id == highlighted else "spot",
                transform=f"translate({x:.1f} {y:.1f})",
                data_path=path or None,
            )
        )
    title = f"{len(chart.spots)} photographers; those close to one another work alike"
    return picture(title, WIDTH, HEIGHT, [*_frame(chart.explained), *paths, *dots], class_="chart plane", links=True)


def cloud(name: str, dots: Sequence[Dot], explained: tuple[float, float]) -> Markup:
    """Photos as small dots that link to their pages.

    Args:
        explained: share of the variance along each axis.
    """
    fit = _Fit.of([dot.at for dot in dots])
    drawn = []
    for dot in dots:
        x, y = fit(dot.at)
        colour = f"c{dot.group % COLOURS}" if dot.group >= 0 else "none"
        circle = element("circle", element("title", dot.words), class_=colour, cx=x, cy=y, r=4)
        drawn.append(element("a", circle, href=dot.href, tabindex="-1"))
    return picture(name, WIDTH, HEIGHT, [*_frame(explained), *drawn], class_="chart plane cloud", links=True)


@dataclass(frozen=True, slots=True)
class _Fit:
    """One scale for both axes, so that distances are not distorted."""

    across: AxisScale
    up: AxisScale

    @classmethod
    def of(cls, places: Sequence[Position]) -> _Fit:
        xs, ys = [x for x, _ in places] or [0.0], [y for _, y in places] or [0.0]
        width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
        unit = max((max(xs) - min(xs)) / width, (max(ys) - min(ys)) / height) or 1.0
        x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        return cls(
            AxisScale(x - unit * width / 2, x + unit * width / 2, MARGIN, WIDTH - MARGIN),
            AxisScale(y - unit * height / 2, y + unit * height / 2, HEIGHT - MARGIN, MARGIN),
        )

    def __call__(self, place: Position) -> Position:
        return self.across(place[0]), self.up(place[1])


def _frame(explained: tuple[float, float]) -> list[Markup]:
    first, second = (f"{100 * share:.0f} % of the variance" for share in explained)
    return [
        element("rect", class_="ground", x=1, y=1, width=WIDTH - 2, height=HEIGHT - 2, rx=8),
        element("text", f"first axis: {first} →", class_="axis end", x=WIDTH - 14, y=HEIGHT - 12),
        element("text", f"↑ second axis: {second}", class_="axis", x=14, y=24),
    ]


def _fitting_names(
    names: Iterable[tuple[str, str]], placed: dict[str, Position], radius: dict[str, float]
) -> dict[str, tuple[float, float, str]]:
    """Offset from the dot and text anchor of each name that fits without covering another."""
    taken: list[tuple[float, float, float, float]] = []
    found: dict[str, tuple[float, float, str]] = {}
    for id_, name in names:
        x, y = placed[id_]
        away, room = radius[id_], LETTER * len(name)
        # Above, below, to the right, to the left: left edge of the text's box and its lower one, both from the dot.
        for dx, dy, anchor, left in (
            (0.0, -away - 6, "middle", -room / 2),
            (0.0, away + 16, "middle", -room / 2),
            (away + 6, 5.0, "start", away + 6),
            (-away - 6, 5.0, "end", -away - 6 - room),
        ):
            box = (x + left, y + dy - LINE + 4, x + left + room, y + dy + 4)
            if box[0] < 4 or box[2] > WIDTH - 4 or box[1] < 30 or box[3] > HEIGHT - 28:
                continue
            if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                taken.append(box)
                found[id_] = dx, dy, anchor
                break
    return found
