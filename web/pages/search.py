"""The search page: a question in the address, its answer as tiles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from jinja2.runtime import Macro
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from search.errors import LikewiseError
from search.media import Kind
from search.model_descriptions.registry import SCENE
from search.records.lookup import facets
from search.records.shown import shown_record
from search.store.base import Facet
from search.store.filters import Filter, FilterField, facet_keys, filter_fields
from web.api.operation import current_node
from web.api.ports import NodePort
from web.api.questions import check_id
from web.bodies import takes_file
from web.errors import STATUS_OF
from web.pages.address import PAGING, PART, Address
from web.pages.forms import known_arguments, read_address
from web.pages.recent_uploads import PREFIX, recent_uploads, remember_upload
from web.pages.results import ORDER_WORDS, VARIED, Results, SearchPageQuery, answer
from web.pages.tiles import Tile, record_tile, upload_tile

blueprint = Blueprint("search", __name__)

FACETS_SECONDS = 15.0
"""How long the values offered as filters may be out of date."""
MOST_MARKUP = 64
"""Combinations of filters whose fields are kept as they were written."""


STOPS = {
    -1.0: "Same subject, other style",
    -0.5: "Same subject",
    0.0: "Both",
    0.5: "Same style",
    1.0: "Same style, other subject",
}
"""Positions between subject and style that have a name."""


class Choices:
    """Values offered as filters and suggestions, counted at most every :data:`FACETS_SECONDS`, and what templates made
    of them since."""

    def __init__(self) -> None:
        self._made = 0.0
        self._values: Mapping[str, tuple[Facet, ...]] = {}
        self._markup: dict[object, Markup] = {}

    def get(self, node: NodePort) -> Mapping[str, tuple[Facet, ...]]:
        if not self._values or time.monotonic() - self._made > FACETS_SECONDS:
            self._values, self._made = facets(node.store, facet_keys(), limit=200), time.monotonic()
            self._markup = {}
        return self._values

    def markup(self, macro: Macro, address: Address, choices: Mapping[str, tuple[Facet, ...]]) -> Markup:
        """``macro(address, choices)``, which may depend on the filters of the address alone: most pages have none, and
        all have the same choices."""
        kept = self._markup
        if choices is not self._values:  # counted anew meanwhile
            return cast("Markup", macro(address, choices))
        key = (macro.name, address.only(("in", *filter_fields())))
        if key not in kept:
            if len(kept) >= MOST_MARKUP:
                kept.clear()
            kept[key] = cast("Markup", macro(address, choices))
        return kept[key]


@blueprint.app_template_global()
def filter_table() -> Mapping[str, FilterField]:
    """The table of filters, for templates: by name of the parameter."""
    return filter_fields()


@blueprint.get("/")
def page() -> Response:
    """The page for the question in the address; without one, what the library holds."""
    node = current_node()
    choices: Choices = current_app.extensions["choices"]
    asked = (SearchPageQuery, Filter)
    address = Address.of(known_arguments(asked))
    query, results, examples, problem = SearchPageQuery(), Results("none"), _Examples(), None
    try:
        query, where = read_address(asked)
        examples = _examples(node, query)
        results = answer(node, query, where, address, [tile.kind for tile in examples.like])
    except LikewiseError as error:
        problem = error
    points = {name: info.points for name, info in node.store.collections().items()}
    body = render_template(
        "search.html",
        address=address,
        look=query,
        results=results,
        examples=examples,
        stops=STOPS,
        varied=VARIED,
        paging=PAGING,
        part=PART,
        orders=ORDER_WORDS,
        problem=problem,
        choices=choices.get(node),
        choices_markup=choices.markup,
        points=points,
        working=not any(points.values()) and any(not job.finished for job in node.ingest.jobs(1)),
    )
    return make_response(body, STATUS_OF.get(problem.code, 500) if problem else 200)


@blueprint.post("/look")
@takes_file
def look_up() -> AnyResponse:
    """Take an upload as the example and go to the address of the question about it."""
    uploaded = remember_upload("Choose a photo, a video or a sound first.")
    kept = Address.of(request.form).without("form_token", "like", "unlike", "q", "limit", *PAGING, *PART)
    return redirect(str(kept.also("like", uploaded)), 303)


@dataclass(frozen=True, slots=True)
class _Examples:
    """The examples of a question. ``can_move``: there is a film among them, and movement to compare it by."""

    like: list[Tile] = field(default_factory=list)
    unlike: list[Tile] = field(default_factory=list)
    can_move: bool = False

    @property
    def have_style(self) -> bool:
        return any(tile.kind is not Kind.AUDIO for tile in self.like)


def _examples(node: NodePort, query: SearchPageQuery) -> _Examples:
    like, unlike = ([_example(node, name) for name in names] for names in (query.like, query.unlike))
    films = node.store.collections().get(Kind.VIDEO.collection)
    has_movement = films is not None and films.schema.space(SCENE) is not None
    return _Examples(like, unlike, has_movement and any(tile.kind is Kind.VIDEO for tile in like))


def _example(node: NodePort, name: str) -> Tile:
    if name.startswith(PREFIX):
        return upload_tile(name, recent_uploads().get(name))
    return record_tile(shown_record(node.store, check_id(name)))
