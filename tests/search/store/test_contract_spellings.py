"""Composed (NFC) and decomposed (NFD) spellings find each other, on every store; paths stay as they are stored."""

from __future__ import annotations

import unicodedata

import pytest

from search.store.filters import Filter

PLAIN = {
    "path_prefix": "/bilder/Müßiggang/Été",
    "cameras": ("Käfer 3",),
    "lenses": ("Übersicht 28mm",),
    "photographers": ("José Núñez",),
    "tags": ("école",),
    "libraries": ("Fotoalbum für Zoë",),
    "words": "Núñez école",
}


def spelt(form, value):
    if isinstance(value, tuple):
        return tuple(spelt(form, one) for one in value)
    return unicodedata.normalize(form, value)


def facts(form):
    return {
        "paths": (f"{spelt(form, PLAIN['path_prefix'])}/{form}.jpg",),
        "camera": spelt(form, "Käfer 3"),
        "lens": spelt(form, "Übersicht 28mm"),
        "photographer": spelt(form, "José Núñez"),
        "tags": (spelt(form, "école"),),
        "libraries": (spelt(form, "Fotoalbum für Zoë"),),
    }


@pytest.fixture
def spelt_both_ways(store, images, make_image):
    store.ensure(images)
    mixed = unicodedata.normalize("NFD", "/bilder/Müßiggang") + "/Été"
    points = [make_image(1, **facts("NFC")), make_image(2, **facts("NFD")), make_image(4, paths=(f"{mixed}/c.jpg",))]
    store.upsert("images", [*points, make_image(3, paths=("/bilder/Mussiggang/Ete/x.jpg",), tags=("ecole",))])
    return points


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", PLAIN)
def test_either_spelling_finds_both(store, spelt_both_ways, name, form):
    where = Filter(**{name: spelt(form, PLAIN[name])})
    found = {point.id for point in store.scroll("images", where=where)}
    wanted = spelt_both_ways if name == "path_prefix" else spelt_both_ways[:2]
    assert found == {point.id for point in wanted}


def test_the_path_itself_stays(store, spelt_both_ways):
    paths = {point.payload["paths"][0] for point in store.scroll("images")}
    assert {facts("NFC")["paths"][0], facts("NFD")["paths"][0]} <= paths
