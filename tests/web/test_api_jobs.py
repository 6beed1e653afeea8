"""Jobs and failures over the JSON API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ingest.jobs.progress import Failure, JobState


@pytest.fixture
def job(client: FlaskClient, tmp_path: Path) -> str:
    answer = client.post("/api/v1/jobs", json={"paths": [str(tmp_path)], "library": "holiday"})
    assert answer.status_code == 202
    return answer.json["id"]


def test_start_and_look(client: FlaskClient, node: Any, job: str, tmp_path: Path) -> None:
    assert node.started == [((tmp_path,), "holiday", False)]
    node.ingest.set(job, state=JobState.RUNNING, total=10, embedded=4, failed=1, rate=2.5, eta_seconds=2.0)
    progress = client.get(f"/api/v1/jobs/{job}").json
    assert (progress["state"], progress["total"], progress["embedded"], progress["eta_seconds"]) == (
        "running",
        10,
        4,
        2.0,
    )
    assert [one["id"] for one in client.get("/api/v1/jobs").json] == [job]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "usage"),
        ({"paths": []}, 400, "usage"),
        ({"paths": ["relative/folder"]}, 400, "usage"),
        ({"paths": ["/no/such/folder"]}, 404, "not_found"),
        ({"paths": "/one/text"}, 400, "usage"),
        ({"paths": ["/"], "confirm": True}, 400, "usage"),
        ({"paths": ["/"], "priority": "urgent"}, 400, "usage"),
        ({"paths": ["/no\udcffutf8"]}, 400, "usage"),
    ],
)
def test_starts_that_cannot_be(client: FlaskClient, body: Any, status: int, code: str) -> None:
    answer = client.post("/api/v1/jobs", json=body)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


def test_a_body_nested_without_end_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/jobs", data=b"[" * 100_000, content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "usage")


def test_pause_resume_cancel(client: FlaskClient, job: str) -> None:
    states = [client.post(f"/api/v1/jobs/{job}/{action}").json["state"] for action in ("pause", "resume", "cancel")]
    assert states == ["paused", "running", "cancelled"]
    assert client.post("/api/v1/jobs/99/pause").status_code == 404
    assert client.get("/api/v1/jobs/99").json["error"]["code"] == "not_found"


def test_events_end_with_the_job(client: FlaskClient, node: Any, job: str) -> None:
    node.ingest.set(job, state=JobState.DONE, total=3, embedded=3)
    answer = client.get(f"/api/v1/jobs/{job}/events")
    assert answer.mimetype == "text/event-stream"
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert [event["state"] for event in events] == ["done"]


def test_only_some_may_watch_at_once(client: FlaskClient, job: str) -> None:
    watching = [client.get(f"/api/v1/jobs/{job}/events", buffered=False) for _ in range(2)]
    refused = client.get(f"/api/v1/jobs/{job}/events")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    for stream in watching:
        stream.close()


def test_failures_by_code_and_their_retry(client: FlaskClient, node: Any) -> None:
    assert client.post("/api/v1/failures/retry").json == {"job": None}
    node.ingest.failed = [
        Failure("/media/a.jpg", "corrupt", "It ends too early.", 2, "media", "1"),
        Failure("/media/b.jpg", "empty", "It has no bytes.", 1, "media", "1"),
    ]
    assert [one["path"] for one in client.get("/api/v1/failures").json] == ["/media/a.jpg", "/media/b.jpg"]
    assert client.get("/api/v1/failures?code=empty").json[0]["detail"] == "It has no bytes."
    assert len(client.get("/api/v1/failures?limit=1").json) == 1
    second = client.get("/api/v1/failures?limit=1&after=/media/a.jpg").json
    assert [one["path"] for one in second] == ["/media/b.jpg"]
    assert client.get("/api/v1/failures?job=2").json == []
    retried = client.post("/api/v1/failures/retry").json["job"]
    assert client.get(f"/api/v1/jobs/{retried}").json["total"] == 2
