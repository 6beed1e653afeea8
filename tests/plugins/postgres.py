"""A real PostgreSQL server for the tests that want one."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

POSTGRESQL = Path("/usr/lib/postgresql")
PATIENCE = 60


class Postgres:
    """A real PostgreSQL server in a temporary folder. It sorts texts as English does, as most servers do by default."""

    def __init__(self, programs: Path, user: str | None) -> None:
        self._programs, self._user = programs, user
        self.folder = Path(tempfile.mkdtemp(prefix="likewise-postgres-"))
        if user is not None:
            shutil.chown(self.folder, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en")
        options = ("--pgdata", str(self.folder / "data"), "--username=likewise", "--auth=trust", "--no-sync", *locale)
        subprocess.run([programs / "initdb", *options], user=user, cwd="/", check=True, capture_output=True)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://likewise@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = ("-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *options, "-c", "fsync=off"], user=self._user, cwd="/", stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, with whatever is connected cut off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop all of its processes where they are; what is connected stays connected."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, number)

    def make(self) -> str:
        """A new, empty database; its address."""
        name = f"test_{secrets.token_hex(6)}"
        import psycopg  # not in every process of tests

        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server; skips where the programs are not installed."""
    programs = sorted(POSTGRESQL.glob("*/bin/initdb"))
    if not programs:
        pytest.skip("needs PostgreSQL, which this machine does not have: no /usr/lib/postgresql/*/bin/initdb")
    user = None
    if os.geteuid() == 0:  # as whom the server refuses to run
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next(name for name in ("postgres", "nobody") if name in names)
    server = Postgres(programs[-1].parent, user)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder)
