"""The ledger opens, refuses what it cannot read, and says what is wrong in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import below, files, metadata
from search.errors import DiskFullError, LedgerError, SettingsError


def test_makes_its_folder_and_opens_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deep' / 'er' / 'ledger.sqlite'}"
    for _ in range(2):
        ledger = Ledger(url)
        with ledger.read() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        ledger.close()


def test_refuses_another_layout(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Ledger(url).close()
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE meta SET value = '99'"))
    with pytest.raises(LedgerError, match="layout 99"):
        Ledger(url)


def test_refuses_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"holiday pictures" * 500)
    with pytest.raises(LedgerError, match="not a database"):
        Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


@pytest.mark.parametrize(
    "url",
    [
        "no address for sesame",
        "nosuchdb://me:sesame@x/y",
        "postgresql+nodriver://me:sesame@x/y",
        "postgresql+psycopg://me@x:sesame/y",
    ],
)
def test_refuses_what_is_no_address_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="no database address") as caught:
        Ledger(url)
    assert "sesame" not in str(caught.value)


def test_full_disk_is_called_by_its_name(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")

    def fill() -> None:
        with ledger.write() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count = {pages + 1}"))
            for i in range(1000):
                connection.execute(text("INSERT INTO libraries (name) VALUES (:name)"), {"name": f"{i}" * 100})

    with pytest.raises(DiskFullError, match="disk is full"):
        fill()
    with ledger.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM libraries")).scalar_one() == 0, "all or nothing"
    ledger.close()


def test_below_a_folder_takes_names_literally(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    paths = ["/a%/x", "/a%/x/y", "/a%", "/ab/x", "/A%/x", "/a%0", "/a%é/x"]
    row = {"folder": "/", "library": 1, "size": 0, "mtime_ns": 0, "state": "failed", "job": 1}
    with ledger.write() as connection:
        connection.execute(text("INSERT INTO libraries (id, name) VALUES (1, 'a')"))
        connection.execute(files.insert(), [row | {"path": path} for path in paths])
        found = connection.execute(files.select().where(below(files.c.path, "/a%"))).scalars().all()
        assert found == ["/a%/x", "/a%/x/y"]
        assert len(connection.execute(files.select().where(below(files.c.path, "/"))).all()) == len(paths)
    ledger.close()


def test_tables_suit_postgresql() -> None:
    dialect = postgresql.dialect()
    made = {table.name: str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables}
    assert 'path TEXT COLLATE "C"' in made["files"], "ranges of paths need byte order"
    assert "seq BIGSERIAL" in made["planned"]


def test_chunked() -> None:
    assert list(chunked(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunked([])) == []
