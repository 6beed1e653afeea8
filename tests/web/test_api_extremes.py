"""Whatever a request says, it is answered or refused with words: no number, date or text of it fails in a database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from ingest.jobs.progress import JobState
from ingest.node import Node
from search.settings import Settings
from web.app import create_app

VALUES = (
    *("-1", "2147483648", "9223372036854775808", "-9223372036854775809", "1" + "0" * 400),
    *("1e400", "nan", "-inf", "1e-320", "٣"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "2024-01-01T25:00", "-0001-01-01"),
    *("a\0b", "é" * 20_000, "\ufffd", "'; DROP TABLE files; --", "%", "\\", '"'),
    *("91,0,1", "nan,nan,nan", "0,0,1e300"),
)
LEFT_OUT = ("/events", "/metrics", "/export")


def operations(client: FlaskClient, method: str) -> list[tuple[str, list[str]]]:
    """Path and parameters of each call of that method."""
    described = client.get("/openapi.json").json
    found = []
    for path, calls in described["paths"].items():
        if method not in calls or any(path.endswith(end) for end in LEFT_OUT):
            continue
        if method == "get":
            names = [each["name"] for each in calls[method].get("parameters", ()) if each["in"] == "query"]
        else:
            schema = (
                calls[method].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            schema = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
            names = list(schema.get("properties", {}))
        found.append((path, names))
    return found


def check(answer: Any, asked: str) -> None:
    assert answer.status_code < 500, f"{asked[:300]}: {answer.status_code} {answer.get_data(as_text=True)[:300]}"
    if answer.status_code >= 400:
        assert answer.json["error"]["message"], asked[:300]


def test_every_parameter_of_every_question_takes_or_refuses_every_value(client: FlaskClient, library: Any) -> None:
    asked = 0
    some_id = library.ids["beach_1.jpg"]
    for path, names in operations(client, "get"):
        for name in names:
            for value in VALUES:
                address = path.replace("{media_id}", some_id)
                if "{" in address:
                    continue
                check(
                    client.get(f"/api/v1{address.removeprefix('/api/v1')}?{name}={quote(value)}"),
                    f"{address} {name}={value!r}",
                )
                asked += 1
    assert asked > 1000


def test_every_name_in_an_address_is_known_or_not(client: FlaskClient) -> None:
    for path, _ in operations(client, "get"):
        before, brace, _rest = path.partition("{")
        if not brace:
            continue
        for value in VALUES:
            address = before + quote(value, safe="") + path.partition("}")[2]
            check(client.get(f"/api/v1{address.removeprefix('/api/v1')}"), address)


@pytest.mark.parametrize("path", ["/similar", "/words", "/jobs"])
def test_bodies_are_taken_or_refused(client: FlaskClient, path: str) -> None:
    names = (
        next(names for each, names in operations(client, "post") if each.endswith(path)) if path != "/words" else ["q"]
    )
    values: list[Any] = [*VALUES, 10**400, 2**63, -(2**63), True, None, [], {}, "\ud800", ["\ud800"], [[]], 0.1]
    for name in names:
        for value in values:
            text = json.dumps({name: value})
            answer = client.post(f"/api/v1{path}", data=text, content_type="application/json")
            check(answer, f"{path} {text}")


def test_files_of_any_time_are_taken_in_and_shown(
    make_settings: Callable[..., Settings], quick_models: Any, make_media: Callable[..., Path]
) -> None:
    """The years 2400 and 10000, and times before 1970, as far as this file system keeps them."""
    media = make_media()
    times = (-1, -(10**9), -(2**62), 2**62, 13_569_465_600 * 10**9, 253_402_300_800 * 10**9, 2**63, -(2**66))
    for path, time in zip(sorted(media.rglob("*.png")), times, strict=False):
        os.utime(path, ns=(0, time))
    with Node.open(make_settings()) as node:
        job = node.start_ingest([media])
        node.wait_until_idle()
        done = node.ingest.progress(job)
        assert (done.state, done.embedded) == (JobState.DONE, 9), done.message
        client = create_app(node).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {node.token}"
        for order in ("newest", "name", "size", "added"):
            listed = client.get(f"/api/v1/browse?collection=images&order={order}")
            assert len(next(iter(listed.json.values()))) == 9
        for point in node.store.scroll("images"):
            for address in ("item/{}", "media/{}/file", "media/{}/preview", "api/v1/media/{}"):
                assert client.get(f"/{address.format(point.id)}").status_code == 200, point.payload["mtime"]
