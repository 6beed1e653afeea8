from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from search.errors import LikewiseError, StoreError, StoreUnavailableError
from search.media import Kind
from search.settings import Settings
from search.store.base import Point, Store
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, FileRef, Status
from workers.cluster import retry
from workers.cluster.retry import with_retries


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses asked for, which take no time here but pass on the clock."""
    asked: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", asked.append)
    monkeypatch.setattr(retry.time, "monotonic", lambda: sum(asked))
    return asked


def test_tries_again_in_growing_pauses_until_it_succeeds(pauses: list[float]) -> None:
    left = [StoreUnavailableError("Away.")] * 6

    def action() -> str:
        if left:
            raise left.pop()
        return "done"

    assert with_retries(action) == "done"
    assert len(pauses) == 6
    assert all(0 < pause <= retry.LONGEST_DELAY for pause in pauses)
    assert pauses[-1] > pauses[0]


def test_pauses_differ_between_those_who_wait(pauses: list[float]) -> None:
    """Or all of them would come back to a server that has just risen at the same moment."""
    for _ in range(2):
        left = [StoreUnavailableError("Away.")]
        with_retries(lambda left=left: fail(left.pop()) if left else None)
    assert pauses[0] != pauses[1]


def fail(error: LikewiseError) -> None:
    raise error


def test_raises_what_will_not_pass_by_itself(pauses: list[float]) -> None:
    with pytest.raises(StoreError, match="Refused"):
        with_retries(lambda: fail(StoreError("Refused.")))
    assert pauses == []


def test_gives_up_in_the_end_with_the_last_error(pauses: list[float]) -> None:
    with pytest.raises(StoreUnavailableError, match="Away"):
        with_retries(lambda: fail(StoreUnavailableError("Away.")), seconds=20.0)
    assert 10.0 < sum(pauses) <= 20.0


def test_a_store_that_is_away_for_a_moment_costs_a_batch_no_second_decoding(
    settings: Settings,
    store: Store,
    pool: Any,
    models: Any,
    make_file: Callable[..., FileRef],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    troubles = [StoreUnavailableError("Away.")] * 3
    upsert, retrieve = store.upsert, store.retrieve

    def shaky_upsert(collection: str, points: Sequence[Point]) -> None:
        if troubles:
            raise troubles.pop()
        upsert(collection, points)

    def shaky_retrieve(*args: Any, **kwargs: Any) -> Any:
        if len(troubles) > 2:
            raise troubles.pop()
        return retrieve(*args, **kwargs)

    monkeypatch.setattr(store, "upsert", shaky_upsert)
    monkeypatch.setattr(store, "retrieve", shaky_retrieve)
    files = tuple(make_file(f"{number}.jpg") for number in range(6))
    report = BatchProcessor(settings, store, pool, models).process(Batch("b1", "j1", Kind.IMAGE, files))
    assert {outcome.status for outcome in report.outcomes} == {Status.EMBEDDED}
    assert troubles == []
    assert sorted(pool.asked) == sorted(file.path for file in files)
    assert store.count("images") == 6
