"""What a worker takes, in which order, and what it answers."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest
from celery import states

from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from workers.batch.report import Priority, Status
from workers.cluster.app import CHOOSE_MODELS, QUERY_PRIORITY, QUERY_QUEUE
from workers.cluster.orders import publish_order
from workers.cluster.serialization import report_from_json


def test_embeds_a_batch_and_sends_back_what_it_made(make_desk: Any, start_worker: Callable[..., Any]) -> None:
    desk = make_desk()
    start_worker(desk.settings)
    report = report_from_json(desk.wait(desk.order("b1", "red", "blue"))["result"])
    assert report.batch == "b1"
    assert [outcome.status for outcome in report.outcomes] == [Status.EMBEDDED] * 2
    assert set(report.stages) == {"decode", "embed", "write"}
    made = {delivery.point.id: delivery for delivery in report.deliveries}
    red, blue = (made[outcome.media_id or ""] for outcome in report.outcomes)
    assert red.collection == "images"
    assert np.argmax(red.point.vectors["visual"]) == 0
    assert np.argmax(blue.point.vectors["visual"]) == 2
    assert red.point.payload["paths"] == (report.outcomes[0].path,)


def test_previews_lie_in_the_shared_place(make_desk: Any, start_worker: Callable[..., Any], tmp_path: Any) -> None:
    desk = make_desk(shared=str(tmp_path / "shared"))
    start_worker(desk.settings)
    report = report_from_json(desk.wait(desk.order("b1", "red"))["result"])
    key = report.deliveries[0].point.payload["thumbnail"]
    assert (tmp_path / "shared" / "previews" / key).is_file()


def test_a_question_comes_before_batches_and_urgent_batches_before_others(
    make_desk: Any, start_worker: Callable[..., Any]
) -> None:
    """All of them wait while a batch is in work; what is sent last is done first."""
    desk = make_desk()
    start_worker(desk.settings, "--seconds", "1.5")
    desk.wait(desk.order("begun", "red"), states.STARTED)
    desk.order("low", "red", priority=Priority.LOW)
    for number in range(3):
        desk.order(f"normal-{number}", "red", kind=Kind.VIDEO if number == 1 else Kind.IMAGE)
    desk.order("high", "red", priority=Priority.HIGH)
    question = {"version": 2, "image": "efficientnet_lite0", "video": "frames", "text": "none", "existing": {}}
    publish_order(desk.app, CHOOSE_MODELS, "question", question, queue=QUERY_QUEUE, priority=QUERY_PRIORITY)
    tasks = ("begun", "low", "normal-0", "normal-1", "normal-2", "high", "question")
    ended = {task: desk.wait(task)["date_done"] for task in tasks}
    order = sorted(ended, key=lambda task: ended[task])
    assert order[:3] == ["begun", "question", "high"]
    assert order[-1] == "low"


def test_a_worker_takes_from_its_queues_alone(make_desk: Any, start_worker: Callable[..., Any]) -> None:
    desk = make_desk()
    start_worker(desk.settings, "--queues", "embed.videos")
    desk.order("pictures", "red")
    desk.wait(desk.order("videos", "red", kind=Kind.VIDEO))
    assert desk.meta("pictures")["status"] == states.PENDING
    assert desk.queued() == 1


def test_shows_its_counts_to_prometheus(
    make_desk: Any, start_worker: Callable[..., Any], eventually: Callable[..., None], free_port: int
) -> None:
    desk = make_desk(metrics_port=free_port)
    start_worker(desk.settings)
    eventually(lambda: "likewise_items_total" in counts(free_port))
    desk.wait(desk.order("b1", "red", "green"))
    shown = counts(free_port)
    assert 'likewise_items_total{code="",kind="image",outcome="embedded"} 2.0' in shown
    assert 'likewise_batches_total{end="done",kind="image"} 1.0' in shown


def test_a_child_that_has_grown_too_large_is_renewed(
    make_desk: Any, start_worker: Callable[..., Any], eventually: Callable[..., None], free_port: int
) -> None:
    """The next one answers in its place, to Prometheus too."""
    desk = make_desk(metrics_port=free_port, worker_memory_mb=1)
    worker = start_worker(desk.settings)
    first = worker.child
    assert desk.wait(desk.order("b1", "red"))["status"] == states.SUCCESS
    eventually(lambda: worker.child != first)
    eventually(lambda: "likewise_items_total" in counts(free_port))
    assert desk.wait(desk.order("b2", "red"))["status"] == states.SUCCESS


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def counts(port: int) -> str:
    """What Prometheus is shown; nothing while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@pytest.mark.models
def test_the_parent_holds_no_model_library(make_desk: Any, start_worker: Callable[..., Any]) -> None:
    """`likewise worker` with real models: torch is in the child, which embeds, and never in the parent, which forks."""
    desk = make_desk()
    desk.models = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0")
    worker = start_worker(desk.settings, "--json", light=False)
    assert desk.wait(desk.order("b1", "red"))["status"] == states.SUCCESS
    assert _has_torch(worker.child)
    assert not _has_torch(worker.pid)
    said = next(line for line in worker.log.read_text().splitlines() if line.startswith("{"))
    assert json.loads(said)["queues"][0] == QUERY_QUEUE


def _has_torch(pid: int) -> bool:
    return any("libtorch" in mapped.path for mapped in psutil.Process(pid).memory_maps())
