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


def display_name(name: str, told: Displayed) -> str:
    """What is shown for a photographer."""
    return told.get(name) or derived_name(name)


def derived_name(name: str) -> str:
    """``Alfred T. Palmer`` of ``alfred_t_palmer``: of lower-case words with underscores between them; any other name is
    shown as it is."""
    if name != name.lower() or not _LABEL.fullmatch(name):
        return name
    first, *others = name.split("_")
    return " ".join([_word(first), *(word if word in _PARTICLES else _word(word) for word in others)])


def shown_as(shown: str, names: Iterable[str], told: Displayed) -> str | None:
    """The photographer who is shown by this name, in whatever case; None where it is nobody or several."""
    found = [name for name in names if same_name(display_name(name, told), shown)]
    return found[0] if len(found) == 1 else None


def shown_prediction(prediction: Prediction, told: Displayed) -> Prediction:
    """A prediction whose candidates have display names."""
    return replace(
        prediction,
        candidates=_candidates(prediction.candidates, told),
        by_style=_candidates(prediction.by_style, told),
        by_subject=_candidates(prediction.by_subject, told),
        by_file=_candidates(prediction.by_file, told),
    )


def shown_set(prediction: SetPrediction, told: Displayed) -> SetPrediction:
    """A verdict on a set whose candidates have display names."""
    return replace(prediction, candidates=_candidates(prediction.candidates, told))


def shown_listed(listed: Iterable[PhotographerListed], told: Displayed) -> tuple[PhotographerListed, ...]:
    """Photographers of the list with display names."""
    return tuple(replace(one, display_name=display_name(one.name, told)) for one in listed)


def shown_photographer(shown: PhotographerShown, told: Displayed) -> PhotographerShown:
    """A photographer, and those who work alike, with display names."""
    return replace(shown, display_name=display_name(shown.name, told), alike=shown_alike(shown.alike, told))


def shown_alike(alike: Iterable[Alike], told: Displayed) -> tuple[Alike, ...]:
    """Similar photographers with display names."""
    return tuple(replace(one, display_name=display_name(one.name, told)) for one in alike)


def shown_map(found: PhotographerMap, told: Displayed) -> PhotographerMap:
    """A map whose spots have display names."""
    random = None if found.from_random is None else _chart(found.from_random, told)
    return replace(found, charts=tuple(_chart(chart, told) for chart in found.charts), from_random=random)


def _chart(chart: Chart, told: Displayed) -> Chart:
    spots = (replace(spot, display_name=display_name(spot.name, told)) for spot in chart.spots)
    return replace(chart, spots=tuple(spots))


def _candidates(candidates: Iterable[Candidate], told: Displayed) -> tuple[Candidate, ...]:
    return tuple(replace(one, display_name=display_name(one.photographer, told)) for one in candidates)


def _word(word: str) -> str:
    parts = [part[:1].upper() + part[1:] for part in word.split("-")]
    return "-".join(parts) + ("." if len(word) == 1 else "")
