"""A database server that goes away for a while costs an ingest nothing but time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ingest.jobs.service import JobProgress, JobService, JobState
from ingest.ledger.database import Ledger
from search.errors import LedgerUnavailableError

Counts = Callable[[JobProgress], dict[str, int]]
PATIENCE = 60


def test_ingest_goes_on_when_the_database_is_back(make_desk: Any, postgres: Any, counts: Counts) -> None:
    desk = make_desk(database_url=postgres.make())
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, retry_delays=(0.2,) * 50)
    desk.fill(200)
    stopped, back = [False], threading.Event()

    def start_again() -> None:
        postgres.start()
        back.set()

    def stop(_batch: Any) -> None:
        if len(desk.runner.batches) == 2 and not stopped[0]:
            stopped[0] = True
            postgres.stop()
            threading.Timer(1.0, start_again).start()

    desk.runner.before = stop
    job = desk.ingest.start([desk.media])
    said: list[str] = []
    done = desk.ingest.run(job, lambda progress: said.append(progress.message))
    assert back.wait(PATIENCE)
    assert done.state is JobState.DONE
    assert counts(done) == {"embedded": 200}
    assert len(desk.records()) == 200
    assert any("cannot be used just now" in message and "Trying again" in message for message in said)


def test_a_server_that_is_not_there_is_told_apart_from_a_ledger_that_is_wrong(postgres: Any) -> None:
    url = postgres.make()
    with pytest.raises(LedgerUnavailableError, match="cannot be used just now"):
        Ledger(url.replace(str(postgres.port), "1"))
    assert LedgerUnavailableError.retryable


def test_writers_take_turns(make_desk: Any, postgres: Any) -> None:
    """What one transaction has read stays true until it ends, whoever else wants to write."""
    ledger = Ledger(postgres.make())
    reached, written = threading.Event(), threading.Event()

    def other() -> None:
        reached.set()
        with ledger.write():
            written.set()

    thread = threading.Thread(target=other)
    with ledger.write():
        thread.start()
        assert reached.wait(PATIENCE)
        assert not written.wait(0.3)
    assert written.wait(PATIENCE)
    thread.join()
    ledger.close()
