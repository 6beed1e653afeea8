"""A node with a broker: workers embed, and this process knows no model."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ingest.jobs.progress import JobState
from ingest.node import Node
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from web.app import create_app

CHOICE = ModelChoice("quick", "frames_quick", "quick", notes=("Workers embed with quick models.",))
PATIENCE = 60

WITHOUT_TORCH = """
import json, sys
from io import BytesIO
from search.settings import Settings
from web.app import create_app
from ingest.node import Node

settings = Settings(home=sys.argv[1], broker_url=sys.argv[2], query_seconds=1)
with Node.open(settings) as node:
    node.prepare()
    node.warm()
    client = create_app(node).test_client()
    headers = {"Authorization": f"Bearer {node.token}"}
    pages = ("/", "/jobs", "/status", "/readyz", "/metrics")
    answers = [client.get(page, headers=headers).status_code for page in pages]
    refused = client.post("/api/v1/similar", data={"file": (BytesIO(b"GIF89a"), "a.gif")}, headers=headers)
    job = client.post("/api/v1/jobs", json={"paths": [sys.argv[3]]}, headers=headers)
    print(json.dumps([answers, refused.status_code, refused.json, job.status_code]))
print(json.dumps(sorted({"torch", "timm", "torchvision", "cv2", "av", "scipy"} & set(sys.modules))))
"""


@pytest.fixture
def quick_choice(monkeypatch: pytest.MonkeyPatch, quick_models: Any) -> None:
    """Nodes of this process take workers' quick models for granted."""
    monkeypatch.setattr("workers.engines.cluster.choose_models_remotely", lambda settings, app, store: CHOICE)
    monkeypatch.setattr("workers.cluster.remote_encoder.choose_models_remotely", lambda settings, app, store: CHOICE)


@pytest.fixture
def settings(make_settings: Callable[..., Settings], broker: Any) -> Settings:
    return make_settings(broker_url=broker.url)


def wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.models
@pytest.mark.usefixtures("quick_choice")
def test_jobs_and_questions_go_to_a_worker(
    settings: Settings, start_worker: Callable[..., Any], make_media: Callable[..., Path]
) -> None:
    start_worker(settings)
    media = make_media()
    with Node.open(settings) as node:
        job = node.start_ingest([media])
        node.wait_until_idle()
        assert node.ingest.progress(job).state is JobState.DONE
        assert node.store.count("images") == 9
        assert node.notes == CHOICE.notes
        client = create_app(node).test_client()
        headers = {"Authorization": f"Bearer {node.token}"}
        with (media / "red" / "red-0.png").open("rb") as picture:
            found = client.post("/api/v1/similar", data={"file": (picture, "red-0.png")}, headers=headers)
        assert found.status_code == 200, found.json
        assert found.json["hits"][0]["relation"] == "exact_copy"
        assert {Path(hit["paths"][0]).parent.name for hit in found.json["hits"][:3]} == {"red"}
        cluster = client.get("/api/v1/cluster", headers=headers).json
        assert cluster["broker"] == "ok"
        assert cluster["waiting"]["embed.images"] == 0
        assert [set(worker["queues"]) >= {"query", "embed.images"} for worker in cluster["workers"]] == [True]


@pytest.mark.models
@pytest.mark.usefixtures("quick_choice")
def test_a_node_that_closes_leaves_its_batches_to_the_next(
    settings: Settings, start_worker: Callable[..., Any], make_media: Callable[..., Path]
) -> None:
    start_worker(settings, "--seconds", "0.2")
    node = Node.open(settings)
    job = node.start_ingest([make_media(each=200, colours=("red",))])
    wait_for(lambda: node.ingest.progress(job).embedded > 0)
    node.close()
    with Node.open(settings) as again:
        left = again.ingest.progress(job)
        assert left.state is JobState.QUEUED
        assert 0 < left.embedded < 200
        assert again.resume_unfinished() == [job]
        again.wait_until_idle()
        assert again.ingest.progress(job).state is JobState.DONE
        assert again.store.count("images") == 200


def test_the_process_that_answers_imports_no_model_library(
    broker: Any, tmp_path: Path, make_media: Callable[..., Path], repository: Path
) -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "home"), broker.url, str(make_media())]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=PATIENCE * 2)
    assert done.returncode == 0, done.stderr
    answered, loaded = map(json.loads, done.stdout.splitlines())
    pages, refused, error, job = answered
    assert pages == [200] * 5
    assert refused == 503
    assert error["error"]["code"] == "no_worker"
    assert "likewise worker" in error["error"]["hint"]
    assert job == 202
    assert loaded == []


def test_without_a_broker_that_answers_nothing_but_workers_is_missed(
    settings: Settings, broker: Any, make_media: Callable[..., Path]
) -> None:
    broker.stop()
    with Node.open(settings) as node:
        node.prepare()
        client = create_app(node).test_client()
        assert client.get("/").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json["error"]["code"] == "broker_unavailable"
        assert ready.json["parts"] == {"store": "ok", "ledger": "ok", "broker": "broker_unavailable"}
        assert client.get("/healthz").status_code == 200
        status = client.get("/status")
        assert status.status_code == 200
        assert "The queue is unreachable" in status.text
        headers = {"Authorization": f"Bearer {node.token}"}
        picture = BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "png")
        picture.seek(0)
        refused = client.post("/api/v1/similar", data={"file": (picture, "a.png")}, headers=headers)
        assert (refused.status_code, refused.json["error"]["code"]) == (503, "broker_unavailable")
        assert refused.headers["Retry-After"]


def test_a_job_that_no_worker_takes_waits_and_says_so(settings: Settings, make_media: Callable[..., Path]) -> None:
    with Node.open(settings) as node:
        node.prepare()
        job = node.start_ingest([make_media()])
        wait_for(lambda: "No worker is listening" in node.ingest.progress(job).message)
        assert not node.ingest.progress(job).finished
