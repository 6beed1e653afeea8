"""Page of one photographer: traits, styles, similar photographers and changes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from markupsafe import Markup

from search.media import instant
from search.photographers.answers import Alike, Period, PhotographerListed, PhotographerShown, Trait
from search.photographers.profiles.drift import QUANTITY_UNITS
from search.photographers.profiles.timeline import SHOWN, Timeline
from web.api.operation import current_node
from web.charts.lines import over_time
from web.charts.shoots import ShootDot, over_shoots
from web.pages.photographers.listing import is_group
from web.pages.photographers.shared import blueprint, label_of, unit_of

TRAITS_SHOWN = 10
LEAST_SHOOTS = 3
"""Shoots with a date from which they are shown over time."""

STRONGEST = 3.0
"""Effect, in standard deviations, that fills the bar of a trait; stronger ones are clipped."""

BY_WORDS = {
    "style": ("Editing style", "by the look of their pictures, whatever these show"),
    "subject": ("What they show", "by what is in their pictures"),
    "joint": ("Photographer space", "by the vectors that the joint model has learnt"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Values of one feature over the periods of a photographer, and their chart."""

    label: str
    unit: str
    chart: Markup
    values: tuple[float | None, ...]


@blueprint.get("/<who>")
def one(who: str) -> str:
    node = current_node()
    shown = node.photographers.show(who)
    timeline = node.photographers.timeline(shown.id)
    return render_template(
        "photographers/one.html",
        one=shown,
        former=request.args.get("former", ""),
        group=is_group(PhotographerListed(shown.id, shown.name, shown.photos, None, None, shown.credits)),
        traits=shown.traits[:TRAITS_SHOWN],
        strongest=max((abs(trait.effect) for trait in shown.traits), default=STRONGEST),
        sentence=in_words(shown.traits),
        alike=_by_kind(shown.alike),
        by_words=BY_WORDS,
        changes=changes(shown.periods),
        timeline=timeline,
        shown_quantities=SHOWN,
        over_time=over_time_charts(timeline),
        others=[other for other in node.photographers.list() if other.id != shown.id],
        most_worn=_most(shown),
    )


def in_words(traits: Sequence[Trait]) -> str:
    """The strongest traits as an enumeration."""
    words = [trait.words for trait in traits[:4]]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def changes(periods: Sequence[Period]) -> list[Change]:
    """A chart for each feature of the periods; none for a single period."""
    if len(periods) < 2:
        return []
    names = list(dict.fromkeys(name for period in periods for name in period.values))
    labels = [period.label for period in periods]
    found = []
    for name in names:
        values = tuple(period.values.get(name) for period in periods)
        chart = over_time(label_of(name), unit_of(name), labels, values)
        found.append(Change(label_of(name), unit_of(name), chart, values))
    return found


def over_time_charts(timeline: Timeline) -> list[tuple[str, str, Markup]]:
    """Label, unit and chart of each quantity that is told of shoots, on one time axis; none for a single shoot."""
    shoots = timeline.shoots
    if len(shoots) < LEAST_SHOOTS:
        return []
    days = {shoot.id: moment.timestamp() / 86_400 for shoot in shoots if (moment := instant(shoot.start))}
    ends = shoots[0].start[:10], shoots[-1].start[:10]
    since = days.get(timeline.change.shoot) if timeline.change else None
    lanes: list[tuple[str, str, dict[str, float | None]]] = [
        ("Less like the earlier style", "", {shoot.id: shoot.unlike for shoot in shoots}),
        *((label_of(name), QUANTITY_UNITS[name], {s.id: s.values.get(name) for s in shoots}) for name in SHOWN),
    ]
    found = []
    for label, unit, values in lanes:
        dots = [ShootDot(days[shoot.id], shoot.photos, values[shoot.id], shoot.name) for shoot in shoots]
        if any(dot.value is not None for dot in dots):
            found.append((label, unit, over_shoots(label, unit, dots, ends, since)))
    return found


def _by_kind(alike: Sequence[Alike]) -> dict[str, list[Alike]]:
    kinds = {by: [other for other in alike if other.by == by] for by in ("style", "subject", "joint")}
    return {by: some for by, some in kinds.items() if some}


def _most(shown: PhotographerShown) -> int:
    return max((*shown.cameras.values(), *shown.lenses.values(), 1))
