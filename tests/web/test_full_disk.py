"""What people see while the disk of the ledger is full: the command ends with words, pages answer and say why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.progress import JobProgress, JobState
from ingest.jobs.service import JobService
from ingest.ledger.database import Ledger
from ingest.node import Node
from ingest.plan.dispatch import Dispatch
from search.errors import DiskFullError, LikewiseError
from search.settings import Settings
from web.app import create_app
from web.commands import job_progress
from web.plain import dump

RUNNING = JobProgress("7", JobState.RUNNING, "photos", (), total=60)


class FullLedger:
    """Every ledger of this process: while ``on``, it takes nothing more; ``will_be`` from the next batch on."""

    def __init__(self) -> None:
        self.on = self.will_be = False


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> FullLedger:
    state = FullLedger()
    write = Ledger.write

    @contextmanager
    def refusing(ledger: Ledger) -> Iterator[Any]:
        if state.on:
            raise DiskFullError("The ledger cannot grow: the disk of '/srv' is full.", "Make room and run it again.")
        with write(ledger) as connection:
            yield connection

    monkeypatch.setattr(Ledger, "write", refusing)
    return state


@pytest.fixture
def full_at_first_batch(full: FullLedger, monkeypatch: pytest.MonkeyPatch) -> FullLedger:
    make = Dispatch._batch

    def filling(dispatch: Dispatch, reads: Any) -> Any:
        batch = make(dispatch, reads)
        full.on = full.will_be
        return batch

    full.will_be = True
    monkeypatch.setattr(Dispatch, "_batch", filling)
    return full


def test_the_command_ends_with_words_and_goes_on_when_there_is_room(
    cli: Any, media: Path, full_at_first_batch: FullLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    result = cli("ingest", media, "--json")
    assert time.monotonic() - began < 60
    assert result.exit_code == 3, result.output
    error = json.loads(result.stdout)["error"]
    assert "the disk of '/srv' is full" in error["message"]
    assert "Make room" in error["message"]

    full_at_first_batch.on = full_at_first_batch.will_be = False
    monkeypatch.setattr("ingest.jobs.leases._is_dead", lambda _owner: True)  # as the process of a command would be
    answer = cli.json("ingest", media, status=1)  # one of the files is broken
    assert answer["state"] == "done_with_failures"
    assert answer["embedded"] + answer["duplicate"] == 9
    assert [job["state"] for job in cli.json("jobs")] == ["done_with_failures", "cancelled"]


def test_a_command_that_cannot_begin_says_why(cli: Any, media: Path, full: FullLedger) -> None:
    assert cli("ingest", media).exit_code == 1  # one of the files is broken
    full.on = True
    result = cli("ingest", media, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["code"] == "disk_full"


@pytest.fixture
def node(make_settings: Callable[..., Settings], quick_models: Any) -> Iterator[Node]:
    with Node.open(make_settings()) as opened:
        yield opened


def test_pages_answer_on_a_full_disk_and_say_why(
    node: Node, make_media: Callable[..., Path], full_at_first_batch: FullLedger
) -> None:
    job = node.start_ingest([make_media()])
    node.wait_until_idle()
    client = create_app(node).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {node.token}"
    answer = client.get(f"/api/v1/jobs/{job}").json
    assert answer["state"] == "failed"
    assert "is full" in answer["message"]
    page = client.get("/jobs").get_data(as_text=True)
    assert "is full" in page
    for path in ("/", "/jobs", "/failures", "/api/v1/jobs", "/api/v1/status", "/healthz"):
        assert client.get(path).status_code == 200, path
    refused = client.post("/api/v1/jobs", json={"paths": [str(make_media("more"))]})
    assert refused.status_code == 507
    assert "is full" in refused.json["error"]["message"]
    events = client.get(f"/api/v1/jobs/{job}/events").get_data(as_text=True)
    assert "is full" in events

    full_at_first_batch.on = full_at_first_batch.will_be = False
    assert node.resume_unfinished() == []  # it has ended, which is stored now, and is not begun again by itself
    with node.ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT state FROM jobs").scalar_one() == "failed"


class Abandoned:
    """A client of a server that knows a job whose process has ended."""

    node = None
    is_near = True

    def __init__(self, *answers: JobProgress) -> None:
        self.answers = list(answers)

    def get(self, path: str) -> Any:
        assert path == "/jobs/7"
        return dump(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


def test_who_follows_a_job_that_nobody_runs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_progress, "ABANDONED_SECONDS", 0.5)
    left = replace(RUNNING, abandoned=True, message="The process that ran it has ended.")
    client: Any = Abandoned(RUNNING, left)
    with pytest.raises(LikewiseError, match=r"No process runs job 7 any more.*has ended.*Run the same command again"):
        job_progress.follow(client, "7")


def test_a_job_that_is_taken_up_in_time_is_followed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_progress, "ABANDONED_SECONDS", 5.0)
    left = replace(RUNNING, abandoned=True)
    client: Any = Abandoned(left, left, RUNNING, replace(RUNNING, state=JobState.DONE))
    assert job_progress.follow(client, "7").state is JobState.DONE


def test_a_killed_coordinator_is_told_by_every_other_process(
    node: Node, make_media: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    make = Dispatch._batch

    def held(dispatch: Dispatch, reads: Any) -> Any:
        gate.wait(20)
        return make(dispatch, reads)

    monkeypatch.setattr(Dispatch, "_batch", held)
    job = node.start_ingest([make_media()])
    deadline = time.monotonic() + 20
    while node.ingest.progress(job).state is JobState.QUEUED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    other = Ledger(node.settings.ledger_url)
    elsewhere = JobService(node.settings, node.store, other, None)  # type: ignore[arg-type]
    assert not elsewhere.progress(job).abandoned
    monkeypatch.setattr("ingest.jobs.leases._is_dead", lambda _owner: True)
    assert elsewhere.progress(job).abandoned
    assert elsewhere.jobs()[0].abandoned
    gate.set()
    other.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(
    ("arguments", "stream", "status"),
    [(("jobs", "--json"), "stdout", 3), (("jobs", "--bogus"), "stderr", 2), (("jobs",), "stderr", 0)],
)
def test_output_to_a_full_disk_is_told_where_that_is_possible(
    repository: Path, tmp_path: Path, arguments: tuple[str, ...], stream: str, status: int
) -> None:
    command = [sys.executable, "-P", "-m", "web.cli", *arguments, "--home", str(tmp_path / "home")]
    environment = os.environ | {"PYTHONPATH": str(repository)}
    with Path("/dev/full").open("w") as full:
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
        ended = subprocess.run(command, check=False, text=True, env=environment, cwd=tmp_path, **streams)
    assert ended.returncode == status
    if stream == "stdout":
        assert ended.stderr.startswith("Error: The disk is full.")
