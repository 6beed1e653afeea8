"""Values of an indexed payload key and how often each is held, on every store."""

from __future__ import annotations

import pytest

from search.errors import UsageError
from search.store.filters import Filter


def test_facets_most_frequent_first(store, images, make_image):
    store.ensure(images)
    store.upsert("images", [make_image(n, tags=("cat",) if n % 3 else ("cat", "dog")) for n in range(9)])
    store.upsert("images", [make_image(9, tags=("bird",), missing=True)])
    assert [(f.value, f.count) for f in store.facet("images", "tags")] == [("cat", 9), ("dog", 3), ("bird", 1)]
    assert [f.value for f in store.facet("images", "tags", where=Filter())] == ["cat", "dog"]
    assert [f.value for f in store.facet("images", "tags", limit=1)] == ["cat"]


def test_a_value_that_nothing_holds_any_more_is_no_facet(store, images, make_image):
    store.ensure(images)
    points = [make_image(n, photographer=name) for n, name in enumerate(("Ada", "Bo", "Cy"))]
    store.upsert("images", points)
    store.patch_payload("images", {points[0].id: {"photographer": "Bo"}})
    store.delete("images", [points[2].id])
    assert [(f.value, f.count) for f in store.facet("images", "photographer")] == [("Bo", 2)]
    store.patch_payload("images", {point.id: {"photographer": None} for point in points})
    assert store.facet("images", "photographer") == []


@pytest.mark.parametrize("key", ["words", "features", "nonsense"])
def test_facets_of_a_key_that_cannot_be_counted(store, images, key):
    store.ensure(images)
    with pytest.raises(UsageError, match=key):
        store.facet("images", key)
