"""Every kind of job has its label wherever kinds are listed: pages, the API's description, the command line."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress, JobState
from web.cli import main
from web.pages.photographers.shared import active_jobs


@pytest.mark.parametrize("kind", JobKind)
def test_the_jobs_page_says_what_a_job_of_each_kind_does(node: Any, client: FlaskClient, kind: JobKind) -> None:
    node.ingest.known["7"] = JobProgress("7", JobState.RUNNING, "holiday", (), task=kind)
    assert f"<small>{kind.label}</small>" in client.get("/jobs").text.replace("&#39;", "'")


def test_a_kind_of_a_newer_version_is_shown_by_its_name(node: Any, client: FlaskClient) -> None:
    node.ingest.known["7"] = JobProgress("7", JobState.DONE, "holiday", (), task="a_newer_kind")
    assert "<small>A newer kind</small>" in client.get("/jobs").text
    assert client.get("/api/v1/jobs/7").json["task"] == "a_newer_kind"


def test_the_api_describes_every_kind(client: FlaskClient) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    assert {each["const"]: each["title"] for each in schemas["JobKind"]["oneOf"]} == {
        kind.value: kind.label for kind in JobKind
    }
    assert {"$ref": "#/components/schemas/JobKind"} in schemas["JobProgress"]["properties"]["task"]["anyOf"]


@pytest.mark.parametrize("kind", JobKind)
def test_the_photographers_pages_show_every_kind_of_theirs(node: Any, kind: JobKind) -> None:
    node.ingest.known.clear()
    node.ingest.known["7"] = JobProgress("7", JobState.RUNNING, "", (), task=kind)
    assert bool(active_jobs(node)) == kind.description.photographers


def test_they_show_that_a_photographer_is_placed(node: Any) -> None:
    node.ingest.known["7"] = JobProgress("7", JobState.RUNNING, "Cy", (), task="place_photographer")
    assert [job.library for job in active_jobs(node)] == ["Cy"]


def test_the_command_line_lists_every_kind() -> None:
    said = CliRunner().invoke(main, ["jobs", "--help"]).output
    for kind in JobKind:
        assert kind.value in said
        assert kind.label in " ".join(said.split())
