"""The time that is left of a job: by kind and bytes, not told by files that needed no work; and what a job without any
says."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.jobs import workload
from ingest.jobs.workload import Workload
from search.media import Kind

MIB = 2**20


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(workload.time, "monotonic", lambda: now[0])
    return now


def test_films_that_are_left_take_longer_than_pictures(clock: list[float]) -> None:
    left = {}
    for kind in (Kind.IMAGE, Kind.VIDEO):
        work = Workload()
        work.plan([(Kind.IMAGE, 20, 20 * MIB), (kind, 10, 10 * MIB)])
        for _ in range(2):
            clock[0] += 5
            work.settle([(Kind.IMAGE, MIB)] * 10)
        rate, left[kind] = work.speed(20, 30)
        assert rate == pytest.approx(2.0)
    assert left[Kind.VIDEO] > 2 * left[Kind.IMAGE]


def test_what_needs_no_work_and_the_wait_for_the_models_tell_no_speed(clock: list[float]) -> None:
    work = Workload()
    work.plan([(Kind.IMAGE, 100, 0)])
    clock[0] += 3  # two files that are no media have been counted by now, as done
    assert work.speed(2, 102) == (0.0, None)
    clock[0] += 60  # models
    work.settle([(Kind.IMAGE, 0)] * 10)
    clock[0] += 5
    assert work.speed(12, 102)[1] is None
    clock[0] += 5
    work.settle([(Kind.IMAGE, 0)] * 10)
    assert work.speed(22, 102) == (pytest.approx(1.0), pytest.approx(80.0))
    work.drop([(Kind.IMAGE, 0)] * 40)  # their bytes are known already
    assert work.speed(62, 102)[1] == pytest.approx(40.0)


def test_a_job_of_other_units_goes_by_these(clock: list[float]) -> None:
    work = Workload()
    assert work.speed(0, 50) == (0.0, None)
    clock[0] += 10
    assert work.speed(10, 50) == (pytest.approx(1.0), pytest.approx(40.0))
    clock[0] += 2 * workload.WINDOW
    work.speed(10, 50)
    clock[0] += workload.WINDOW + 1
    assert work.speed(10, 50) == (0.0, None)


def test_a_folder_without_media_says_what_to_look_at(desk: Any) -> None:
    desk.media.mkdir(exist_ok=True)
    assert f"No file was found in '{desk.media}'." in desk.run().message
    desk.write("readme.md", "words")
    desk.write("notes.md", "words")
    assert "None of the 2 files" in desk.run().message


def test_the_time_left_goes_by_what_is_embedded(desk: Any) -> None:
    """Two files that are no media were done within the first instant, and told 20 a second."""
    desk.fill(3)
    for name in ("a.md", "b.md"):
        desk.write(name, "words")
    seen = []
    desk.ingest.run(desk.ingest.start([desk.media]), on_progress=seen.append)
    assert all(one.rate == 0 and one.eta_seconds is None for one in seen if one.embedded == 0)
