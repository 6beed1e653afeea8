"""How quickly a server answers while slow and greedy clients are connected, and what they cost it in memory and disk.

Each server (`likewise up`, `likewise serve`, and `likewise serve` in two processes over doubles of Qdrant and Redis)
has a sound of 56 MB. A probe asks for /healthz and for a search, each on a connection of its own, one after the other,
while other processes are connected:

    nobody        for comparison
    slow          200 downloads that stop reading after the first bytes, and 200 requests whose headers never end, which
                  are opened again whenever the server closes them
    strangers     the same, and 100 clients without a token that send bodies of 250 MiB as fast as they are taken
    greedy        the same, but with a token: uploads of 250 MiB

Memory is the resident set of the server's processes; disk is what their files without a name take.

    .venv/bin/python tests/benchmarks/bench_clients.py [--seconds 60] [--checkout DIR] [up|serve|processes…]
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token that is long enough"
MODELS = {"LIKEWISE_IMAGE_MODEL": "efficientnet_lite0", "LIKEWISE_VIDEO_MODEL": "frames", "LIKEWISE_DEVICE": "cpu"}
MIB = 1 << 20
PAUSED = HALF_OPEN = 200
SENDERS, BODY = 100, 250 * MIB
PATIENCE = 10.0
"""Seconds after which an answer counts as missing."""


@dataclass(frozen=True)
class Served:
    port: int
    process: subprocess.Popen[str]
    file: str

    def memory(self) -> float:
        """MiB."""
        return sum(each.memory_info().rss for each in self._processes()) / MIB

    def disk(self) -> float:
        """MiB in files that have no name."""
        found = {}
        for each in self._processes():
            for link in Path(f"/proc/{each.pid}/fd").iterdir():
                with suppress(OSError):
                    if str(link.readlink()).endswith("(deleted)") and "memfd" not in str(link.readlink()):
                        status = link.stat()
                        found[status.st_dev, status.st_ino] = status.st_blocks * 512
        return sum(found.values()) / MIB

    def _processes(self) -> list[psutil.Process]:
        one = psutil.Process(self.process.pid)
        return [one, *one.children(recursive=True)]


@dataclass
class Answers:
    """Seconds of each answer, by path; None for those that did not come."""

    seconds: dict[str, list[float | None]] = field(default_factory=dict)

    def __str__(self) -> str:
        told = []
        for path, all_seconds in self.seconds.items():
            came = [one for one in all_seconds if one is not None]
            middle, most = (statistics.median(came), max(came)) if came else (float("nan"), float("nan"))
            missing = len(all_seconds) - len(came)
            told.append(
                f"{path} p50 {middle * 1000:.0f} ms, max {most * 1000:.0f} ms, {len(came)} came, {missing} did not"
            )
        return "; ".join(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="*", default=["up", "serve", "processes"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="of the code that serves")
    arguments = parser.parse_args()
    for name in arguments.servers:
        with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
            served = stack.enter_context(SERVERS[name](Path(temporary), arguments.checkout))
            memory, disk = served.memory(), served.disk()
            print(f"{name}: {memory:.0f} MiB of memory", flush=True)
            for case, token in (("nobody", None), ("slow", None), ("strangers", None), ("greedy", TOKEN)):
                with connected(served, case, token):
                    answers, most, spooled = probed(served, arguments.seconds if case != "nobody" else 5.0)
                grown, written = most - memory, spooled - disk
                print(
                    f"  {case:9} {answers}; at most {grown:+.0f} MiB of memory, {written:+.0f} MiB on disk", flush=True
                )
            began = time.monotonic()
            served.process.send_signal(signal.SIGTERM)
            print(f"  ended with status {served.process.wait(120)} after {time.monotonic() - began:.1f} s", flush=True)


def probed(served: Served, seconds: float) -> tuple[Answers, float, float]:
    """Answers, and the most memory and disk that was used."""
    answers, most, spooled = Answers(), 0.0, 0.0
    ends = time.monotonic() + seconds
    measured = 0.0
    while time.monotonic() < ends:
        for path in ("/healthz", "/api/v1/search?q=noise"):
            answers.seconds.setdefault(path, []).append(asked(served.port, path))
        if time.monotonic() - measured > 2.0:
            most, spooled = max(most, served.memory()), max(spooled, served.disk())
            measured = time.monotonic()
    return answers, most, spooled


def asked(port: int, path: str) -> float | None:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        answer.read()
        return time.monotonic() - began if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@contextmanager
def connected(served: Served, case: str, token: str | None) -> Iterator[None]:
    """Clients in processes of their own."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    kinds: list[tuple[Any, tuple[Any, ...]]] = []
    if case != "nobody":
        kinds.append((be_slow, (served.port, served.file, stop)))
    if case in {"strangers", "greedy"}:
        kinds.append((be_greedy, (served.port, token, stop)))
    processes = [context.Process(target=target, args=arguments, daemon=True) for target, arguments in kinds]
    for process in processes:
        process.start()
    time.sleep(3.0 if processes else 0.0)
    yield
    stop.set()
    for process in processes:
        process.join()


def be_slow(port: int, file: str, stop: Event) -> None:
    ask = f"GET {file} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    wanted = [(ask, 4096)] * PAUSED + [(b"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n", 0)] * HALF_OPEN
    connections: list[socket.socket | None] = [None] * len(wanted)
    while not stop.is_set():
        for place, (sent, buffer) in enumerate(wanted):
            if stop.is_set():
                return
            connection = connections[place]
            if connection is not None and is_closed(connection, paused=buffer > 0):
                connection.close()
                connections[place] = connection = None
            if connection is None:
                with suppress(OSError):
                    connections[place] = connect(port, sent, buffer)
        stop.wait(0.5)


def connect(port: int, sent: bytes, buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    connection.settimeout(5)
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.connect(("127.0.0.1", port))
    connection.sendall(sent)
    return connection


def is_closed(connection: socket.socket, *, paused: bool) -> bool:
    if paused:  # what there is to read is the answer
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def be_greedy(port: int, token: str | None, stop: Event) -> None:
    threads = [threading.Thread(target=send_bodies, args=(port, token, stop)) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send_bodies(port: int, token: str | None, stop: Event) -> None:
    lines = ["POST /api/v1/similar HTTP/1.1", "Host: 127.0.0.1", "Content-Type: multipart/form-data; boundary=x"]
    lines += [f"Content-Length: {BODY}", *([f"Authorization: Bearer {token}"] if token else [])]
    head, piece = ("\r\n".join(lines) + "\r\n\r\n").encode(), bytes(1 << 16)
    while not stop.is_set():
        with suppress(OSError), connect(port, head) as connection:
            connection.settimeout(1)
            for _ in range(BODY // len(piece) - 1):  # the last piece is never sent: nobody may be served for it
                if stop.is_set():
                    return
                with suppress(TimeoutError):
                    connection.send(piece)
        stop.wait(0.1)


@contextmanager
def up(folder: Path, checkout: Path, *arguments: str, **variables: str) -> Iterator[Served]:
    """A server that has taken a sound in, as `likewise up` or by other arguments."""
    sound = folder / "noise.wav"
    write_sound(sound)
    with started(folder, checkout, arguments or ("up",), **variables) as (url, process):
        ingest = [sys.executable, "-P", "-m", "web.cli", "ingest", str(sound), "--json"]
        environment = environ(folder, checkout) | variables
        done = subprocess.run(ingest, env=environment, capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(get(url, "/api/v1/browse?collection=audio"))
        yield Served(int(url.rpartition(":")[2]), process, f"/media/{answer['records'][0]['id']}/file")


@contextmanager
def serve(folder: Path, checkout: Path) -> Iterator[Served]:
    with up(folder, checkout, "serve") as served:
        yield served


@contextmanager
def processes(folder: Path, checkout: Path) -> Iterator[Served]:
    """Two processes, and a worker until the sound is taken in."""
    double = load(ROOT / "tests" / "search" / "store" / "qdrant_rest.py").QdrantRest()
    qdrant = load(ROOT / "tests" / "qdrant_double.py").QdrantServer(double._answer)
    broker = load(ROOT / "tests" / "plugins" / "processes.py").Broker(folder)
    qdrant.start()
    broker.start()
    variables = {"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": qdrant.url, "LIKEWISE_BROKER_URL": broker.url}
    variables["LIKEWISE_SHARED"] = str(folder / "shared")
    command = [sys.executable, "-P", "-m", "web.cli", "worker"]
    with (folder / "worker.log").open("w") as log:
        worker = subprocess.Popen(
            command, stdout=log, stderr=log, env=environ(folder, checkout) | variables, cwd=folder
        )
    try:
        with up(folder, checkout, "serve", "--processes", "2", **variables) as served:
            worker.terminate()
            worker.wait()
            yield served
    finally:
        worker.kill()
        worker.wait()
        broker.stop()
        qdrant.stop()


SERVERS = {"up": up, "serve": serve, "processes": processes}


@contextmanager
def started(
    folder: Path, checkout: Path, arguments: tuple[str, ...], **variables: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-P", "-m", "web.cli", *arguments, "--port", "0", "--json"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environ(folder, checkout) | variables,
            cwd=folder,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield json.loads(line)["url"], process
    finally:
        process.kill()
        process.wait()


def environ(folder: Path, checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")}
    own = {"LIKEWISE_HOME": str(folder / "home"), "LIKEWISE_TOKEN": TOKEN, "PYTHONPATH": str(checkout)}
    return kept | MODELS | own


def get(url: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse().read()
    connection.close()
    return answer


def write_sound(path: Path) -> None:
    noise = np.random.default_rng(0).integers(-8000, 8000, 28_000_000, dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(noise.tobytes())


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
