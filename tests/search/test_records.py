"""Looking up, browsing and counting what is stored."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.errors import NotFoundError, UsageError
from search.media import Kind
from search.records.browse import browse
from search.records.lookup import asked_fields, facets, find_record
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Facet
from search.store.filters import Filter

X = [1.0, 0, 0, 0]


def test_a_record_is_found_in_whichever_collection_holds_it(library: Any) -> None:
    bell = library.audio("bell", X, duration=2.5)

    assert find_record(library.store, bell).duration == 2.5
    for absent in ("not an id", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFoundError, match=absent):
            find_record(library.store, absent)


def test_pages_walk_through_a_collection_once(library: Any) -> None:
    stored = sorted(library.image(f"{n}", X) for n in range(7))
    library.image("gone", X, missing=True)

    walked: list[str] = []
    after: str | None = None
    for size in (3, 3, 1):
        page = browse(library.store, "images", limit=3, after=after, order="id")
        assert (len(page.records), page.total) == (size, 7)
        walked += [record.id for record in page.records]
        after = page.after

    assert after is None
    assert walked == stored


def test_a_page_obeys_filters_and_a_last_full_page_says_so(library: Any) -> None:
    red = library.image("red", X, tags=("red",))
    library.image("blue", X)

    page = browse(library.store, "images", Filter(tags=("red",)), limit=1)

    assert ([record.id for record in page.records], page.total, page.after) == ([red], 1, None)
    with pytest.raises(UsageError, match="'pictures'"):
        browse(library.store, "pictures")
    with pytest.raises(UsageError, match="0 records"):
        browse(library.store, "images", limit=0)


def test_sparse_and_internal_spaces_answer_no_example() -> None:
    space = Space("visual", "hand", "1", "none", 4, Distance.DOT)
    concepts, raw = replace(space, name="concepts"), replace(space, name="sound_raw")
    schema = CollectionSchema(Kind.IMAGE, (VectorField(space), VectorField(concepts, sparse=True), VectorField(raw)))
    assert asked_fields(schema) == schema.fields[:1]


def test_facets_add_up_over_collections_without_what_is_missing(library: Any) -> None:
    library.image("1", X, tags=("fox", "snow"))
    library.video("2", [X], tags=("fox",))
    library.image("3", X, tags=("fox",), missing=True)

    assert facets(library.store, ["tags", "camera"]) == {"tags": (Facet("fox", 2), Facet("snow", 1)), "camera": ()}
    assert facets(library.store, ["tags"], limit=1) == {"tags": (Facet("fox", 2),)}


def test_the_room_needs_no_model_no_pictures_and_no_pages(repository: Path) -> None:
    """In a process of its own, for this one has long imported them."""
    program = """
import pathlib, sys
for path in pathlib.Path("search").glob("*.py"):
    if path.stem != "__init__":
        __import__(f"search.{path.stem}")
print(sorted({"torch", "flask", "PIL", "cv2", "av", "celery"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
