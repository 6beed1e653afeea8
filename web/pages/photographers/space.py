"""Page with the maps of photographers and of photos in two dimensions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import Response, render_template, request, send_file
from markupsafe import Markup

from search.errors import NotFoundError
from search.photographers.answers import Chart, PhotographerMap
from search.photographers.space import CodeChart
from web.api.operation import current_node
from web.charts.plane import COLOURS, Dot, cloud, photographer_map
from web.pages.photographers.shared import active_jobs, blueprint

NAMES: dict[str, tuple[str, str]] = {
    "joint": (
        "Photographer space",
        "One learnt vector per photographer: it foretells the tones of their photos, and lies about as far from "
        "another's as the photos of the two are developed differently.",
    ),
    "style": ("Editing style", "The mean of everything a photographer's pictures look like, whatever they show."),
    "subject": ("What they show", "The mean of everything that is in a photographer's pictures."),
}

PLOTS: dict[str, str] = {
    "photographers.html": "Photographers",
    "settling.html": "Their vectors while they were learnt",
    "settling-from-random.html": "The same from random vectors",
    "image-codes.html": "Photos by their image codes, coloured by photographer",
    "clusters.html": "Photos by their image codes, coloured by group of alike photos",
}
"""What each plot of a training shows, in the order of the page."""

PLOT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "sandbox allow-scripts",
    )
)
"""Of a plot, which holds its own scripts: they run in an origin of their own, without cookies, and can load nothing."""

COLOURINGS = {"cluster": "Group of alike photos", "photographer": "Photographer"}
NAMED_COLOURS = COLOURS
"""Number of photographers with a colour of their own, those with most photos; the others share one."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Legend of one colour of the cloud: class of the style sheet, name and number of photos."""

    colour: str
    name: str
    photos: int


@blueprint.get("/map")
def space() -> str:
    node = current_node()
    found = node.photographers.map()
    by = request.args.get("by", "")
    chart = _chosen(found, by)
    random = found.from_random if chart and chart.by == "joint" else None
    codes, files = node.photographers.codes(), node.photographers.training_files()
    colouring = request.args.get("colour", "cluster")
    colouring = colouring if colouring in COLOURINGS else "cluster"
    drawn, legend = _cloud(codes, colouring) if codes else (None, [])
    highlighted = request.args.get("who", "")
    return render_template(
        "photographers/map.html",
        charts=[other.by for other in found.charts],
        chart=chart,
        drawn=photographer_map(chart, highlighted) if chart else None,
        random=random,
        drawn_random=photographer_map(random, highlighted) if random else None,
        files=files,
        plots={name: words for name, words in PLOTS.items() if files and name in files.plots},
        names=NAMES,
        notes=found.notes,
        codes=codes,
        cloud=drawn,
        legend=legend,
        colouring=colouring,
        colourings=COLOURINGS,
        here=highlighted,
        jobs=active_jobs(node),
    )


@blueprint.get("/plots/<name>")
def plot(name: str) -> Response:
    files = current_node().photographers.training_files()
    if files is None or name not in files.plots:
        raise NotFoundError("There is no such plot.", "The map of photographers lists those of the model in use.")
    response = send_file(files.plots[name], "text/html")
    response.headers["Content-Security-Policy"] = PLOT_POLICY
    return response


def _chosen(found: PhotographerMap, by: str) -> Chart | None:
    """The requested chart, or else the first, which is the best one."""
    return next((chart for chart in found.charts if chart.by == by), next(iter(found.charts), None))


def _cloud(codes: CodeChart, colouring: str) -> tuple[Markup, list[Legend]]:
    groups: dict[str, int]
    if colouring == "photographer":
        counted = Counter(spot.photographer for spot in codes.spots if spot.photographer)
        groups = {name: at for at, (name, _) in enumerate(counted.most_common(NAMED_COLOURS))}
        keys = [spot.photographer for spot in codes.spots]
    else:
        counted = Counter(str(spot.cluster) for spot in codes.spots if spot.cluster >= 0)
        groups = {str(number): number for number in range(codes.clusters)}
        keys = [str(spot.cluster) for spot in codes.spots]
    dots = [
        Dot(spot.at, groups.get(key, -1), _words(spot.photographer, spot.cluster), f"/item/{spot.id}")
        for spot, key in zip(codes.spots, keys, strict=True)
    ]
    legend = []
    if colouring == "photographer":
        legend = [Legend(f"c{group}", name, counted[name]) for name, group in groups.items()]
        if others := sum(key not in groups for key in keys):
            legend.append(Legend("none", "everyone else", others))
    name = f"{len(dots)} photos by their image codes, coloured by {COLOURINGS[colouring].lower()}"
    return cloud(name, dots, codes.explained), legend


def _words(photographer: str, cluster: int) -> str:
    return ", ".join(filter(None, (photographer, f"group {cluster + 1}" if cluster >= 0 else "")))
