"""The ledger: an SQL database with a row for every file that has been ingested, and the jobs.

SQLite in the data directory by default; PostgreSQL where several machines share a ledger. Everything is written in
transactions, and only one process writes at a time. So a job that is killed at any moment finds the ledger as its last
finished batch left it, and no transaction decides on data that another is about to change.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ingest.ledger.postgres import keep_deadlines
from ingest.ledger.tables import SCHEMA_VERSION, meta
from ingest.ledger.upgrade import upgrade
from search.deadlines import CircuitBreaker, within_deadline
from search.errors import DiskFullError, LedgerDamagedError, LedgerError, LedgerUnavailableError, SettingsError

BUSY_SECONDS = 30
"""How long a writer waits for another one before it fails, where the deadline of a request is not earlier."""

LONGEST_INDEXED = 2500
"""Most bytes of a path in PostgreSQL, whose indexes take rows of a third of a page: 2,704 bytes, with the columns
beside the path. Source: PostgreSQL, "B-Tree Limits"."""

WRITERS = 0x6C696B65
"""Number of the PostgreSQL advisory lock that writers hold, so that they write one at a time, as in SQLite."""

LEAST_FREE = 1 << 20
"""With fewer free bytes on its disk, an error of reading or writing SQLite's files means that the disk is full: SQLite
says so itself only where it was about to write the database or its log."""

UNAVAILABLE_HINT = "Nothing recorded is lost. Is its server running, and LIKEWISE_DATABASE_URL right?"

MOST_FAULTS = 20
"""Faults of its file that SQLite is asked to name."""

AWAY = frozenset({"08", "57", "53", "40", "55"})
"""Classes of SQLSTATE after which a retry may succeed: no connection, server shutting down or starting, out of
connections or memory, deadlock, lock not available. See the list of error codes in PostgreSQL's manual."""


class Ledger:
    """The database behind one data directory.

    Safe to use from several threads and processes; they write one at a time.

    Args:
        url: an SQLAlchemy address, such as ``sqlite:////srv/likewise/ledger.sqlite``.

    Raises:
        SettingsError: the address is invalid.
        LedgerDamagedError: its file is damaged, or no ledger.
        LedgerError: the ledger cannot be opened, or a newer version of Likewise wrote it.
        DiskFullError: the disk is full.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            self._breaker = CircuitBreaker(self._refuse_call)
            self._engine = _create(parsed, self._breaker)
        except ValueError:  # its message may quote part of a password
            raise _no_address("its port is no number") from None
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise _no_address(str(error)) from None
        self._name = parsed.render_as_string(hide_password=True)
        is_file = parsed.get_backend_name() == "sqlite" and parsed.database
        self._folder = Path(parsed.database).parent if is_file and parsed.database else None
        try:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"The ledger {self._name} cannot be made: {error.strerror}.") from error
        with self.write() as connection:
            self._refuse_foreign(connection)
            found = upgrade(connection)
        if found != SCHEMA_VERSION:
            self.close()
            raise LedgerError(
                f"The ledger {self._name} has layout {found}; this Likewise reads layout {SCHEMA_VERSION}.",
                "Use the version of Likewise that wrote it, or another data directory (LIKEWISE_HOME).",
            )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading only.

        Raises:
            LedgerUnavailableError: the database does not answer now.  LedgerError, DiskFullError: it refuses.
        """
        with self._translated(), self._breaker.call(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises. Never nest two in one thread.

        Raises:
            LedgerUnavailableError: the database does not answer now.  LedgerError, DiskFullError: it refuses.
        """
        with (
            self._translated(),
            self._breaker.call(),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            if self._is_server:
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": WRITERS})
            yield connection

    def now(self, connection: Connection) -> float:
        """Seconds since the epoch, by a clock that all processes of the ledger share."""
        if self._is_server:
            return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        return time.time()

    @property
    def longest_path(self) -> int | None:
        """Most bytes of a path; None where every path of the operating system fits."""
        return LONGEST_INDEXED if self._is_server else None

    def quick_check(self) -> list[str]:
        """What SQLite finds wrong with its file, in its words and at most :data:`MOST_FAULTS`; nothing for PostgreSQL,
        which keeps checksums of its own.

        Raises:
            LedgerDamagedError: so much is wrong that SQLite cannot even look.
        """
        if self._is_server:
            return []
        with self.read() as connection:
            found = connection.exec_driver_sql(f"PRAGMA quick_check({MOST_FAULTS})").scalars().all()
        return [line for line in map(str, found) if line != "ok"]

    def damaged(self, reason: str) -> LedgerDamagedError:
        """The error for a damaged ledger."""
        return LedgerDamagedError(
            f"The ledger {self._name} is damaged: {reason}. It holds which files were taken in, the jobs, and who was "
            "credited by hand; vectors, records and previews are not concerned.",
            "Restore a backup into a new data directory (`likewise restore DIR --home NEW`). Without one, move the "
            "ledger's file and those beside it that end in -wal and -shm out of the data directory and run `likewise "
            "ingest` again for the same folders: nothing is embedded again, but credits and names given by hand are "
            "lost.",
        )

    def _refuse_foreign(self, connection: Connection) -> None:
        """
        Raises:
            LedgerDamagedError: the file is a database of another program.
        """
        if self._is_server:  # a database may hold more than one program's tables
            return
        found = inspect(connection)
        tables = found.get_table_names()
        ours = meta.name in tables and {"key", "value"} <= {column["name"] for column in found.get_columns(meta.name)}
        if tables and not ours:
            raise LedgerDamagedError(
                f"The ledger {self._name} is no ledger of Likewise: it holds {', '.join(tables[:5])}. Nothing was "
                "written to it.",
                "Name another database (LIKEWISE_DATABASE_URL) or data directory (LIKEWISE_HOME), or move that file "
                "away.",
            )

    def _refuse_call(self) -> LedgerUnavailableError:
        return LedgerUnavailableError(f"The ledger {self._name} does not answer.", UNAVAILABLE_HINT)

    @property
    def _is_server(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            if self._is_disk_full(cause):
                raise DiskFullError(
                    f"The ledger {self._name} cannot grow: the disk {self._full_disk()}is full.",
                    "Make room and run the same command again; nothing recorded is lost.",
                ) from error
            if _is_damaged(cause):
                raise self.damaged(str(cause).strip()) from error
            if _passes(error):
                raise LedgerUnavailableError(
                    f"The ledger {self._name} cannot be used just now: {str(cause).strip()}.",
                    UNAVAILABLE_HINT,
                ) from error
            raise LedgerError(
                f"The ledger {self._name} said no: {cause}.", "Nothing recorded is lost; run the command again."
            ) from error
        except (OverflowError, UnicodeEncodeError) as error:  # a driver cannot even hand the value over
            raise LedgerError(
                f"A value does not fit into the ledger {self._name}: {error}.",
                "That is an error of Likewise; please report it.",
            ) from error

    def _is_disk_full(self, cause: BaseException) -> bool:
        if not isinstance(cause, sqlite3.Error):
            return getattr(cause, "errno", None) == errno.ENOSPC or getattr(cause, "sqlstate", None) == "53100"
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return True
        touches_disk = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        return touches_disk and self._folder is not None and not _has_room(self._folder)

    def _full_disk(self) -> str:
        """The folder whose disk is full, with "of" before and a space behind; empty where that is not to be found
        out."""
        places = (
            [] if self._folder is None else [self._folder, Path(tempfile.gettempdir())]
        )  # SQLite sorts in the latter
        full = next((place for place in places if not _has_room(place)), None)
        return "" if full is None else f"of '{full}' "

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _no_address(reason: str) -> SettingsError:
    return SettingsError(
        f"The ledger's address is no database address: {reason}.",
        "LIKEWISE_DATABASE_URL takes an SQLAlchemy address, as postgresql+psycopg://user@host/likewise.",
    )


def _create(url: URL, breaker: CircuitBreaker) -> Engine:
    if url.get_backend_name() != "sqlite":
        # Threads limit the connections, as each takes one at a time: none waits for another's.
        engine = create_engine(url, pool_pre_ping=True, max_overflow=-1)
        if engine.driver == "psycopg":
            keep_deadlines(engine, breaker)
        return engine
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    # WAL with synchronous NORMAL: readers never wait for the writer, a killed process loses nothing, a power cut loses
    # at most the last batches, which are then done again.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "cache_size = -8192"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads before it writes could otherwise fail half-way instead of waiting.
    writes = connection.get_execution_options().get("writes")
    if writes:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * within_deadline(BUSY_SECONDS))}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_damaged(cause: BaseException) -> bool:
    """Whether SQLite cannot make sense of its file, or PostgreSQL (XX001, XX002) of its own."""
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return getattr(cause, "sqlstate", None) in ("XX001", "XX002")


def _passes(error: SQLAlchemyError) -> bool:
    """Whether the same statement may succeed later."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(cause, "sqlstate", None)
    if state is None:  # an error of the driver: it has no connection
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return state[:2] in AWAY


def _has_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free >= LEAST_FREE
    except OSError:
        return True
