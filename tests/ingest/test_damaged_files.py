"""A damaged or foreign ledger, and a collection that is set aside, say what is lost, and ingesting again goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.ledger.database import Ledger
from search.errors import LedgerDamagedError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger in SQLite that nothing has open, of some pages."""
    path = tmp_path / "ledger.sqlite"
    Ledger(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    connection.executemany(
        "INSERT INTO renames VALUES (?, ?)", [(f"{n:05} {'x' * 200}", "a name") for n in range(2000)]
    )
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert not path.with_name("ledger.sqlite-wal").exists()
    return path


def overwrite(path: Path, start: float, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * start))
        file.write(b"\xff" * length)


@pytest.mark.parametrize("start", [0, 0.00001])
def test_a_malformed_ledger_says_what_is_lost_and_how_to_go_on(path: Path, start: float) -> None:
    overwrite(path, start, 4096)
    with pytest.raises(LedgerDamagedError, match=r"is damaged: .*which files were taken in") as caught:
        Ledger(f"sqlite:///{path}").quick_check()
    assert "likewise restore" in caught.value.hint
    assert "-wal" in caught.value.hint


def test_damage_in_the_middle_is_found_by_a_check_and_named_when_it_is_met(path: Path) -> None:
    assert Ledger(f"sqlite:///{path}").quick_check() == []
    overwrite(path, 0.6, 20_000)
    ledger = Ledger(f"sqlite:///{path}")
    found = ledger.quick_check()
    assert found
    assert "renames" in " ".join(found) or "page" in " ".join(found)
    with pytest.raises(LedgerDamagedError, match="malformed"), ledger.read() as connection:
        connection.exec_driver_sql("SELECT sum(length(old)) FROM renames NOT INDEXED").scalar()
    ledger.close()


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE meta (name TEXT)")
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(LedgerDamagedError, match=r"no ledger of Likewise: it holds bookmarks, meta"):
        Ledger(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    assert sorted(name for (name,) in connection.execute("SELECT name FROM sqlite_master")) == ["bookmarks", "meta"]
    connection.close()


def test_without_its_ledger_a_library_is_taken_in_again_and_nothing_is_embedded(
    make_desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk()
    desk.fill(5)
    desk.run()
    before = desk.records()
    monkeypatch.setattr(desk.store, "upsert", lambda *_: pytest.fail("embedded again"))
    again = make_desk(desk.store, home=desk.settings.home.with_name("elsewhere"))
    assert again.run().failed == 0
    assert again.records() == before


def test_a_collection_that_was_set_aside_is_filled_again_from_the_same_folders(
    make_desk: Callable[..., Any], counts: Callable[..., Any]
) -> None:
    desk = make_desk()
    desk.fill(5)
    desk.write("heard.wav", "heard")
    desk.run()
    desk.store.delete("images", [point.id for point in desk.store.scroll("images")])
    assert counts(desk.run()) == {"embedded": 5, "unchanged": 1}
    assert len(desk.records()) == 6
