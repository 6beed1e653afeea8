"""Periods of a photographer's work, and changes of features from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Period
from search.photographers.photos.features import FEATURE_NAMES, PICTURE_ONLY
from search.photographers.profiles.traits import MOST_ALIKE, Crowd
from search.store.base import Array

MONTHS_BY_MONTH, MONTHS_BY_QUARTER = 18, 60
"""Longest spans in months with monthly, and with quarterly periods; longer ones have yearly periods."""

LEAST_IN_PERIOD = 3
"""Photos below which a period has no medians."""

CHANGING = 4
"""Features whose course is shown."""


def period_summaries(taken_at: Sequence[str | None], features: Array) -> tuple[Period, ...]:
    """Periods of a photographer's work: medians of the features that changed most, by month, quarter or year.

    Args:
        taken_at: ISO 8601.
        features: float32 ``(n, 78)`` of the same photos.
    """
    members = periods(taken_at)
    medians = {label: Crowd(features[at]).middle for label, at in members.items() if len(at) >= LEAST_IN_PERIOD}
    changing = _changing(features, members, medians)
    return tuple(
        Period(
            label=label,
            photos=len(at),
            values={
                FEATURE_NAMES[f]: float(medians[label][f])
                for f in changing
                if label in medians and np.isfinite(medians[label][f])
            },
        )
        for label, at in members.items()
    )


def periods(taken_at: Sequence[str | None]) -> dict[str, NDArray[np.intp]]:
    """Positions by month, quarter or year, whichever suits the span, in order of time; without those of no known time.

    Args:
        taken_at: ISO 8601.
    """
    months = np.array([_month(time) for time in taken_at], int)
    dated = np.flatnonzero(months >= 0)
    if not len(dated):
        return {}
    span = months[dated].max() - months[dated].min() + 1
    size = 1 if span <= MONTHS_BY_MONTH else 3 if span <= MONTHS_BY_QUARTER else 12
    numbers = months[dated] // size
    return {_label(int(number), size): dated[numbers == number] for number in np.unique(numbers)}


def _changing(
    features: Array, members: Mapping[str, NDArray[np.intp]], medians: Mapping[str, NDArray[np.float64]]
) -> list[int]:
    """Features that changed most, over all periods and from each to the next, relative to their spread within one; no
    two redundant ones."""
    if len(medians) < 2:
        return []
    within = Crowd(np.concatenate([features[members[label]] - medians[label] for label in medians]))
    course = np.stack([medians[label] for label in medians])
    with np.errstate(all="ignore"):
        steps = np.abs(np.diff(course, axis=0)).mean(axis=0)
        moved = np.nan_to_num((np.ptp(course, axis=0) + steps) / within.spread, posinf=0)
    chosen: list[int] = []
    for at in sorted(PICTURE_ONLY, key=lambda at: -moved[at]):
        if len(chosen) == CHANGING or moved[at] <= 0:
            break
        if all(abs(within.alike[at, other]) < MOST_ALIKE for other in chosen):
            chosen.append(at)
    return chosen


def _month(time: str | None) -> int:
    """Months since year 0; -1 when unknown."""
    try:
        parsed = datetime.fromisoformat(time or "")
    except ValueError:
        return -1
    return 12 * parsed.year + parsed.month - 1


def _label(number: int, size: int) -> str:
    year, part = divmod(number, 12 // size)
    return {1: f"{year:04}-{part + 1:02}", 3: f"{year:04}-Q{part + 1}", 12: f"{year:04}"}[size]
