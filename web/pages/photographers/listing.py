"""Page that lists the photographers: search by name, order, and pages; hints where there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from flask import render_template
from pydantic import Field

from search.media import Credit
from search.photographers.answers import PhotographerListed
from search.photographers.photos.names import fold
from web.api.operation import current_node
from web.pages.forms import read_address
from web.pages.photographers.shared import CREDIT_WORDS, active_jobs, blueprint

PAGE = 60
"""Photographers per page; their samples are loaded when they scroll into view."""

SORTS: dict[str, tuple[str, Callable[[PhotographerListed], tuple[object, ...]]]] = {
    "photos": ("Most photos", lambda one: (-one.photos, fold(one.name))),
    "name": ("Name", lambda one: (fold(one.name), one.name)),
    "first": ("Earliest work", lambda one: (one.first is None, one.first or "", fold(one.name))),
    "last": ("Latest work", lambda one: (one.last is None, _reversed(one.last), fold(one.name))),
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Parameters of the list; ``who`` selects people, KMeans groups, or both."""

    q: str = ""
    sort: Literal["photos", "name", "first", "last"] = "photos"
    who: Literal["all", "people", "groups"] = "all"
    page: Annotated[int, Field(ge=1)] = 1


@blueprint.get("")
def everyone() -> str:
    node = current_node()
    (query,) = read_address((ListQuery,))
    known = node.photographers.list()
    found = chosen(known, query)
    start = (query.page - 1) * PAGE
    return render_template(
        "photographers/list.html",
        query=query,
        known=known,
        found=len(found),
        shown=found[start : start + PAGE],
        pages=-(-len(found) // PAGE),
        groups=sum(is_group(one) for one in known),
        is_group=is_group,
        sorts={key: words for key, (words, _) in SORTS.items()},
        jobs=active_jobs(node),
        label_edits=node.desk.label_edits(),
        credit_sources=CREDIT_WORDS,
        trained=node.photographers.trained,
        points=sum(info.points for info in node.store.collections().values()),
    )


def chosen(known: Sequence[PhotographerListed], query: ListQuery) -> list[PhotographerListed]:
    """Photographers that match the query, in its order."""
    words = fold(query.q).split()
    wanted = {"all": (True, False), "people": (False,), "groups": (True,)}[query.who]
    found = [one for one in known if is_group(one) in wanted and all(word in fold(one.name) for word in words)]
    return sorted(found, key=SORTS[query.sort][1])


def is_group(one: PhotographerListed) -> bool:
    """Whether it is a group and not a person: every credit comes from KMeans."""
    return bool(one.credits) and set(one.credits) <= {Credit.KMEANS}


def _reversed(text: str | None) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in text or "")
