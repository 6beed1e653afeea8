"""A ledger that the first version wrote is brought to today's layout in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, text

from ingest.jobs.service import JobService, JobState
from ingest.ledger.access import Access, Scope
from ingest.ledger.database import Ledger
from ingest.ledger.request_keys import Claim, RequestKeys
from ingest.ledger.tables import (
    SCHEMA_VERSION,
    access,
    credit_edits,
    credited,
    display_names,
    files,
    jobs,
    metadata,
    planned,
    renames,
    request_keys,
    shoot_names,
    sidecars_read,
    told_facts,
    unsettled,
)
from workers.batch.report import Priority

LAYOUT_1 = Path(__file__).with_name("layout_1.sql")
"""What the first version left of two jobs, one of them killed: ``sqlite3 ledger.sqlite .dump``, paths replaced."""


FOR_POSTGRESQL = (
    (" WITHOUT ROWID", ""),
    ("id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "id SERIAL PRIMARY KEY"),
    ("seq INTEGER NOT NULL", "seq SERIAL NOT NULL"),
    ("path TEXT", 'path TEXT COLLATE "C"'),
    ("folder TEXT", 'folder TEXT COLLATE "C"'),
    ("]',0,0,", "]',false,false,"),
    ('DELETE FROM "sqlite_sequence"', "SELECT 1"),
    ("INSERT INTO \"sqlite_sequence\" VALUES('jobs',2)", "SELECT setval('jobs_id_seq', 2)"),
)


def write_old(url: str, media: Path) -> None:
    """A ledger as the old code wrote it, over files in ``media``."""
    statements = LAYOUT_1.read_text("utf-8").replace("MEDIA", str(media))
    for here, there in FOR_POSTGRESQL if url.startswith("postgresql") else ():
        statements = statements.replace(here, there)
    tables, _, rest = statements.partition("CREATE TABLE jobs")
    libraries = rest[rest.index("CREATE TABLE libraries") : rest.index("CREATE TABLE meta")]
    engine = create_engine(url)
    with engine.begin() as connection:  # what others refer to first
        for statement in f"{libraries}{tables}CREATE TABLE jobs{rest.replace(libraries, '')}".split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def old(make_settings: Any, media: Path) -> str:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (media / name).write_text(f"picture {name}")
    settings = make_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    write_old(settings.ledger_url, media)
    return str(settings.ledger_url)


def test_columns_are_those_of_a_new_ledger(old: str, make_settings: Any, tmp_path: Path) -> None:
    Ledger(old).close()
    fresh = make_settings(home=tmp_path / "fresh").ledger_url
    Ledger(fresh).close()
    for table in metadata.tables:
        here, there = (
            {column["name"]: str(column["type"]) for column in inspect(create_engine(url)).get_columns(table)}
            for url in (old, fresh)
        )
        assert here == there, table


def test_jobs_files_and_what_is_unsettled_stay(old: str) -> None:
    ledger = Ledger(old)
    with ledger.read() as connection:
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'schema'")).scalar() == SCHEMA_VERSION
        first, second = connection.execute(select(jobs).order_by(jobs.c.id)).all()
        assert (first.state, first.embedded, first.task, first.priority) == ("done", 2, "ingest", "normal")
        assert (second.state, second.owner, second.wanted, second.bulk) == ("running", "", "", False)
        assert connection.execute(select(unsettled)).all() == [("00000000-0000-5000-8000-000000000001", 0)]
        assert connection.execute(select(planned)).all() == []
    ledger.close()
    Ledger(old).close()


def test_a_job_that_the_old_code_left_is_taken_up(old: str, make_desk: Any, media: Path) -> None:
    desk = make_desk()
    assert isinstance(desk.ingest, JobService)
    assert desk.ingest.waiting() == ["2"]
    done = desk.ingest.run("2")
    assert (done.state, done.priority, done.total) == (JobState.DONE, Priority.NORMAL, 3)
    assert set(desk.records()) == {"a.jpg", "b.jpg", "c.jpg"}
    with desk.ledger.read() as connection:
        assert connection.execute(select(unsettled)).all() == []


def make_layout(number: str, ledger: Ledger) -> None:
    """Take from a ledger of today what layout ``number`` did not have."""
    with ledger.write() as connection:
        for table in (credit_edits, display_names, shoot_names, told_facts):
            table.drop(connection)
        connection.execute(text(f"UPDATE meta SET value = '{number}' WHERE key = 'schema'"))
        if number == "6":
            return
        request_keys.drop(connection)
        if number == "5":
            return
        access.drop(connection)
        if number == "4":
            return
        connection.execute(text("DROP INDEX files_sidecars"))
        sidecars_read.drop(connection)
        for table in (files, planned):
            for name in ("ctime_ns", "sidecars"):
                connection.execute(text(f"ALTER TABLE {table.name} DROP COLUMN {name}"))
        for table in (credited, renames) if number == "2" else ():
            table.drop(connection)


@pytest.mark.parametrize("number", ["4", "5", "6"])
def test_tables_are_added_and_what_was_noted_of_files_and_jobs_stays(number: str, make_desk: Any, media: Path) -> None:
    desk = make_desk()
    (media / "a.jpg").write_text("picture a")
    desk.run()
    token = Access(desk.ledger).add_token("desk", Scope.READ)
    with desk.ledger.read() as connection:
        before = [connection.execute(select(table)).all() for table in (files, jobs)]
    make_layout(number, desk.ledger)
    ledger = Ledger(desk.settings.ledger_url)
    with ledger.read() as connection:
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'schema'")).scalar() == SCHEMA_VERSION
        assert [connection.execute(select(table)).all() for table in (files, jobs)] == before
        for table in (request_keys, credit_edits, display_names, shoot_names, told_facts):
            assert connection.execute(select(table)).all() == []
        assert inspect(connection).get_indexes("request_keys")
    assert (Access(ledger).token(token) is not None) == (number in ("5", "6"))
    assert isinstance(RequestKeys(ledger).claim("a" * 64, "key", "b" * 64), Claim)
    ledger.close()


@pytest.mark.parametrize("number", ["2", "3"])
def test_a_ledger_of_a_layout_before_gets_what_is_new_and_keeps_the_rest(
    number: str, make_desk: Any, media: Path
) -> None:
    desk = make_desk()
    (media / "a.jpg").write_text("picture a")
    desk.run()
    make_layout(number, desk.ledger)
    ledger = Ledger(desk.settings.ledger_url)
    with ledger.read() as connection:
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'schema'")).scalar() == SCHEMA_VERSION
        for table in (credited, renames, sidecars_read, planned):
            assert connection.execute(select(table)).all() == []
        [row] = connection.execute(select(files)).all()
        assert (row.path, row.ctime_ns, row.sidecars) == (str(media / "a.jpg"), None, "")
        assert len(connection.execute(select(jobs)).all()) == 1
        names = {index["name"] for index in inspect(connection).get_indexes("files")}
        assert names == {index.name for index in files.indexes}
    ledger.close()
