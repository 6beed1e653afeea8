"""A command that is ended in the middle of an instruction is told in words; all else is as if it ran by itself."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands have no process above them elsewhere")
PATIENCE = 60

ALONE = """
import os, signal, sys, time
from web.supervised import end_as, run_in_child
status = run_in_child()
if status is not None:
    end_as(status)
"""

COMMAND = """
import os, signal, sys
import click
import web.cli
@click.command()
@click.argument("paths", nargs=-1)
@click.option("--json", is_flag=True)
def command(paths, json):
    os.kill(os.getpid(), signal.SIGBUS)
web.cli.LikewiseGroup.get_command = lambda *_: command
sys.argv = ["likewise", "ingest", "/photos", "--json"]
web.cli.main()
"""


def start(code: str, repository: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=repository
    )


@pytest.mark.parametrize("status", [0, 1, 3, 130])
def test_the_exit_status_is_that_of_the_command(repository: Path, status: int) -> None:
    process = start(f"{ALONE}\nprint('done')\nsys.exit({status})", repository)
    output, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (status, "done\n")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
def test_a_signal_that_ended_the_command_ends_the_process(repository: Path, number: signal.Signals) -> None:
    process = start(f"{ALONE}\nos.kill(os.getpid(), {number.value})", repository)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -number


def test_a_bus_error_is_told_in_words(repository: Path) -> None:
    process = start(COMMAND, repository)
    output, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert "a disk filled up" in complaint
    assert "Make room" in complaint
    assert json.loads(output)["error"]["code"] == "disk_full"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_process_reaches_the_command_once(repository: Path, number: signal.Signals) -> None:
    code = f"""{ALONE}
seen = []
signal.signal({number.value}, lambda *_: seen.append(1))
print("ready", flush=True)
deadline = time.monotonic() + {PATIENCE}
while not seen and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(0.2)
print(len(seen), flush=True)
"""
    process = start(code, repository)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE)
    assert output == "1\n"
    assert process.returncode == 0


def test_the_command_ends_with_its_process(repository: Path) -> None:
    process = start(f"{ALONE}\nprint(os.getpid(), flush=True)\ntime.sleep({PATIENCE})", repository)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
