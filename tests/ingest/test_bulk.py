"""The store's indexing is held back while very much is written, and never for longer."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.jobs import bulk_indexing
from ingest.jobs.service import JobService, JobState
from search.errors import StoreUnavailableError


class Indexing:
    """Records what is held, since the in-memory server never indexes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.held: set[str] = set()
        self.calls: list[tuple[str, bool]] = []
        self.away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        if self.away:
            raise StoreUnavailableError("The store is away.")
        self._store.schema(collection)
        self.calls.append((collection, held))
        (self.held.add if held else self.held.discard)(collection)

    def is_indexing_held(self, collection: str) -> bool:
        self._store.schema(collection)
        return collection in self.held


@pytest.fixture
def desk(make_desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(bulk_indexing, "BULK_FILES", 100)
    made = make_desk()
    made.store = Indexing(made.store)
    made.ingest = JobService(made.settings, made.store, made.ledger, made.runner, retry_delays=(0.0,))
    return made


class Killed(BaseException):
    """What a kill looks like from inside."""


def test_held_from_the_plan_to_the_end(desk: Any) -> None:
    desk.fill(120)
    desk.write("clip.mp4", "video")
    seen: list[set[str]] = []
    desk.runner.before = lambda _batch: seen.append(set(desk.store.held))
    assert desk.run().state is JobState.DONE
    assert seen == [{"images"}] * 3
    assert desk.store.held == set()


def test_little_holds_nothing(desk: Any) -> None:
    desk.fill(99)
    desk.run()
    assert desk.store.calls == []


def test_a_collection_that_is_made_with_the_first_batch_is_held_from_then_on(desk: Any) -> None:
    desk.fill(200)
    missing = [True]
    schema = desk.store._store.schema

    def not_yet(collection: str) -> Any:
        return schema("nothing" if missing[0] else collection)

    desk.store._store.schema = not_yet
    seen: list[set[str]] = []

    def watch(_batch: Any) -> None:
        seen.append(set(desk.store.held))
        missing[0] = False

    desk.runner.before = watch
    desk.run()
    assert seen == [set(), {"images"}, {"images"}, {"images"}]
    assert desk.store.held == set()


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_let_go_however_it_ends(desk: Any, how: str) -> None:
    desk.fill(200)
    job = desk.ingest.start([desk.media])

    def end(_batch: Any) -> None:
        if how == "cancelled":
            desk.ingest.cancel(job)
        else:
            raise RuntimeError("a bug")

    desk.runner.before = end
    if how == "failed":
        with pytest.raises(RuntimeError):
            desk.ingest.run(job)
    else:
        desk.ingest.run(job)
    assert desk.ingest.progress(job).state == how
    assert desk.store.held == set()
    assert ("images", True) in desk.store.calls


def kill_in_bulk(desk: Any) -> str:
    desk.fill(200)
    job = str(desk.ingest.start([desk.media]))

    def kill(_batch: Any) -> None:
        raise Killed

    desk.runner.before = kill
    with pytest.raises(Killed):
        desk.ingest.run(job)
    desk.runner.before = None
    assert desk.store.held == {"images"}
    return job


def test_after_a_crash_it_is_held_until_the_job_has_been_ended(desk: Any) -> None:
    job = kill_in_bulk(desk)
    desk.ingest.tidy()
    assert desk.store.held == {"images"}, "the job is not over"
    desk.write("other/one.jpg", "one")
    desk.run(desk.media / "other")
    assert desk.store.held == {"images"}
    assert desk.ingest.run(job).state is JobState.DONE
    assert desk.store.held == set()


def test_after_a_crash_a_cancel_lets_go(desk: Any) -> None:
    job = kill_in_bulk(desk)
    desk.ingest.cancel(job)
    assert desk.store.held == set()


def test_what_could_not_be_let_go_is_at_the_next_start(desk: Any) -> None:
    job = kill_in_bulk(desk)
    desk.store.away = True
    desk.ingest.cancel(job)
    assert desk.ingest.progress(job).state is JobState.CANCELLED
    assert desk.store.held == {"images"}
    desk.store.away = False
    desk.ingest.tidy()
    assert desk.store.held == set()


def test_a_halted_job_keeps_it_for_the_next_process(desk: Any) -> None:
    desk.fill(200)
    job = desk.ingest.start([desk.media])
    desk.runner.before = lambda _batch: desk.ingest.halt()
    desk.ingest.run(job)
    assert desk.ingest.progress(job).state is JobState.QUEUED
    assert desk.store.held == {"images"}
