"""A library that an older Likewise made: spaces that came later stand last in it, wherever a new library has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.settings import Settings
from search.store import open_store
from search.store.filters import Filter


@pytest.fixture
def older(make_settings: Callable[..., Settings], media: Path, renewing: Any) -> Iterator[Any]:
    """A library whose collections were made before there was ``style``, and got it since."""
    renewing.fill(media, 3)
    settings = make_settings()
    store = open_store(settings)
    for schema in renewing.schemas_of(replace(renewing.BEFORE, style=False)):
        store.ensure(schema)
    store.close()
    made = renewing.Library(settings, media)
    made.take_in()
    yield made
    made.close()


def test_style_is_filled_in_where_it_came_after_the_other_spaces(older: Any, renewing: Any) -> None:
    older.forget_style(3)

    ended = older.reembed("style", "style")

    assert ended.message.startswith("Every picture and video has its style")
    store = older.store
    assert {name: store.count(name, Filter(has_space="style")) for name in ("images", "videos")} == {
        "images": 3,
        "videos": 2,
    }
    assert [[made.name for made in store.generations(name)] for name in ("images", "videos")] == [
        ["images.1"],
        ["videos.1"],
    ]
    assert older.reembed(renewing.BEFORE.image).message == "'visual' is made with resnet18 already."


def test_going_back_to_a_model_takes_up_the_generation_that_style_came_late_to(older: Any, renewing: Any) -> None:
    older.reembed(renewing.AFTER.image)
    older.reembed(renewing.BEFORE.image)

    assert [(made.name, made.current) for made in older.store.generations("videos")] == [
        ("videos.1", True),
        ("videos.2", False),
    ]
