"""A job is followed from the command line, and stopped from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
import pytest

from ingest.jobs.progress import JobProgress, JobState
from web.commands.job_progress import follow
from web.plain import dump

RUNNING = JobProgress("7", JobState.RUNNING, "classifier", (), total=226, embedded=20)


class Interrupted:
    """A client whose person presses Ctrl-C while they watch."""

    node = None
    is_near = True

    def __init__(self, ended: JobProgress) -> None:
        self._answers: list[JobProgress | None] = [RUNNING, None, ended]
        self.posted: list[str] = []

    def get(self, path: str) -> Any:
        answer = self._answers.pop(0)
        if answer is None:
            raise KeyboardInterrupt
        return dump(answer)

    def post(self, path: str) -> None:
        self.posted.append(path)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Nothing was changed; the model of before stays in use.", "Cancelled. Nothing was changed; the model of"),
        ("", "Cancelled. 20 of 226 files are done, and stay done. Run the same command again"),
    ],
)
def test_what_is_left_of_a_stopped_job_is_told_as_it_is(
    message: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client: Any = Interrupted(replace(RUNNING, state=JobState.CANCELLED, message=message))
    with pytest.raises(click.Abort):
        follow(client, "7")
    assert client.posted == ["/jobs/7/cancel"]
    assert said in capsys.readouterr().err
