"""Reports that somebody else puts into Redis, or a worker that was taken over, end their batch and change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from celery import Celery, states

import workers.cluster.results
from search.errors import LikewiseError, MessageRefusedError, SettingsError, SpaceMismatchError
from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.store.base import Point, Store
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Status
from workers.cluster.broker import ACTIVE_QUEUES, ask_workers
from workers.cluster.points import vectors_to_json
from workers.cluster.runner import CeleryRunner
from workers.cluster.serialization import report_to_json
from workers.cluster.signing import Seals
from workers.cluster.task_queue import TaskQueue

from .conftest import DIM

QUICK = ModelChoice("quick", "frames_quick", "quick")
Json = dict[str, Any]
Change = Callable[[Json], object]


@pytest.fixture
def batch(make_file: Callable[..., FileRef]) -> Batch:
    return Batch("1-1", "1", Kind.IMAGE, (make_file("a.jpg"), make_file("b.jpg", other_paths=("/elsewhere/b.jpg",))))


@pytest.fixture
def report(batch: Batch) -> Json:
    """What a worker answers to the batch."""
    deliveries, outcomes = [], []
    for file in batch.files:
        id_ = media_id(file.sha256)
        record = MediaRecord(
            id_, Kind.IMAGE, (file.path,), ("lib",), file.size, file.mtime, thumbnail=f"{id_[:2]}/{id_}.webp", job="1"
        )
        vectors = {"visual": np.eye(1, DIM, dtype=np.float32)}
        deliveries.append(Delivery("images", Point(id_, vectors, record.to_payload())))
        outcomes.append(Outcome(file.path, Status.EMBEDDED, id_, Kind.IMAGE))
    made: Json = json.loads(json.dumps(report_to_json(BatchReport("1-1", tuple(outcomes), {}, tuple(deliveries)))))
    return made


@pytest.fixture
def run(brokered: Settings, app: Celery, store: Store, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the batch; ``put`` writes into Redis what the broker then has of its task."""

    sent = TaskQueue.send

    def make(put: Callable[[str], object]) -> list[BatchReport]:
        def send(self: TaskQueue, task: str, *args: Any, **options: Any) -> None:
            sent(self, task, *args, **options)
            put(task)

        monkeypatch.setattr(TaskQueue, "send", send)
        return list(CeleryRunner(brokered, app, store, QUICK).run([batch]))

    return make


def write(app: Celery, task: str, stored: object) -> None:
    """What anybody can do who reaches Redis."""
    app.backend.client.set(
        app.backend.get_key_for_task(task), stored if isinstance(stored, str) else json.dumps(stored)
    )


def done(report: Json) -> Json:
    """As Celery stores the result of a task that succeeded."""
    return {"status": states.SUCCESS, "result": report, "traceback": None, "children": []}


def answer(app: Celery, task: str, report: Json) -> None:
    """What a worker with the key stores."""
    app.backend.store_result(task, report, states.SUCCESS)


def test_a_report_of_a_worker_is_stored(run: Any, app: Celery, store: Store, report: Json) -> None:
    (made,) = run(lambda task: answer(app, task, report))
    assert [outcome.status for outcome in made.outcomes] == [Status.EMBEDDED] * 2
    assert store.count("images") == 2


def test_a_report_that_no_worker_signed_for_this_task_is_refused(
    run: Any, app: Celery, store: Store, report: Json
) -> None:
    text = json.dumps(done(report))
    forged: dict[str, Callable[[str], object]] = {
        "an older version": lambda task: done(report),
        "another key": lambda task: Seals(b"x" * 64).seal(text, "result", task),
        "another task": lambda task: app.seals.seal(text, "result", "1:another"),
        "the order": lambda task: app.seals.seal(text, "order", "likewise.embed_batch", task, "embed.images"),
        "garbage": lambda task: '{"version": 2, ' * 100_000,
    }
    for put in forged.values():
        with pytest.raises(MessageRefusedError):
            run(lambda task, put=put: write(app, task, put(task)))
    assert store.count("images") == 0


def test_an_oversized_answer_is_not_even_read(
    run: Any, app: Celery, store: Store, report: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.cluster.results, "MOST_BYTES", 1000)
    with pytest.raises(MessageRefusedError, match="more than"):
        run(lambda task: answer(app, task, report))
    assert store.count("images") == 0


def test_a_failure_names_no_class_that_is_then_called(run: Any, app: Celery) -> None:
    """Celery's own reader makes an instance of whatever class of an exception is named."""
    failure = {"exc_module": "builtins", "exc_type": "SystemExit", "exc_message": [3]}
    meta = {"status": states.FAILURE, "result": failure}
    with pytest.raises(LikewiseError, match="SystemExit"):
        run(lambda task: write(app, task, app.seals.seal(json.dumps(meta), "result", task)))


def test_an_older_coordinator_is_told_to_be_updated(brokered: Settings, app: Celery) -> None:
    assert brokered.broker_url is not None
    address = brokered.broker_url.get_secret_value()
    older = Celery("likewise", broker=address, backend=address, set_as_current=False)
    answer(app, "1:task", {})
    meta = older.backend.get_task_meta("1:task", cache=False)
    older.close()
    assert isinstance(meta["result"], SettingsError)
    assert "Update Likewise on this machine" in str(meta["result"])


def _nan(report: Json) -> None:
    vector = np.full((1, DIM), np.nan, np.float32)
    report["deliveries"][1]["vectors"] = vectors_to_json({"visual": vector})


def _of_last_point(**changes: object) -> Change:
    return lambda report: report["deliveries"][1]["payload"].update(changes)


def _vector(**changes: object) -> Change:
    return lambda report: report["deliveries"][1]["vectors"]["visual"].update(changes)


CHANGES: dict[str, Change] = {
    "of another batch": lambda report: report.update(batch="1-2"),
    "no outcomes": lambda report: report.update(outcomes="all"),
    "no time": lambda report: report.update(stages={"decode": float("nan")}),
    "file of no batch": lambda report: report["outcomes"][1].update(path="/etc/passwd"),
    "one file twice": lambda report: report["outcomes"].append(report["outcomes"][0]),
    "no kind": lambda report: report["outcomes"][1].update(kind="folder"),
    "no status": lambda report: report["outcomes"][1].update(status="deleted"),
    "another content": lambda report: report["outcomes"][1].update(media_id=media_id("0")),
    "no code": lambda report: report["outcomes"][1].update(code="../x"),
    "endless detail": lambda report: report["outcomes"][1].update(detail="x" * 3000),
    "no collection": lambda report: report["deliveries"][1].update(collection="../x"),
    "another collection": lambda report: report["deliveries"][1].update(collection="audio"),
    "no id": lambda report: report["deliveries"][1].update(id="../../x"),
    "one point twice": lambda report: report["deliveries"].append(report["deliveries"][0]),
    "point without an outcome": lambda report: report["outcomes"].pop(),
    "preview elsewhere": _of_last_point(thumbnail="../../etc/passwd"),
    "record of another path": _of_last_point(paths=["/etc/passwd"]),
    "record of another library": _of_last_point(libraries=["another"]),
    "record of another content": _of_last_point(id=media_id("0")),
    "record of another job": _of_last_point(job="2"),
    "width below 0": _of_last_point(width=-1),
    "text for a number": _of_last_point(latitude="north"),
    "no time taken": _of_last_point(taken_at="yesterday"),
    "moment of no video": _of_last_point(moments=[1e300]),
    "one feature": _of_last_point(features=[1.0]),
    "NaN": _nan,
    "endless vector": _vector(shape=[1, 2**40]),
    "two rows of one vector": _vector(shape=[2, DIM // 2]),
    "three dimensions": _vector(shape=[1, DIM, 1]),
    "too few numbers": _vector(data="AAAA"),
    "no base64": _vector(data="!" * 44),
    "values without a place": _vector(at="AAAAAA==", data="AAAAAAAAAAA="),
    "vector without a shape": lambda report: report["deliveries"][1]["vectors"].update(other={}),
}


def test_a_report_that_is_none_is_never_partly_stored(run: Any, app: Celery, store: Store, report: Json) -> None:
    """By a worker that has the key, but runs what a file has put into it."""
    taken = []
    for name, change in CHANGES.items():
        forged = deepcopy(report)
        change(forged)
        try:
            run(lambda task, forged=forged: answer(app, task, forged))
        except (MessageRefusedError, SpaceMismatchError):
            continue
        taken.append(name)
    assert taken == []
    assert store.count("images") == 0


def test_what_others_put_into_queues_and_replies_stops_no_job(brokered: Settings, app: Celery) -> None:
    queue = TaskQueue(brokered, app)
    for garbage in ("no json", "[]", '{"headers": {"id": ["1"]}}', "[" * 100_000):
        app.backend.client.lpush("query", garbage)
    assert queue.withdraw(["1"]) == set()
    replies = f"{app.control.mailbox.oid}.reply.celery.pidbox"
    for garbage in ("no json", "[]", "{}", '{"body": "W10=", "properties": {"delivery_info": 1}}'):
        app.backend.client.lpush(replies, garbage)
        assert ask_workers(app, ACTIVE_QUEUES, 0.1) == {}
