"""What a request for labels becomes: the options of the task."""

from __future__ import annotations

from typing import Any

import pytest

from web.api.params import adapter
from web.api.photographers import NewLabels

ASKED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"from": "folder", "depth": 0}, {"from": "folder", "depth": "0"}),
    ({"from": "folder", "overwrite": True, "path": "/a"}, {"from": "folder", "overwrite": "1", "path": "/a"}),
    ({"from": "kmeans", "groups": 3, "seed": 0}, {"from": "kmeans", "groups": "3", "seed": "0"}),
    ({"from": "person", "ids": ["x", "y"], "name": "Ada"}, {"from": "person", "ids": "x,y", "name": "Ada"}),
    ({"from": "exif"}, {"from": "exif"}),
]


@pytest.mark.parametrize(("asked", "options"), ASKED)
def test_what_is_asked_for_reaches_the_task(asked: dict[str, Any], options: dict[str, str]) -> None:
    assert adapter(NewLabels).validate_python(asked).options == options
