"""How long readers wait for one server, quiet and while it takes pictures in; two versions of it are asked in turns.

A library of drawn pictures is filled once, by the older version where there are two: some are ingested, the others
stored as new mixtures of their vectors, with files, previews and rows of the ledger of their own. Each version serves a
copy of it with `likewise up`. Then 50 readers, each on a connection that is kept open, ask one request after another
without a pause. For some seconds they ask one version, then the other, and so on, so that whatever else the machine
does falls on both. With --import the server that is asked takes pictures in meanwhile; the other's job is paused.

What readers ask, in parts of 100 (pages with the cookie of a login, the API with a token, by turns half of the previews
and scripts with `If-None-Match`, as browsers do that have them already):

    18  /?like=ID                 the search page about a picture: 40 results
    10  /?q=WORDS                 the search page about words
     8  /                         the first page of the library
    10  /item/ID                  a picture's page, with what is like it
    11  GET /api/v1/media/ID/similar
    10  POST /api/v1/similar      20 results
     5  GET /api/v1/jobs          which every open page asks again and again
    20  /media/ID/preview
     8  /static/…

Memory is the resident set of the server's processes, with the decoders' while pictures are taken in.

    .venv/bin/python tests/benchmarks/bench_readers.py [--against CHECKOUT] [--import] [--readers 50] [--seconds 60]
        [--items 5000] [--keep FOLDER]

--seconds is the time for each version and case; --keep uses the library in FOLDER again, or makes it there. Status 1:
a request failed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import psutil
from readers_library import TOKEN, environ, make_library

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
TURNS = 3
WORDS = ("red", "blue sky", "harbour", "forest night", "2026", "flower -red", "tower", "beach 00012", "yellow", "boat")
STATIC = ("css/base.css", "css/search.css", "js/main.js", "js/search.js", "mark.svg")
SHARES = {
    "page like": 18,
    "page words": 10,
    "page browse": 8,
    "page item": 10,
    "API similar": 11,
    "API similar, POST": 10,
    "API jobs": 5,
    "preview": 20,
    "static": 8,
}
PATIENCE = 60.0


@dataclass(frozen=True)
class Served:
    """One version that answers."""

    name: str
    url: str
    process: subprocess.Popen[str]
    cookie: str

    def processes(self) -> list[psutil.Process]:
        one = psutil.Process(self.process.pid)
        return [one, *one.children(recursive=True)]

    def memory(self) -> float:
        """MiB."""
        return sum(each.memory_info().rss for each in self.processes()) / MIB

    def api(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 400, text
        return json.loads(text)

    def cpu(self) -> float:
        """Seconds of a processor that its processes have used."""
        return sum(sum(each.cpu_times()[:2]) for each in self.processes())

    def settle(self, most: float = 240.0) -> None:
        """Wait until the server has done nothing for some seconds: a new version first brings the library up to date.
        At most so many seconds."""
        ends = time.monotonic() + most
        while time.monotonic() < ends:
            before = self.cpu()
            time.sleep(3.0)
            if self.cpu() - before < 0.05:
                return
        print(f"  {self.name} is still at work after {most:.0f} s.", flush=True)


@dataclass
class Answers:
    """Milliseconds of each answer by what was asked, what failed, and memory in MiB before and after."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    memory: list[float] = field(default_factory=list)
    ingested: int = 0

    @property
    def all(self) -> list[float]:
        return [one for some in self.taken.values() for one in some]

    @property
    def p50(self) -> float:
        return float(np.median(self.all))

    def __str__(self) -> str:
        p50, p95, p99 = np.percentile(self.all, (50, 95, 99))
        told = f"{len(self.all):6,} answers, {len(self.all) / self.seconds:5.0f}/s, {len(self.errors)} errors; "
        told += f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms; "
        told += f"{self.cpu / len(self.all) * 1000:.1f} ms of a processor each; "
        told += f"memory {' → '.join(f'{each:.0f}' for each in self.memory)} MiB"
        return told + (f"; {self.ingested / self.seconds:.1f} pictures/s taken in" if self.ingested else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="checkout of another version")
    parser.add_argument("--import", dest="imports", action="store_true", help="also while pictures are taken in")
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    checkouts = {"this": ROOT} | ({"other": arguments.against.resolve()} if arguments.against else {})
    cases = ["quiet", "import"] if arguments.imports else ["quiet"]
    errors = 0
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        library = (arguments.keep or Path(temporary) / "library").resolve()
        make_library(library, list(checkouts.values())[-1], arguments.items)
        servers = [
            stack.enter_context(Server(name, checkout, library, Path(temporary)))
            for name, checkout in checkouts.items()
        ]
        ids = json.loads((library / "ids.json").read_text())
        for case in cases:
            answers = measure(servers, ids, case, library, arguments.readers, arguments.seconds)
            show(case, answers)
            errors += sum(len(each.errors) for each in answers.values())
    return 1 if errors else 0


def measure(
    servers: list[Server], ids: list[str], case: str, library: Path, readers: int, seconds: float
) -> dict[str, Answers]:
    """Answers of each version, asked in turns."""
    answers = {server.served.name: Answers() for server in servers}
    jobs: dict[str, str] = {}
    for turn in range(TURNS):
        for server in servers if turn % 2 == 0 else reversed(servers):
            served, its = server.served, answers[server.served.name]
            if case == "import":
                if served.name not in jobs:
                    jobs[served.name] = served.api("POST", "/jobs", {"paths": [str(library / "pictures" / "new")]})[
                        "id"
                    ]
                else:
                    served.api("POST", f"/jobs/{jobs[served.name]}/resume")
                wait_for_work(served, jobs[served.name])
            done = served.api("GET", f"/jobs/{jobs[served.name]}")["embedded"] if jobs else 0
            if not its.memory:
                its.memory.append(served.memory())
            used = served.cpu()
            read(served, ids, readers, seconds / TURNS, seed=turn, into=its)
            its.cpu += served.cpu() - used
            its.memory.append(served.memory())
            if jobs:
                progress = served.api("GET", f"/jobs/{jobs[served.name]}")
                assert progress["state"] == "running", progress
                its.ingested += progress["embedded"] - done
                served.api("POST", f"/jobs/{jobs[served.name]}/pause")
                served.settle(20.0)
    for name, job in jobs.items():
        next(server.served for server in servers if server.served.name == name).api("POST", f"/jobs/{job}/cancel")
    return answers


def wait_for_work(served: Served, job: str) -> None:
    """Wait until the job takes pictures in: models are loaded and a batch is done."""
    ends, before = time.monotonic() + 60.0, served.api("GET", f"/jobs/{job}")["embedded"]
    while served.api("GET", f"/jobs/{job}")["embedded"] == before and time.monotonic() < ends:
        time.sleep(0.2)


def show(case: str, answers: dict[str, Answers]) -> None:
    print(f"{case}:")
    for name, its in answers.items():
        print(f"  {name:6} {its}")
        for error in sorted(set(its.errors))[:5]:
            print(f"         {its.errors.count(error)} × {error}")
    for kind in SHARES:
        print(
            f"    {kind:18}"
            + ", ".join(f"{name} p50 {np.median(its.taken[kind]):6.0f} ms" for name, its in answers.items())
        )
    if len(answers) == 2:
        print(f"  p50 of this is {answers['this'].p50 / answers['other'].p50:.2f} of the other's", flush=True)


def read(served: Served, ids: list[str], readers: int, seconds: float, seed: int, into: Answers) -> None:
    """Have readers, in a process of their own, ask for so many seconds."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=be_readers, args=(served.url, served.cookie, ids, readers, seconds, seed, sending))
    process.start()
    taken, errors, lasted = receiving.recv()
    process.join()
    for kind, some in taken.items():
        into.taken[kind] += some
    into.errors += errors
    into.seconds += lasted


def be_readers(url: str, cookie: str, ids: list[str], readers: int, seconds: float, seed: int, sending: Any) -> None:
    taken: dict[str, list[float]] = defaultdict(list)
    errors: list[str] = []
    began = time.monotonic()
    ends = began + seconds
    chances = [random.Random(f"{seed} {n}") for n in range(readers)]
    threads = [
        threading.Thread(target=be_reader, args=(url, cookie, ids, chance, ends, taken, errors)) for chance in chances
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sending.send((dict(taken), errors, time.monotonic() - began))


def be_reader(
    url: str,
    cookie: str,
    ids: list[str],
    chance: random.Random,
    ends: float,
    taken: dict[str, list[float]],
    errors: list[str],
) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    tags: dict[str, str] = {}
    while time.monotonic() < ends:
        kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
        method, path, body = request_of(kind, ids, chance)
        headers = {"Authorization": f"Bearer {TOKEN}"} if kind.startswith("API") else {"Cookie": cookie}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if kind in ("preview", "static") and chance.random() < 0.5:
            path = chance.choice([one for one in tags if one.startswith(path[:7])] or [path])
            headers |= {"If-None-Match": tags[path]} if path in tags else {}
        began = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            length = len(answer.read())
        except (OSError, http.client.HTTPException) as error:
            errors.append(f"{kind}: {type(error).__name__}")
            connection.close()
            continue
        taken[kind].append((time.monotonic() - began) * 1000)
        if not (answer.status == 200 and length) and not (answer.status == 304 and "If-None-Match" in headers):
            errors.append(f"{kind}: status {answer.status}")
        if kind in ("preview", "static"):
            tags[path] = answer.headers["ETag"]
    connection.close()


def request_of(kind: str, ids: list[str], chance: random.Random) -> tuple[str, str, str | None]:
    """Method, path and body."""
    media = chance.choice(ids)
    if kind == "API similar, POST":
        return "POST", "/api/v1/similar", json.dumps({"like": [media], "limit": 20})
    paths = {
        "page like": f"/?like={media}",
        "page words": f"/?q={quote(chance.choice(WORDS))}",
        "page browse": "/",
        "page item": f"/item/{media}",
        "API similar": f"/api/v1/media/{media}/similar",
        "API jobs": "/api/v1/jobs?limit=30",
        "preview": f"/media/{media}/preview",
        "static": f"/static/{chance.choice(STATIC)}",
    }
    return "GET", paths[kind], None


class Server:
    """`likewise up` of a checkout, on a copy of the library, within a block."""

    served: Served

    def __init__(self, name: str, checkout: Path, library: Path, folder: Path) -> None:
        self._name, self._checkout, self._folder = name, checkout, folder / name
        shutil.copytree(library / "home", self._folder / "home")

    def __enter__(self) -> Server:
        environment = environ(self._folder / "home", self._checkout)
        with (self._folder / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "web.cli", "up", "--port", "0", "--json"],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=self._folder,
            )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self._folder / "log").read_text()
        url = json.loads(line)["url"]
        self.served = Served(self._name, url, process, log_in(url))
        self.served.settle()
        return self

    def __exit__(self, *_: object) -> None:
        self.served.process.terminate()
        try:
            self.served.process.wait(60)
        except subprocess.TimeoutExpired:
            self.served.process.kill()
            self.served.process.wait()


def log_in(url: str) -> str:
    """The cookie of a session that the token began."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("GET", "/login")
    answer = connection.getresponse()
    form = re.search(r'name="form-token" content="([^"]+)"', answer.read().decode())
    cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]
    assert form is not None
    body = urlencode({"token": TOKEN, "form_token": form.group(1)})
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status == 303, text
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


if __name__ == "__main__":
    sys.exit(main())
