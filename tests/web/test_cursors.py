"""Jobs and groups of duplicates are listed page by page, each page from where the one before ended."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from ingest.jobs.rows import JobRequest, create_job
from ingest.node import Node
from search.records.cursors import write_cursor
from search.settings import Settings
from web.app import create_app
from web.client import Client


@pytest.fixture
def node(make_settings: Callable[..., Settings], quick_models: Any) -> Iterator[Node]:
    """A node with seven jobs, which nobody runs."""
    with Node.open(make_settings()) as opened:
        for _ in range(7):
            add_job(opened)
        yield opened


def add_job(node: Node) -> None:
    with node.ledger.write() as connection:
        create_job(connection, JobRequest(library="holiday"), owner="", now=0.0)


def ids(items: Any) -> list[int]:
    return [int(one["id"]) for one in items]


def test_pages_of_jobs_stay_the_same_while_new_ones_arrive(app: Flask, node: Node) -> None:
    client, following, pages = app.test_client(), "?limit=3", []
    while following:
        answer = client.get(f"/api/v1/jobs{following}")
        pages.append(ids(answer.json))
        add_job(node)
        following = answer.headers.get("Link", "").removesuffix('>; rel="next"').removeprefix("<")
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]
    assert ids(client.get("/api/v1/jobs").json) == list(range(10, 0, -1)), "as version 0.1.0 answers"


def test_the_command_line_reads_as_many_pages_as_it_takes(
    app: Flask, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.client.MOST_ON_A_PAGE", 3)
    headers = {"Authorization": f"Bearer {node.token}"}
    with httpx.Client(base_url="http://localhost", headers=headers, transport=httpx.WSGITransport(app=app)) as http:
        assert [ids(Client(http, node).list("/jobs", limit)) for limit in (2, 4, 100)] == [
            [7, 6],
            [7, 6, 5, 4],
            [7, 6, 5, 4, 3, 2, 1],
        ]


def test_the_page_leads_to_older_jobs_and_back(app: Flask, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.pages.jobs.SHOWN", 4)
    client = app.test_client()
    first = client.get("/jobs").text
    assert "Latest jobs" not in first
    older = client.get(first.split('">Older jobs')[0].rpartition('href="')[2]).text
    assert [f'data-job="{number}"' in older for number in range(1, 8)] == [True] * 3 + [False] * 4
    assert ("Latest jobs" in older, "Older jobs" in older) == (True, False)


@pytest.mark.parametrize("listing", ["/jobs", "/duplicates"])
@pytest.mark.parametrize(
    "cursor",
    [
        "1",
        "%ff",
        base64.urlsafe_b64encode(b"[[[").decode(),
        *map(write_cursor, ({}, {"job": "7"}, {"job": True}, {"job": -1}, {"job": 2**40}, {"job": 1e300})),
        *map(write_cursor, ({"group": [0, 1, 2]}, {"group": [0, 1, 2, 3]}, {"group": ["0", 1, 2, "x"]})),
    ],
)
def test_a_malformed_cursor_is_refused_in_words(app: Flask, node: Node, listing: str, cursor: str) -> None:
    for prefix in ("/api/v1", ""):
        refused = app.test_client().get(f"{prefix}{listing}?after={cursor}", headers={"Accept": "application/json"})
        assert (refused.status_code, refused.json["code"]) == (400, "usage")
        assert "is not where a listing ended" in refused.json["detail"]


@pytest.fixture
def app(node: Node) -> Flask:
    return create_app(node)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
