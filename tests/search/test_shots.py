"""What two pictures that look alike are to each other: by facts, and by pixels where facts say nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.similar.shots import Comparisons, Shot, ShotVerdict, by_facts, in_sequence, pause_between, verdict

SHOT = Shot(600, 400, "2024-05-06T10:20:30", "Acme A1", 0.01, 100.0)
BARE = Shot(600, 400)

BURST, EDIT, UNSURE = ShotVerdict.BURST, ShotVerdict.EDITED_COPY, ShotVerdict.UNSURE
APART, SAME = ShotVerdict.APART, ShotVerdict.SAME_PICTURE


class Told:
    """Answers every comparison alike."""

    def __init__(self, answer: bool | None) -> None:
        self.answer, self.asked = answer, 0

    def moved(self, one: Shot, other: Shot) -> bool | None:
        self.asked += 1
        return self.answer


@pytest.mark.parametrize(
    ("one", "other", "seconds"),
    [
        ("2024-05-06T10:20:30", "2024-05-06T10:20:31", 1),
        ("2024-05-06T10:20:30.250", "2024-05-06T10:20:30.750", 0.5),
        ("2024-05-06T10:20:30.250", "2024-05-06T10:20:30", 0),
        ("2024-05-06T10:20:30", "2024-05-06T10:20:30+02:00", 0),
        ("2024-05-06T10:20:30+02:00", "2024-05-06T08:20:30+00:00", 0),
        ("2024-05-06T10:20:30+02:00", "2024-05-06T10:20:30+00:00", 0),
        ("2024-05-06T10:20:30", None, None),
        ("no time", "2024-05-06T10:20:30", None),
        ("2024-05-06", "2024-05-06T10:20:30", None),
        ("2024-05-06", "2024-05-06", None),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", 315537897599),
    ],
)
def test_pauses(one: str, other: str | None, seconds: float | None) -> None:
    assert pause_between(Shot(taken_at=one), Shot(taken_at=other)) == seconds
    assert pause_between(Shot(taken_at=other), Shot(taken_at=one)) == seconds


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"taken_at": "2024-05-06T10:20:31"}, BURST),
        ({"taken_at": "2024-05-06T10:20:40"}, BURST),
        ({"taken_at": "2024-05-06T10:20:41"}, None),
        ({"taken_at": "2024-05-06T10:20:31", "camera": None}, BURST),
        ({"taken_at": "2024-05-06T10:20:31", "camera": "Other"}, None),
        ({"exposure": 0.04}, BURST),
        ({"iso": 400.0}, BURST),
        ({"exposure": 0.0102}, None),
        ({"exposure": 0.04, "taken_at": None}, BURST),
        ({"exposure": 0.04, "taken_at": "2024-05-06T11:20:30"}, None),
        ({}, None),
        ({"camera": None, "taken_at": None}, None),
    ],
)
def test_what_facts_say(changes: dict[str, object], expected: ShotVerdict | None) -> None:
    other = replace(SHOT, **changes)
    assert by_facts(SHOT, other) is expected
    assert by_facts(other, SHOT) is expected


def test_one_time_to_the_fraction_is_one_shot_and_another_fraction_another() -> None:
    first = replace(SHOT, taken_at="2024-05-06T10:20:30.120")
    assert by_facts(first, replace(first, width=60, height=40)) is EDIT
    assert by_facts(first, replace(first, taken_at="2024-05-06T10:20:30.320")) is BURST
    assert by_facts(first, SHOT) is None
    assert by_facts(first, replace(first, camera=None)) is None
    # What an overlaid logo looks like to a comparison of pixels does not matter then.
    assert verdict(first, first, Comparisons(Told(answer=True))) is EDIT


def test_equal_pixels_are_the_same_picture_whenever_it_was_taken() -> None:
    one = replace(SHOT, pixel_hash="ab")
    later = replace(one, taken_at="2024-05-06T10:20:31", camera="Other")
    assert by_facts(one, later) is SAME
    assert by_facts(one, replace(later, width=400, height=600)) is not SAME
    assert by_facts(SHOT, SHOT) is None


@pytest.mark.parametrize(
    ("one", "other", "moved", "expected"),
    [
        (BARE, BARE, True, BURST),
        (BARE, BARE, False, UNSURE),
        (BARE, BARE, None, UNSURE),
        (BARE, Shot(300, 200), False, EDIT),
        (BARE, Shot(300, 200), None, EDIT),
        (BARE, Shot(300, 200), True, BURST),
        (BARE, Shot(), False, UNSURE),
        (SHOT, SHOT, True, BURST),
        (SHOT, SHOT, False, UNSURE),
        (SHOT, replace(SHOT, taken_at="2024-05-06T10:21:30"), False, UNSURE),
        (SHOT, replace(SHOT, taken_at="2024-05-06T10:21:30"), True, APART),
        (SHOT, replace(SHOT, taken_at="2024-05-06T10:21:30", width=300, height=200), None, UNSURE),
        (SHOT, replace(SHOT, camera="Other"), True, APART),
        (SHOT, replace(SHOT, camera="Other"), False, EDIT),
        (SHOT, replace(SHOT, width=400, height=600), False, UNSURE),
    ],
)
def test_pixels_decide_what_facts_leave_open(one: Shot, other: Shot, moved: bool | None, expected: ShotVerdict) -> None:
    assert verdict(one, other, Comparisons(Told(moved))) is expected
    assert verdict(other, one, Comparisons(Told(moved))) is expected


def test_comparisons_end_when_their_time_is_up() -> None:
    told, ticks = Told(answer=True), iter(range(100))
    comparisons = Comparisons(told, seconds=2.0, clock=lambda: float(next(ticks)))
    assert [comparisons.moved(BARE, BARE) for _ in range(4)] == [True, True, None, None]
    assert (told.asked, comparisons.refused) == (2, 2)
    assert Comparisons().moved(BARE, BARE) is None


def test_shots_in_sequence_are_of_one_camera_and_near_in_time() -> None:
    assert in_sequence(SHOT, replace(SHOT, taken_at="2024-05-06T10:20:33"))
    assert not in_sequence(SHOT, SHOT)
    assert not in_sequence(SHOT, replace(SHOT, taken_at="2024-05-06T10:22:33"))
    assert not in_sequence(SHOT, replace(SHOT, taken_at="2024-05-06T10:20:33", camera="Other"))
    assert not in_sequence(SHOT, replace(SHOT, taken_at=None))
    unknown = replace(SHOT, camera=None)
    assert not in_sequence(unknown, replace(unknown, taken_at="2024-05-06T10:20:33"))
