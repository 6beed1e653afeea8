"""Page with the maps of photographers and of photos in two dimensions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import render_template, request
from markupsafe import Markup

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
    "style": ("How they develop", "The mean of everything a photographer's pictures look like, whatever they show."),
    "subject": ("What they show", "The mean of everything that is in a photographer's pictures."),
}

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
    codes = node.photographers.codes()
    colouring = request.args.get("colour", "cluster")
    colouring = colouring if colouring in COLOURINGS else "cluster"
    drawn, legend = _cloud(codes, colouring) if codes else (None, [])
    highlighted = request.args.get("who", "")
    return render_template(
        "photographers/map.html",
        charts=[other.by for other in found.charts],
        chart=chart,
        drawn=photographer_map(chart, highlighted) if chart else None,
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
