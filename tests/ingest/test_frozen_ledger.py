"""A PostgreSQL server that is frozen: requests keep to their deadlines, and the ledger goes on when it thaws."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ingest.ledger.database import Ledger
from search.deadlines import deadline
from search.errors import LedgerUnavailableError

pytestmark = pytest.mark.slow


@pytest.fixture
def ledger(postgres: Any) -> Iterator[Ledger]:
    opened = Ledger(postgres.make())
    yield opened
    opened.close()


def ask(ledger: Ledger, seconds: float) -> float:
    """Seconds until a request got its answer."""
    began = time.monotonic()
    with deadline(seconds), ledger.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    return time.monotonic() - began


def test_a_request_ends_at_its_deadline_and_is_answered_again_after_the_thaw(ledger: Ledger, postgres: Any) -> None:
    ask(ledger, 5)
    postgres.freeze()
    try:
        for _ in range(2):  # over the connection that it had, and over a new one
            began = time.monotonic()
            with pytest.raises(LedgerUnavailableError) as raised:
                ask(ledger, 0.5)
            assert time.monotonic() - began < 5
            assert raised.value.hint
    finally:
        postgres.thaw()
    ask(ledger, 10)


def freeze_between_two_inserts(ledger: Ledger, postgres: Any) -> None:
    with deadline(0.5), ledger.write() as connection:
        connection.execute(text("INSERT INTO kept VALUES (1)"))
        postgres.freeze()
        connection.execute(text("INSERT INTO kept VALUES (2)"))


def test_a_frozen_write_leaves_nothing_half_done(ledger: Ledger, postgres: Any) -> None:
    with ledger.write() as connection:
        connection.execute(text("CREATE TABLE kept (n integer)"))
    try:
        with pytest.raises(LedgerUnavailableError):
            freeze_between_two_inserts(ledger, postgres)
    finally:
        postgres.thaw()
    with ledger.write() as connection:
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar() == 0


def test_a_writer_waits_for_another_until_its_deadline(ledger: Ledger) -> None:
    found: list[BaseException] = []

    def write() -> None:
        try:
            with deadline(0.5), ledger.write():
                pass
        except LedgerUnavailableError as error:
            found.append(error)

    with ledger.write():
        waiting = threading.Thread(target=write)
        waiting.start()
        waiting.join(20)
    assert len(found) == 1
    ask(ledger, 10)


def test_a_writer_of_sqlite_waits_until_its_deadline_too(tmp_path: Path) -> None:
    first, second = (Ledger(f"sqlite:///{tmp_path}/ledger.sqlite") for _ in range(2))
    began = time.monotonic()
    with first.write(), pytest.raises(LedgerUnavailableError), deadline(0.2), second.write():
        pass
    assert time.monotonic() - began < 10
    with second.write():
        pass
