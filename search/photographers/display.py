"""How photographers are shown: what people have said, or else what follows from the name they are credited by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from search.media import word_list
from search.photographers.answers import (
    Alike,
    Candidate,
    Chart,
    PhotographerListed,
    PhotographerMap,
    PhotographerShown,
    Prediction,
    SetPrediction,
)
from search.photographers.photos.names import same_name

Displayed = Mapping[str, str]
"""Name of a photographer to what people want shown, where they have said so."""

_LABEL = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*(?:_[^\W\d_]+(?:-[^\W\d_]+)*)+")
"""Words of letters with underscores between them, as folders and data sets spell names."""

_PARTICLES = frozenset(
    word_list("af al and da das de del della den der des di do dos du el la las le los of ten ter und van von y zu")
)


def display_name(name: str, displayed: Displayed) -> str:
    """What is shown for a photographer."""
    return displayed.get(name) or derived_name(name)


def derived_name(name: str) -> str:
    """``Alfred T. Palmer`` of ``alfred_t_palmer``: of lower-case words with underscores between them; any other name is
    shown as it is."""
    if name != name.lower() or not _LABEL.fullmatch(name):
        return name
    first, *others = name.split("_")
    return " ".join([_word(first), *(word if word in _PARTICLES else _word(word) for word in others)])


def shown_as(shown: str, names: Iterable[str], displayed: Displayed) -> str | None:
    """The photographer who is shown by this name, in whatever case; None where it is nobody or several."""
    found = [name for name in names if same_name(display_name(name, displayed), shown)]
    return found[0] if len(found) == 1 else None


def shown_prediction(prediction: Prediction, displayed: Displayed) -> Prediction:
    """A prediction whose candidates have display names."""
    trees = prediction.by_trees
    return replace(
        prediction,
        candidates=_candidates(prediction.candidates, displayed),
        by_style=_candidates(prediction.by_style, displayed),
        by_subject=_candidates(prediction.by_subject, displayed),
        by_file=_candidates(prediction.by_file, displayed),
        by_trees=trees and replace(trees, candidates=_candidates(trees.candidates, displayed)),
    )


def shown_set(prediction: SetPrediction, displayed: Displayed) -> SetPrediction:
    """A verdict on a set whose candidates have display names."""
    return replace(prediction, candidates=_candidates(prediction.candidates, displayed))


def shown_listed(listed: Iterable[PhotographerListed], displayed: Displayed) -> tuple[PhotographerListed, ...]:
    """Photographers of the list with display names."""
    return tuple(replace(one, display_name=display_name(one.name, displayed)) for one in listed)


def shown_photographer(shown: PhotographerShown, displayed: Displayed) -> PhotographerShown:
    """A photographer, and those who work alike, with display names."""
    return replace(shown, display_name=display_name(shown.name, displayed), alike=shown_alike(shown.alike, displayed))


def shown_alike(alike: Iterable[Alike], displayed: Displayed) -> tuple[Alike, ...]:
    """Similar photographers with display names."""
    return tuple(replace(one, display_name=display_name(one.name, displayed)) for one in alike)


def shown_map(found: PhotographerMap, displayed: Displayed) -> PhotographerMap:
    """A map whose spots have display names."""
    random = None if found.from_random is None else _chart(found.from_random, displayed)
    return replace(found, charts=tuple(_chart(chart, displayed) for chart in found.charts), from_random=random)


def _chart(chart: Chart, displayed: Displayed) -> Chart:
    spots = (replace(spot, display_name=display_name(spot.name, displayed)) for spot in chart.spots)
    return replace(chart, spots=tuple(spots))


def _candidates(candidates: Iterable[Candidate], displayed: Displayed) -> tuple[Candidate, ...]:
    return tuple(replace(one, display_name=display_name(one.photographer, displayed)) for one in candidates)


def _word(word: str) -> str:
    parts = [part[:1].upper() + part[1:] for part in word.split("-")]
    return "-".join(parts) + ("." if len(word) == 1 else "")
