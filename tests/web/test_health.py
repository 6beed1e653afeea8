"""For whatever watches: is it alive, is it ready, what has it done?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient

from search.errors import BrokerUnavailableError, LedgerUnavailableError, StoreUnavailableError
from web.app import create_app
from workers.cluster.broker import Listener


class FakeBroker:
    """A broker that answers as a test says."""

    away = False

    def check(self) -> None:
        if self.away:
            raise BrokerUnavailableError("The broker cannot be reached: no route.", "Start Redis.")

    def depths(self) -> Mapping[str, int]:
        self.check()
        return {"query": 0, "embed.images": 1234}

    def listeners(self) -> tuple[Listener, ...]:
        self.check()
        return (Listener("likewise-1@gpu", ("query", "embed.images")),)


@pytest.fixture
def fake_broker(node: Any) -> FakeBroker:
    node.broker = FakeBroker()
    return node.broker  # type: ignore[no-any-return]


def test_every_part_is_named(client: FlaskClient, fake_broker: FakeBroker) -> None:
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json["parts"] == {"store": "ok", "ledger": "ok", "broker": "ok"}


def test_a_node_without_a_broker_needs_none(client: FlaskClient) -> None:
    assert client.get("/readyz").json["parts"] == {"store": "ok", "ledger": "ok"}


@pytest.mark.parametrize("part", ["store", "ledger", "broker"])
def test_what_is_not_ready_is_named(
    client: FlaskClient, node: Any, fake_broker: FakeBroker, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(error: Exception) -> Any:
        def raises(*_: object) -> None:
            raise error

        return raises

    if part == "store":
        monkeypatch.setattr(node.store, "collections", away(StoreUnavailableError("It is away.", "Start it.")))
    elif part == "ledger":
        monkeypatch.setattr(node.ingest, "jobs", away(LedgerUnavailableError("It is away.", "Start it.")))
    else:
        fake_broker.away = True
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json["error"]["message"].startswith(f"The {part} is not ready: ")
    assert ready.json["error"]["hint"]
    assert [name for name, told in ready.json["parts"].items() if told != "ok"] == [part]
    assert client.get("/healthz").status_code == 200


def test_metrics_hold_what_was_asked_and_what_waits(client: FlaskClient, fake_broker: FakeBroker) -> None:
    assert client.get("/api/v1/search?q=forest").status_code == 200
    scrape = client.get("/metrics")
    assert scrape.mimetype == "text/plain"
    assert 'likewise_queue_depth{queue="embed.images"} 1234.0' in scrape.text
    assert 'likewise_question_seconds_count{question="words"}' in scrape.text


def test_metrics_survive_a_broker_that_is_away(client: FlaskClient, fake_broker: FakeBroker) -> None:
    fake_broker.away = True
    scrape = client.get("/metrics")
    assert scrape.status_code == 200
    assert "likewise_queue_depth{" not in scrape.text


def test_a_scrape_sends_the_token(make_node: Any, new_stranger: Any) -> None:
    client = new_stranger(create_app(make_node(token="correct horse battery")))
    refused = client.get("/metrics")
    assert (refused.status_code, refused.json["error"]["code"]) == (401, "unauthorized")
    assert client.get("/metrics", headers={"Authorization": "Bearer correct horse battery"}).status_code == 200
    assert client.get("/readyz").status_code == 200, "probes of an orchestrator know no token"


def test_the_status_page_shows_the_cluster(client: FlaskClient, fake_broker: FakeBroker) -> None:
    page = client.get("/status").text
    assert "likewise-1@gpu: query, embed.images" in page
    assert "1\u202f234 waiting" in page or "1 234 waiting" in page
    fake_broker.away = True
    page = client.get("/status").text
    assert "The queue is unreachable." in page
    assert "no route" in page
    assert client.get("/api/v1/cluster").json["broker"] == "away"


def test_a_node_by_itself_has_no_cluster_to_show(client: FlaskClient) -> None:
    assert "Workers" not in client.get("/status").text
    assert client.get("/api/v1/cluster").json == {"broker": "none", "message": "", "waiting": {}, "workers": []}
