"""Engines on a Qdrant server that cannot give a collection a space it was made without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, NoReturn

import httpx
import pytest
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import UnexpectedResponse

from search.errors import ModelError, SpaceMismatchError
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store.base import SpaceNotAddedError
from search.store.server.store import ServerStore
from workers.embedders.choice import ensure_collections, not_added
from workers.engines.cluster import ClusterEngine
from workers.engines.local import Engine, LocalEngine

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

CHOICE = ModelChoice("resnet18", "r3d18")
BEFORE_STYLE = schemas_of(replace(CHOICE, style=False, concepts=False))


class OldServer(QdrantClient):
    """Answers a request that came with version 1.18 as servers before it do."""

    def create_vector_name(self, *_: Any, **__: Any) -> NoReturn:
        raise UnexpectedResponse(404, "Not Found", b"", httpx.Headers())


@pytest.fixture
def store() -> Iterator[ServerStore]:
    with closing(ServerStore(OldServer(":memory:"))) as opened:
        yield opened


@pytest.fixture(params=["alone", "cluster"])
def engine(request: pytest.FixtureRequest, make_settings: Callable[..., Settings], store: ServerStore) -> Engine:
    if request.param == "alone":
        return LocalEngine(make_settings(), store)
    return ClusterEngine(make_settings(broker_url="redis://127.0.0.1:1/0"), store)


def notes(engine: Engine) -> tuple[str, ...]:
    engine.prepare()
    return engine.notes


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ({"style": False}, (not_added("style"),)),
        ({"concepts": False}, (not_added("concepts"),)),
        ({"style": False, "concepts": False}, (not_added("style"), not_added("concepts"))),
    ],
)
def test_a_library_from_before_a_space_goes_on_without_until_it_is_made_anew(
    engine: Engine, store: ServerStore, without: dict[str, bool], said: tuple[str, ...]
) -> None:
    before = schemas_of(replace(CHOICE, **without))
    for schema in before:
        store.ensure(schema)
    assert notes(engine) == said
    assert tuple(store.schema(schema.collection) for schema in before) == before

    for schema in schemas_of(CHOICE)[:2]:  # what `likewise reembed --space style` or `--space concepts` makes
        store.promote(store.begin_generation(schema))
    engine.forget()
    assert notes(engine) == ()


def test_a_library_goes_on_without_meaning_where_the_server_cannot_add_it(
    store: ServerStore, make_settings: Callable[..., Settings]
) -> None:
    for schema in schemas_of(CHOICE):
        store.ensure(schema)
    engine = ClusterEngine(make_settings(broker_url="redis://127.0.0.1:1/0", text_model="open_clip"), store)
    assert notes(engine) == (not_added("meaning"),)


def test_only_what_was_refused_is_left_out_and_each_space_is_asked_for_once(
    store: ServerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for schema in BEFORE_STYLE:
        store.ensure(schema)
    asked: list[str] = []

    def refused(client: OldServer, collection: str, name: str, *_: Any, **__: Any) -> NoReturn:
        asked.append(name)
        raise UnexpectedResponse(404, "Not Found", b"", httpx.Headers())

    monkeypatch.setattr(OldServer, "create_vector_name", refused)
    choice = ensure_collections(store, replace(CHOICE, text="open_clip"))
    assert asked == ["style", "concepts", "meaning"]
    assert choice == replace(CHOICE, notes=tuple(map(not_added, asked)), style=False, concepts=False)


def test_a_model_of_words_that_is_not_to_be_had_is_said_before_anything_is_made(
    store: ServerStore, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.model_descriptions.text.PACKAGES", ("no_such_package",))
    settings = make_settings(text_model="open_clip", image_model="efficientnet_lite0", video_model="frames")
    with pytest.raises(ModelError, match=r"likewise\[text\]"):
        LocalEngine(settings, store).prepare()
    assert not store.collections()


def test_a_new_library_has_style_whatever_the_server(engine: Engine, store: ServerStore) -> None:
    for schema in schemas_of(CHOICE):
        store.ensure(schema)
    assert notes(engine) == ()


def test_any_other_space_that_cannot_be_added_is_an_error(engine: Engine, store: ServerStore) -> None:
    images, videos, audio = BEFORE_STYLE
    store.ensure(images)
    store.ensure(audio)
    store.ensure(replace(videos, fields=tuple(field for field in videos.fields if field.space.name != "sound")))
    with pytest.raises(SpaceNotAddedError, match=r"'videos' has no space 'sound'.*likewise reembed --space sound"):
        engine.prepare()


def test_vectors_held_in_another_form_are_an_error(engine: Engine, store: ServerStore) -> None:
    images = BEFORE_STYLE[0]
    wrong = CollectionSchema(images.kind, tuple(replace(field, multi=True) for field in images.fields))
    store.ensure(wrong)
    store.ensure(BEFORE_STYLE[1])
    with pytest.raises(SpaceMismatchError, match="many vectors"):
        engine.prepare()
