"""Two photographers beside each other: what tells them apart, what is alike, and whom a classifier takes for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search import addresses
from search.errors import UsageError
from search.evaluation.statistics import Estimate
from search.photographers.answers import Photo, StyleProfile
from search.photographers.display import Displayed, display_name
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import FEATURES
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.miscredits import OutOfFold
from search.photographers.profiles.people import FEW, STYLE, SUBJECT, VIEWS, People
from search.photographers.profiles.traits import NAMED, Crowd
from search.store.base import Array

DRAWS = 200
"""Bootstrap draws of whole folders and days behind each interval."""

MOST_DRAWN = 300
"""Photos of one photographer at most that are compared feature by feature, drawn at random."""

MOST_TRAITS = 24


@dataclass(frozen=True, slots=True)
class ComparedTrait:
    """One feature of two photographers.

    Attributes:
        words: how the first differs from the second: "darker shadows", say.
        one, other: median and 95 % interval of each, in the feature's unit; ``n`` is the number of photos.
        difference: of the medians, first minus second, with its interval.
        effect: the difference in robust deviations of the second's photos.
        certain: the interval of the difference excludes 0.
    """

    feature: str
    words: str
    unit: str
    one: Estimate
    other: Estimate
    difference: Estimate
    effect: float
    certain: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the two. ``display_name`` is what people read for ``name``."""

    id: str
    name: str
    display_name: str
    photos: int
    styles: tuple[StyleProfile, ...]


@dataclass(frozen=True, slots=True)
class TakenFor:
    """Whom the classifier takes photos of ``photographer`` for, when it had not learnt from them.

    Attributes:
        photos: number of the photos asked about.
        as_one, as_other, as_others: how many of them the first candidate was the first of the two, the second, and
            anybody else.
    """

    photographer: str
    photos: int
    as_one: int
    as_other: int
    as_others: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two photographers beside each other.

    Attributes:
        traits: features of the picture, those that tell the two apart most first.
        similarity: ``style`` and ``subject`` to the share of random pairs of photographers that are less alike, 0 to 1.
        pairs: ``style`` and ``subject`` to the nearest photos of the two, the first's beside the second's.
        taken_for: of each of the two; empty while there is no classifier that knows both.
    """

    one: Compared
    other: Compared
    traits: tuple[ComparedTrait, ...]
    similarity: Mapping[str, float]
    pairs: Mapping[str, tuple[tuple[Photo, Photo], ...]]
    taken_for: tuple[TakenFor, ...]
    notes: tuple[str, ...] = ()


def compare(
    people: People,
    one: str,
    other: str,
    predictions: OutOfFold | None,
    displayed: Displayed,
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare two photographers.

    Args:
        one, other: names.
        predictions: out-of-fold predictions of the classifier in use, if there is one.
        displayed: names that people want shown.
        notes: sentences to hand on.

    Raises:
        UsageError: they are the same.
    """
    if one == other:
        raise UsageError(f"'{one}' is compared with themselves.", "Name two photographers.")
    known = {by: people.similarity(by, one, other) for by in VIEWS}
    few = [display_name(name, displayed) for name in (one, other) if len(people.rows[name]) < FEW]
    said = [*notes, *(f"Of {name} there are few photos, so much of it may be chance." for name in few)]
    return Comparison(
        one=_compared(people, one, displayed),
        other=_compared(people, other, displayed),
        traits=compared_traits(people.photos, people.rows[one], people.rows[other]),
        similarity={by: share for by, share in known.items() if share is not None},
        pairs={by: pairs for by in (STYLE, SUBJECT) if (pairs := people.pairs(by, one, other))},
        taken_for=_taken_for(people, one, other, predictions),
        notes=tuple(said),
    )


def compared_traits(photos: PhotoSet, mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> tuple[ComparedTrait, ...]:
    """Features of the picture in which two sets of photos differ, the clearest first.

    Intervals are percentiles of bootstrap draws of whole folders and days, as photos of one shoot are no independent
    evidence.

    Args:
        mine, theirs: positions of the photos.
    """
    rng = np.random.default_rng(0)
    rows = [rng.choice(some, MOST_DRAWN, replace=False) if len(some) > MOST_DRAWN else some for some in (mine, theirs)]
    values = [photos.features[some][:, list(NAMED)] for some in rows]
    # A feature that is not known of all photos is compared over those of which it is.
    middles = [np.where(np.isfinite(some).any(axis=0), _medians(some), np.nan) for some in values]
    drawn = [_drawn_medians(some, _shoots(photos, at), rng) for some, at in zip(values, rows, strict=True)]
    crowd = Crowd(photos.features[rows[1]])
    found = []
    for column, at in enumerate(NAMED):
        first, second = (
            _estimate(middle[column], draws[:, column], some[:, column])
            for middle, draws, some in zip(middles, drawn, values, strict=True)
        )
        gap = first.value - second.value
        low, high = (
            np.nanpercentile(drawn[0][:, column] - drawn[1][:, column], (2.5, 97.5)) if np.isfinite(gap) else (gap, gap)
        )
        if not np.isfinite((low, high, first.low, second.low)).all():
            continue
        spread = float((crowd.above if gap > 0 else crowd.below)[at])
        feature = FEATURES[at]
        difference = Estimate(gap, float(low), float(high), first.n + second.n)
        found.append(
            ComparedTrait(
                feature=feature.name,
                words=feature.more if gap > 0 else feature.less,
                unit=feature.unit,
                one=first,
                other=second,
                difference=difference,
                effect=gap / spread if spread > 0 else 0.0,
                certain=bool(low > 0 or high < 0),
            )
        )
    found.sort(key=lambda trait: (not trait.certain, -abs(trait.effect)))
    return tuple(found[:MOST_TRAITS])


def _compared(people: People, name: str, displayed: Displayed) -> Compared:
    return Compared(
        photographer_id(name), name, display_name(name, displayed), len(people.rows[name]), people.styles(name)
    )


def _taken_for(people: People, one: str, other: str, predictions: OutOfFold | None) -> tuple[TakenFor, ...]:
    if predictions is None or not {one, other} <= set(predictions.names):
        return ()
    at = {name: predictions.names.index(name) for name in (one, other)}
    found = []
    for name in (one, other):
        rows = (predictions.rows.get(people.photos.ids[row]) for row in people.rows[name])
        best = [int(probabilities.argmax()) for probabilities in rows if probabilities is not None]
        as_one, as_other = best.count(at[one]), best.count(at[other])
        found.append(TakenFor(name, len(best), as_one, as_other, len(best) - as_one - as_other))
    return tuple(found)


def _shoots(photos: PhotoSet, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number of the folder and day of each photo, intp ``(n,)``."""
    keys = [(addresses.parent(photos.paths[at]) or "", (photos.taken_at[at] or "")[:10]) for at in rows.tolist()]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], np.intp)


def _drawn_medians(values: Array, shoots: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    """Medians of bootstrap draws of whole shoots, float64 ``(DRAWS, features)``."""
    members = [np.flatnonzero(shoots == number) for number in range(int(shoots.max()) + 1)]
    if len(members) < 2:  # one shoot: photos are all there is to draw
        members = [np.array([at]) for at in range(len(values))]
    draws = (np.concatenate([members[at] for at in rng.integers(0, len(members), len(members))]) for _ in range(DRAWS))
    return np.array([_medians(values[rows]) for rows in draws])


def _medians(values: Array) -> NDArray[np.float64]:
    if np.isfinite(values).all():
        return np.asarray(np.median(values, axis=0), np.float64)
    with np.errstate(all="ignore"):
        filled = np.where(np.isfinite(values), values, np.nan)
        some = np.isfinite(filled).any(axis=0)
        found = np.full(values.shape[1], np.nan)
        found[some] = np.nanmedian(filled[:, some], axis=0)
    return found


def _estimate(value: float, draws: NDArray[np.float64], values: Array) -> Estimate:
    known = draws[np.isfinite(draws)]
    low, high = np.percentile(known, (2.5, 97.5)) if len(known) else (np.nan, np.nan)
    return Estimate(float(value), float(low), float(high), int(np.isfinite(values).sum()))
