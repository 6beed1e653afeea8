"""Plots of a photographer space, each a self-contained HTML page.

Plotly reads a subset of HTML in every text it shows, so names, which are hostile, are escaped and go into ``text`` with
``hoverinfo="text"``, never into a template.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.photographers.answers import Chart
from search.photographers.space import CodeChart, PhotographerSpace

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

IMAGE_CODES, CLUSTERS, MAP = "image-codes.html", "clusters.html", "photographers.html"
CONVERGENCE, FROM_RANDOM = "settling.html", "settling-from-random.html"
_LONGEST = 60
"""Characters of a name that are shown."""

_MARGIN = 0.08
_LABELLED = 60
"""Photographers up to which names stand beside the points, and not only where the pointer is."""


def write_plots(space: PhotographerSpace, folder: Path) -> tuple[str, ...]:
    """Draw all plots into ``folder``; returns the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    codes, chart = space.code_chart(), space.chart()
    drawn = {
        IMAGE_CODES: codes_figure(codes, by_cluster=False),
        CLUSTERS: codes_figure(codes, by_cluster=True),
        MAP: map_figure(chart),
        CONVERGENCE: convergence_figure(chart, "from where their settings put them"),
    }
    if (random := space.random_chart()) is not None:
        drawn[FROM_RANDOM] = convergence_figure(random, "from random vectors")
    for name, figure in drawn.items():
        # The file is named by us and the div by its file, so that equal trainings write equal pages.
        figure.write_html(folder / name, include_plotlyjs=True, auto_play=False, div_id=name.removesuffix(".html"))
    return tuple(drawn)


def codes_figure(chart: CodeChart, *, by_cluster: bool) -> Figure:
    """Photos by their image codes, coloured by pseudo-photographer or by photographer."""
    import plotly.graph_objects as go

    photographers = sorted({spot.photographer for spot in chart.spots})
    number = {name: at for at, name in enumerate(photographers)}
    colours = [spot.cluster if by_cluster else number[spot.photographer] for spot in chart.spots]
    texts = [
        f"{escaped(spot.photographer) or 'nobody known'}<br>cluster {spot.cluster}<br>{escaped(spot.id)}"
        for spot in chart.spots
    ]
    marks = go.Scattergl(
        x=[spot.at[0] for spot in chart.spots],
        y=[spot.at[1] for spot in chart.spots],
        mode="markers",
        marker={"color": colours, "colorscale": "Turbo", "size": 6},
        text=texts,
        hoverinfo="text",
    )
    what = f"the {chart.clusters} clusters of their global features" if by_cluster else "photographer"
    figure = go.Figure(marks)
    figure.update_layout(**_layout(f"Photos by image code, coloured by {what}", chart.explained))
    return figure


def map_figure(chart: Chart) -> Figure:
    """Photographers where their vectors are; the area of a mark grows with their photos."""
    import plotly.graph_objects as go

    figure = go.Figure(_people(chart, -1))
    figure.update_layout(**_layout("Photographers: those close together develop alike", chart.explained))
    return figure


def convergence_figure(chart: Chart, start: str) -> Figure:
    """Vectors during training, a frame each time they were stored, on the principal axes of the kept vectors.

    Args:
        start: where they started, in words.
    """
    import plotly.graph_objects as go

    frames = [go.Frame(data=[_people(chart, at)], name=str(step)) for at, step in enumerate(chart.steps)]
    figure = go.Figure(_people(chart, 0), frames=frames)
    layout = _layout(f"Photographers' vectors while they were learnt, {start}", chart.explained)
    places = [place for spot in chart.spots for place in spot.path]
    for axis, at in (("xaxis", 0), ("yaxis", 1)):
        low, high = min(place[at] for place in places), max(place[at] for place in places)
        room = _MARGIN * (high - low) or 1.0
        layout[axis] |= {"range": [low - room, high + room]}
    quick = {"frame": {"duration": 60, "redraw": False}, "transition": {"duration": 0}, "fromcurrent": True}
    at_once = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    layout["updatemenus"] = [
        {
            "type": "buttons",
            "buttons": [
                {"label": "Play", "method": "animate", "args": [None, quick]},
                {"label": "Stop", "method": "animate", "args": [[None], at_once]},
            ],
        }
    ]
    steps = [{"label": str(s), "method": "animate", "args": [[str(s)], at_once]} for s in chart.steps]
    layout["sliders"] = [{"currentvalue": {"prefix": "step "}, "steps": steps}]
    figure.update_layout(**layout)
    return figure


def escaped(text: str) -> str:
    """Text of untrusted origin, shortened and escaped for plotly."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return html.escape(cut.encode("utf-8", "replace").decode("utf-8"))


def _people(chart: Chart, frame: int) -> Any:
    import plotly.graph_objects as go

    spots = chart.spots
    most = max(spot.photos for spot in spots)
    return go.Scatter(
        x=[spot.path[frame][0] for spot in spots],
        y=[spot.path[frame][1] for spot in spots],
        mode="markers+text" if len(spots) <= _LABELLED else "markers",
        marker={
            "color": list(range(len(spots))),
            "colorscale": "Turbo",
            "size": [8 + 16 * (spot.photos / max(1, most)) ** 0.5 for spot in spots],
        },
        text=[escaped(spot.name) for spot in spots],
        textposition="top center",
        hoverinfo="text",
        hovertext=[f"{escaped(spot.name)}<br>{spot.photos} photos learnt from" for spot in spots],
    )


def _layout(title: str, explained: tuple[float, float]) -> dict[str, Any]:
    """Both axes to one scale: distances are what the map shows."""
    first, second = (f"{100 * share:.0f} % of the variance" for share in explained)
    return {
        "title": {"text": title},
        "template": "plotly_white",
        "xaxis": {"title": {"text": f"first component, {first}"}},
        "yaxis": {"title": {"text": f"second component, {second}"}, "scaleanchor": "x"},
        "showlegend": False,
    }
