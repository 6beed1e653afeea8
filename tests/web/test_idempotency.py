"""A request that starts a job and is sent again with its ``Idempotency-Key`` starts no second one."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from ingest.ledger.access import Scope
from ingest.ledger.request_keys import CLAIM_SECONDS, KEPT_SECONDS
from ingest.ledger.tables import request_keys
from ingest.node import Node
from search.settings import Settings
from web.api.conventions.idempotency import HEADER
from web.api.description.document import OPERATIONS, document
from web.app import create_app

KEY = {HEADER: '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


@pytest.fixture
def settings(make_settings: Callable[..., Settings], tmp_path: Path) -> Settings:
    return make_settings(allowed_folders=(str(tmp_path),))


@pytest.fixture
def node(settings: Settings, quick_models: Any) -> Iterator[Node]:
    with Node.open(settings) as opened:
        yield opened


@pytest.fixture
def body(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "media").mkdir()
    return {"paths": [str(tmp_path / "media")], "library": "holiday"}


def client_of(node: Node) -> FlaskClient:
    return create_app(node).test_client()


def move_back(node: Node, **seconds: float) -> None:
    with node.ledger.write() as connection:
        columns = {name: request_keys.c[name] - value for name, value in seconds.items()}
        connection.execute(update(request_keys).values(columns))


def test_every_call_that_starts_a_job_takes_a_key_and_says_so() -> None:
    starts = ("start_ingest(", "start_task(", "node.retry_failures(")
    makers = {one.name for one in OPERATIONS if any(call in inspect.getsource(one.view) for call in starts)}
    assert makers == {one.name for one in OPERATIONS if one.answer_of_job is not None}
    assert {one.name for one in OPERATIONS if one.status == 202} == makers - {"retry_failures"}
    described = {
        item["operationId"]: item
        for path in document()["paths"].values()
        for item in path.values()
        if any(each["name"] == HEADER for each in item.get("parameters", ()))
    }
    assert described.keys() == makers
    assert all({"409", "422"} <= item["responses"].keys() for item in described.values())


def test_the_first_answer_again_even_after_a_restart(
    settings: Settings, body: dict[str, Any], quick_models: Any
) -> None:
    with Node.open(settings) as node:
        first = client_of(node).post("/api/v1/jobs", json=body, headers=KEY)
        assert first.status_code == 202
        node.wait_until_idle()
        turned = dict(reversed(body.items()))
        again = client_of(node).post("/api/v1/jobs", json=turned, headers={HEADER: KEY[HEADER].strip('"')})
    with Node.open(settings) as restarted:
        late = client_of(restarted).post("/api/v1/jobs", json=body, headers=KEY)
        assert [one.id for one in restarted.ingest.jobs()] == [first.json["id"]]
    for one in (again, late):
        assert (one.status_code, one.content_type, one.json) == (202, first.content_type, first.json)


def test_another_request_with_the_key_is_refused(node: Node, body: dict[str, Any]) -> None:
    client = client_of(node)
    client.post("/api/v1/jobs", json=body, headers=KEY)
    for path, other in (("/api/v1/jobs", body | {"reread": True}), ("/api/v1/verifications", {})):
        refused = client.post(path, json=other, headers=KEY)
        assert (refused.status_code, refused.json["code"]) == (422, "key_reused")
    assert len(node.ingest.jobs()) == 1


def test_of_two_at_the_same_time_one_starts_a_job(
    node: Node, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, answers = threading.Event(), threading.Event(), []
    start = node.ingest.start

    def slow(*args: Any, **options: Any) -> str:
        begun.set()
        assert go_on.wait(30)
        return start(*args, **options)

    monkeypatch.setattr(node.ingest, "start", slow)
    first = threading.Thread(
        target=lambda: answers.append(client_of(node).post("/api/v1/jobs", json=body, headers=KEY))
    )
    first.start()
    assert begun.wait(30)
    second = client_of(node).post("/api/v1/jobs", json=body, headers=KEY)
    assert (second.status_code, second.json["code"]) == (409, "key_in_use")
    assert int(second.headers["Retry-After"]) > 0
    go_on.set()
    first.join(30)
    third = client_of(node).post("/api/v1/jobs", json=body, headers=KEY)
    assert answers[0].json == third.json
    assert len(node.ingest.jobs()) == 1


def test_one_that_is_overtaken_starts_no_job(node: Node, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a client that sends its request again, because the first server hangs."""
    start, answers = node.ingest.start, []

    def overtaken(*args: Any, **options: Any) -> str:
        monkeypatch.setattr(node.ingest, "start", start)
        move_back(node, claimed=CLAIM_SECONDS)
        answers.append(client_of(node).post("/api/v1/jobs", json=body, headers=KEY))
        return start(*args, **options)

    monkeypatch.setattr(node.ingest, "start", overtaken)
    first = client_of(node).post("/api/v1/jobs", json=body, headers=KEY)
    assert (first.status_code, answers[0].status_code) == (409, 202)
    assert [one.id for one in node.ingest.jobs()] == [answers[0].json["id"]]


@pytest.mark.parametrize("had_job", [True, False])
def test_a_process_that_is_killed_before_it_answers_has_started_the_job_once_or_not_at_all(
    node: Node, body: dict[str, Any], had_job: bool
) -> None:
    """A key as it is left then: with the job that was made, or with none."""
    client = client_of(node)
    first = client.post("/api/v1/jobs", json=body, headers=KEY).json["id"]
    left = {"status": None, "answer": None} | ({} if had_job else {"job": None})
    with node.ledger.write() as connection:
        connection.execute(update(request_keys).values(left))
    if not had_job:
        assert client.post("/api/v1/jobs", json=body, headers=KEY).status_code == 409
        move_back(node, claimed=CLAIM_SECONDS)
    again = client.post("/api/v1/jobs", json=body, headers=KEY)
    assert again.status_code == 202
    assert (again.json["id"] == first) == had_job


def test_after_an_error_the_key_is_free(node: Node, body: dict[str, Any], tmp_path: Path) -> None:
    client = client_of(node)
    absent = {"paths": [str(tmp_path / "drive")]}
    assert client.post("/api/v1/jobs", json=absent, headers=KEY).status_code == 404
    (tmp_path / "drive").mkdir()
    assert client.post("/api/v1/jobs", json=absent, headers=KEY).status_code == 202


def test_what_had_nothing_to_do_is_kept_too(node: Node) -> None:
    client = client_of(node)
    answers = [client.post("/api/v1/failures/retry", headers=KEY) for _ in range(2)]
    assert [(one.status_code, one.json) for one in answers] == [(200, {"job": None})] * 2
    with node.ledger.read() as connection:
        assert connection.execute(select(request_keys.c.status)).scalars().all() == [200]


def test_keys_belong_to_their_caller_and_are_kept_for_a_day(node: Node, body: dict[str, Any]) -> None:
    client = client_of(node)
    other = KEY | {"Authorization": f"Bearer {node.access.add_token('other', Scope.INGEST)}"}
    jobs = [client.post("/api/v1/jobs", json=body, headers=headers).json["id"] for headers in (KEY, other, KEY)]
    assert jobs[0] == jobs[2] != jobs[1]
    move_back(node, created=KEPT_SECONDS)
    assert client.post("/api/v1/jobs", json=body, headers=KEY).json["id"] not in jobs
    with node.ledger.read() as connection:
        assert len(connection.execute(select(request_keys)).all()) == 1


@pytest.mark.parametrize("key", ["", '""', "a b", "a,b", "x" * 256, '"open', "ü"])
def test_a_key_that_is_none_is_refused(node: Node, body: dict[str, Any], key: str) -> None:
    refused = client_of(node).post("/api/v1/jobs", json=body, headers={HEADER: key})
    assert (refused.status_code, HEADER in refused.json["detail"]) == (400, True)
    assert node.ingest.jobs() == []
