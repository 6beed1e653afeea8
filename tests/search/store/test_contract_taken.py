"""A day is the day where it was taken; a time with a zone is a moment. On every store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from search.store.filters import Filter, end_of_day

TAKEN = {
    "before": "2024-08-15T12:00:00",
    "noon": "2024-08-16T12:00:00",
    "evening": "2024-08-16T23:30:00",
    "hawaii": "2024-08-16T22:00:00-10:00",  # 17 August, 08:00 in Greenwich
    "zealand": "2024-08-16T05:00:00+12:00",  # 15 August, 17:00 in Greenwich
    "zulu": "2024-08-17T00:10:00Z",
    "day": "2024-08-16",
    "old": "1850-03-04T05:06:07.250",
    "unknown": None,
    "broken": "yesterday",
}


def local(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def day(number: int) -> Filter:
    return Filter(taken_from=local(2024, 8, number), taken_to=end_of_day(date(2024, 8, number)))


NEW_YORK = timezone(timedelta(hours=-4))

CASES = {
    "the day there": (day(16), {"noon", "evening", "hawaii", "zealand", "day"}),
    "the day before": (day(15), {"before"}),
    "the day after": (day(17), {"zulu"}),
    "from an hour of the clock": (Filter(taken_from=local(2024, 8, 16, 22)), {"evening", "hawaii", "zulu"}),
    "to an hour of the clock": (Filter(taken_to=local(2024, 8, 16, 5)), {"before", "zealand", "day", "old"}),
    "long ago": (Filter(taken_to=local(1900, 1, 1)), {"old"}),
    "from a moment": (Filter(taken_from=datetime(2024, 8, 16, 23, 30, tzinfo=UTC)), {"evening", "hawaii", "zulu"}),
    "to a moment": (Filter(taken_to=datetime(2024, 8, 15, 17, 0, tzinfo=UTC)), {"before", "zealand", "old"}),
    "a moment elsewhere": (
        Filter(
            taken_from=datetime(2024, 8, 16, 20, 0, tzinfo=NEW_YORK),
            taken_to=datetime(2024, 8, 16, 21, 0, tzinfo=NEW_YORK),
        ),
        {"zulu"},
    ),
    "from a moment to a day": (
        Filter(taken_from=datetime(2024, 8, 17, tzinfo=UTC), taken_to=end_of_day(date(2024, 8, 16))),
        {"hawaii"},
    ),
}


@pytest.fixture
def names(store, images, make_image):
    store.ensure(images)
    points = {name: make_image(n, taken_at=taken) for n, (name, taken) in enumerate(TAKEN.items())}
    store.upsert("images", list(points.values()))
    return {point.id: name for name, point in points.items()}


def test_days_and_moments(store, names):
    wrong = {}
    for name, (where, expected) in CASES.items():
        found = {names[point.id] for point in store.scroll("images", where=where)}
        if found != expected or store.count("images", where) != len(expected):
            wrong[name] = (found, expected)
    assert not wrong
