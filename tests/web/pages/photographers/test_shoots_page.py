"""Shoots on a photographer's page: over time, with the change of style, and with names."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient

from search.photographers.photos.names import photographer_id


def address(name: str) -> str:
    return f"/photographers/{photographer_id(name)}"


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_shoots_and_the_change_of_style_are_shown_over_time(client: FlaskClient, desk: Any) -> None:
    page = client.get(address(desk.names[0])).text
    assert "Since July 2012 the photos are darker than before." in page
    assert page.count('class="chart over-shoots"') == 4
    assert page.count('class="change"') == 4
    assert "&lt;b&gt;Harvest&lt;/b&gt;" in page
    assert "<b>Harvest</b>" not in page
    rows = re.findall(r"<th scope=\"row\"><bdi>Ohio, \d+ March 2012", page)
    assert len(rows) == 14


def test_a_shoot_is_named_and_its_name_taken_back(client: FlaskClient, desk: Any, node: Any) -> None:
    who = address(desk.names[0])
    form = {"form_token": form_token(client.get(who).text), "id": "3c375b09-a29a-5a72-8fff-09bb5f09d7af"}
    answer = client.post(f"{who}/shoots/name", data={**form, "name": " Harvest "})
    assert (answer.status_code, answer.location) == (303, f"{who}#sessions")
    client.post(f"{who}/shoots/name", data={**form, "name": "Harvest", "undo": "1"})
    assert [name for _, name in node.desk.shoots] == ["Harvest", ""]
    assert len(node.desk.shoots[0][0]) == 6
