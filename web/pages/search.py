"""The search page: a question in the address, its answer as tiles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from pydantic import Field
from werkzeug.wrappers import Response as AnyResponse

from search import metrics
from search.errors import LikewiseError, UsageError
from search.media import COLLECTIONS, Kind
from search.questions import Probe
from search.records import browse, facets, find_record
from search.store.base import Facet
from search.store.filters import Filter
from web.api.operation import current_node
from web.api.params import Asked, CollectionName, DialPosition, Limit, Words, read_query
from web.api.ports import Node
from web.api.questions import FACETS, ask, check_id
from web.api.questions import search as search_words
from web.api.uploads import probe_upload
from web.errors import STATUS_OF
from web.pages.address import Address
from web.pages.shelf import PREFIX, Shelf
from web.pages.tiles import Tile, hit_tiles, record_tile, records_of, upload_tile

blueprint = Blueprint("search", __name__)

FIRST_PAGE = 40
MOST = 500
FACETS_SECONDS = 15.0
"""How long the values offered as filters may be out of date."""


STOPS = {
    -1.0: "Same subject, other style",
    -0.5: "Same subject",
    0.0: "Both",
    0.5: "Same style",
    1.0: "Same style, other subject",
}
"""Positions of the dial between subject and style that have a name."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the search page can be asked beside the filters; ``view`` is one fused grid or a row a collection."""

    q: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    collections: Annotated[tuple[CollectionName, ...], Field(alias="in")] = ()
    spaces: tuple[str, ...] = ()
    limit: Limit = FIRST_PAGE
    view: Literal["grid", "rows"] = "grid"
    after: str | None = None
    style: DialPosition | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """``rows`` by collection; ``more`` is the address of a longer answer or the next page, if there is one."""

    mode: Literal["similar", "words", "browse", "none"]
    tiles: list[Tile] = field(default_factory=list)
    rows: Mapping[str, list[Tile]] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    took_ms: float = 0.0
    more: Address | None = None


class Choices:
    """Values offered as filters and suggestions, counted at most every :data:`FACETS_SECONDS`."""

    def __init__(self) -> None:
        self._made = 0.0
        self._values: Mapping[str, tuple[Facet, ...]] = {}

    def get(self, node: Node) -> Mapping[str, tuple[Facet, ...]]:
        if not self._values or time.monotonic() - self._made > FACETS_SECONDS:
            self._values, self._made = facets(node.store, FACETS, limit=200), time.monotonic()
        return self._values


def shelf() -> Shelf:
    """The uploads this application remembers."""
    found: Shelf = current_app.extensions["shelf"]
    return found


@blueprint.get("/")
def page() -> Response:
    """The page for the question in the address; without one, what the library holds."""
    node = current_node()
    address = Address.of(request.args)
    look, results, examples, problem = Look(), Results("none"), _Examples(), None
    try:
        look, where = read_query(request.args, (Look, Filter))
        examples = _examples(node, look)
        results = answer(node, look, where, address)
    except LikewiseError as error:
        problem = error
    points = {name: info.points for name, info in node.store.collections().items()}
    body = render_template(
        "search.html",
        address=address,
        look=look,
        results=results,
        examples=examples,
        stops=STOPS,
        problem=problem,
        choices=current_app.extensions["choices"].get(node),
        points=points,
        working=not any(points.values()) and any(not job.finished for job in node.ingest.jobs(1)),
    )
    return make_response(body, STATUS_OF.get(problem.code, 500) if problem else 200)


@blueprint.post("/look")
def look_up() -> AnyResponse:
    """Take an upload as the example and go to the address of the question about it."""
    probe = probe_upload(current_node(), request)
    if probe is None:
        raise UsageError("No file came with the form.", "Choose a photo, a video or a sound first.")
    kept = Address.of(request.form).without("form_token", "like", "unlike", "q", "after", "limit")
    return redirect(str(kept.also("like", shelf().put(probe))), 303)


def answer(node: Node, look: Look, where: Filter, address: Address) -> Results:
    """The question's answer; words narrow it further when there are examples too."""
    if look.like or look.unlike:
        return _similar(node, look, replace(where, words=look.q or where.words), address)
    if look.q:
        return _words(node, look, where, address)
    return _browse(node, look, where, address)


@dataclass(frozen=True, slots=True)
class _Examples:
    like: list[Tile] = field(default_factory=list)
    unlike: list[Tile] = field(default_factory=list)

    @property
    def have_style(self) -> bool:
        return any(tile.kind is not Kind.AUDIO for tile in self.like)


def _examples(node: Node, look: Look) -> _Examples:
    return _Examples([_example(node, name) for name in look.like], [_example(node, name) for name in look.unlike])


def _example(node: Node, name: str) -> Tile:
    if name.startswith(PREFIX):
        return upload_tile(name, shelf().get(name))
    return record_tile(find_record(node.store, check_id(name)))


def _similar(node: Node, look: Look, where: Filter, address: Address) -> Results:
    uploads: dict[str, Probe] = {n: shelf().get(n) for n in (*look.like, *look.unlike) if n.startswith(PREFIX)}
    asked = Asked(look.like, look.unlike, look.collections, look.spaces, look.limit, style=look.style)
    found = ask(node, asked, where, uploads)
    rows = {name: hit_tiles(node.store, hits) for name, hits in found.by_collection.items()}
    return Results(
        "similar",
        hit_tiles(node.store, found.hits),
        {name: tiles for name, tiles in rows.items() if tiles},
        notes=found.notes,
        took_ms=found.took_ms,
        more=_longer(look, len(found.hits), address),
    )


def _words(node: Node, look: Look, where: Filter, address: Address) -> Results:
    found = search_words(node, Words(look.q, look.collections, look.limit), where)
    records = records_of(node.store, ((hit.kind, hit.id) for hit in found.hits))
    tiles = [record_tile(records[hit.id]) for hit in found.hits if hit.id in records]
    more = _longer(look, len(found.hits), address)
    return Results("words", tiles, _by_kind(tiles), took_ms=found.took_ms, more=more)


@metrics.question("browse")
def _browse(node: Node, look: Look, where: Filter, address: Address) -> Results:
    """One collection page by page when one is chosen, otherwise the start of each."""
    chosen = look.collections or COLLECTIONS
    after = look.after if len(chosen) == 1 else None
    pages = {name: browse(node.store, name, where, look.limit, after) for name in chosen}
    rows = {name: [record_tile(record) for record in page.records] for name, page in pages.items() if page.records}
    following = pages[chosen[0]].after if len(chosen) == 1 else None
    return Results(
        "browse",
        [tile for tiles in rows.values() for tile in tiles],
        rows,
        totals={name: page.total for name, page in pages.items()},
        more=address.replacing("after", following) if following else None,
    )


def _by_kind(tiles: list[Tile]) -> dict[str, list[Tile]]:
    rows = {name: [tile for tile in tiles if tile.kind.collection == name] for name in COLLECTIONS}
    return {name: some for name, some in rows.items() if some}


def _longer(look: Look, found: int, address: Address) -> Address | None:
    if found < look.limit or look.limit >= MOST:
        return None
    return address.replacing("limit", min(look.limit * 2, MOST))
