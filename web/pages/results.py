"""What the search page can be asked, and its answer as tiles with links to more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

from search import metrics
from search.media import COLLECTIONS, Kind
from search.records.browse import ORDERS, browse
from search.similar.find import MOST_OFFSET
from search.similar.questions import Probe, SimilarHit
from search.store.filters import Filter
from web.api.params import (
    CollectionName,
    Diversity,
    Limit,
    Offset,
    Seconds,
    SimilarParameters,
    StylePosition,
    WordParameters,
)
from web.api.ports import NodePort
from web.api.questions import ask
from web.api.questions import search as search_words
from web.pages.address import Address
from web.pages.recent_uploads import PREFIX, recent_uploads
from web.pages.tiles import AnswerTiles, FoldedTiles, Tile, record_tile, word_tiles
from web.wording import split_weak_hits, understood

FIRST_PAGE = 40
MOST = 500
"""A page of results grows up to so many; those after them stand on a page of their own."""

ORDER_WORDS = {
    "newest": "Date taken",
    "name": "Name",
    "size": "Size",
    "duration": "Duration",
    "added": "Date imported",
    "id": "Id",
}
DIRECTIONS = {
    "newest": ("Oldest first", "Newest first"),
    "name": ("A to Z", "Z to A"),
    "size": ("Smallest first", "Largest first"),
    "duration": ("Shortest first", "Longest first"),
    "added": ("First imported first", "Last imported first"),
    "id": ("Ascending", ""),
}
"""Each order of ``search.records.browse`` from the least and from the greatest on, in words."""

VARIED = 0.5
"""Diversity that "Vary the results" asks for."""


NOTHING_TO_SEARCH_BY = (
    "“Less like this” needs an example to search by: add one to the search. Until then it changes nothing."
)


@dataclass(frozen=True, slots=True)
class SearchPageQuery:
    """What the search page can be asked beside the filters.

    Attributes:
        start, end: see ``web.api.params.SimilarParameters``.
        view: one grid of all kinds together, or a row a collection.
        weaker: show weak results unfolded.
        order, descending, after: of what the library holds, see ``search.records.browse``.
    """

    q: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    start: Seconds | None = None
    end: Seconds | None = None
    collections: Annotated[tuple[CollectionName, ...], Field(alias="in")] = ()
    spaces: tuple[str, ...] = ()
    limit: Limit = FIRST_PAGE
    offset: Offset = 0
    view: Literal["grid", "rows"] = "grid"
    weaker: bool = False
    after: str | None = None
    order: str = "newest"
    descending: bool | None = None
    style: StylePosition | None = None
    diversity: Diversity | None = None


@dataclass(frozen=True, slots=True)
class Direction:
    """Which way a listing goes, in words, and the address of the same listing the other way round; None where there is
    one way only."""

    words: str
    other: Address | None

    @classmethod
    def of(cls, query: SearchPageQuery, address: Address) -> Direction:
        usual = ORDERS[query.order].descending
        descending = usual if query.descending is None else query.descending
        up, down = DIRECTIONS[query.order]
        fresh = address.from_start()
        turned = fresh.without("descending") if descending != usual else fresh.replacing("descending", _text(not usual))
        return cls(down if descending else up, turned if down else None)


def _text(value: bool) -> str:
    return str(value).lower()


@dataclass(frozen=True, slots=True)
class Results:
    """An answer.

    Attributes:
        fold: all kinds together.
        rows: by collection, the kind that was asked with first; of similar media only where the view is by rows.
        totals: records that match, by collection.
        total: records that answer to the words; ``at_least`` so many.
        before: how many results stand on the pages before.
        more: address of a longer answer, or of the next page; None where this is all.
        turns: ``more`` is the next page.
        previous: address of the page before (of a listing: of its first page); None on the first.
        direction: of a listing.
        more_is_weaker: what ``more`` adds is weak.
    """

    mode: Literal["similar", "words", "browse", "none"]
    fold: FoldedTiles = field(default_factory=lambda: FoldedTiles([], []))
    rows: Mapping[str, FoldedTiles] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    total: int = 0
    at_least: bool = False
    notes: tuple[str, ...] = ()
    took_ms: float = 0.0
    before: int = 0
    more: Address | None = None
    turns: bool = False
    previous: Address | None = None
    direction: Direction | None = None
    more_is_weaker: bool = False


def answer(
    node: NodePort, query: SearchPageQuery, where: Filter, address: Address, asked: Collection[Kind] = ()
) -> Results:
    """The question's answer; words narrow it further when there are examples too. Where only examples of what it should
    be less like are left, words or the library are answered, with a note.

    Args:
        asked: kinds of the positive examples.
    """
    if query.like:
        return _similar(node, query, replace(where, words=query.q or where.words), address, asked)
    found = (_words if query.q else _browse)(node, query, where, address)
    return replace(found, notes=(NOTHING_TO_SEARCH_BY, *found.notes)) if query.unlike else found


def own_kind_first(rows: Mapping[str, FoldedTiles], kinds: Collection[Kind]) -> dict[str, FoldedTiles]:
    """Rows that hold anything: those of these kinds first, those that were only reached through videos last."""
    own = {kind.collection for kind in kinds}

    def place(name: str) -> tuple[bool, bool]:
        hits = [tile.hit for tile in (*rows[name].shown, *rows[name].weaker) if tile.hit]
        return name not in own, all(hit.via is not None for hit in hits)

    return {name: rows[name] for name in sorted(rows, key=place) if rows[name]}


def _similar(
    node: NodePort, query: SearchPageQuery, where: Filter, address: Address, kinds: Collection[Kind]
) -> Results:
    uploads: dict[str, Probe] = {
        n: recent_uploads().get(n) for n in (*query.like, *query.unlike) if n.startswith(PREFIX)
    }
    asked = SimilarParameters(
        query.like,
        query.unlike,
        query.start,
        query.end,
        query.collections,
        query.spaces,
        query.limit,
        style=query.style,
        offset=query.offset,
        diversity=query.diversity,
    )
    found = ask(node, asked, where, uploads)
    tiles = AnswerTiles(node.store, found)
    lists: Sequence[Sequence[SimilarHit]] = list(found.by_collection.values()) if query.view == "rows" else [found.hits]
    full = [hits for hits in lists if len(hits) >= query.limit]
    return Results(
        "similar",
        tiles.together(),
        own_kind_first(tiles.rows(), kinds) if query.view == "rows" else {},
        notes=found.notes,
        took_ms=found.took_ms,
        before=query.offset,
        more=_longer(query, address) if full else None,
        turns=_turns(query),
        previous=_earlier(query, address),
        more_is_weaker=bool(full) and not any(split_weak_hits(hits[-1:])[0] for hits in full),
    )


def _words(node: NodePort, query: SearchPageQuery, where: Filter, address: Address) -> Results:
    found = search_words(node, WordParameters(query.q, query.collections, query.limit, query.offset), where)
    fold = word_tiles(node.store, found.hits)
    rest = found.total + found.weaker - query.offset - query.limit
    return Results(
        "words",
        fold,
        _by_kind(fold),
        total=found.total,
        at_least=found.at_least,
        notes=(*understood(found.corrected, found.ignored), *found.notes),
        took_ms=found.took_ms,
        before=query.offset,
        more=_longer(query, address) if rest > 0 else None,
        turns=_turns(query),
        previous=_earlier(query, address),
        more_is_weaker=query.offset + query.limit >= found.total,
    )


@metrics.question("browse")
def _browse(node: NodePort, query: SearchPageQuery, where: Filter, address: Address) -> Results:
    """Page by page where one collection is chosen or alone holds anything, otherwise the start of each."""
    chosen = query.collections or COLLECTIONS
    after = query.after if len(chosen) == 1 else None
    pages = {
        name: browse(
            node.store,
            name,
            where,
            query.limit,
            after,
            order=query.order,
            descending=query.descending,
            whole=False,
        )
        for name in chosen
    }
    rows = {name: [record_tile(record) for record in page.records] for name, page in pages.items() if page.records}
    filled = list(rows) or chosen
    alone = len(filled) == 1
    first = pages[filled[0]]
    listing = address if len(chosen) == 1 else address.replacing("in", filled[0])
    return Results(
        "browse",
        FoldedTiles([tile for tiles in rows.values() for tile in tiles], []),
        {name: FoldedTiles(tiles, []) for name, tiles in rows.items()},
        totals={name: page.total for name, page in pages.items()},
        before=first.position if alone else 0,
        more=listing.replacing("after", first.after) if alone and first.after else None,
        turns=True,
        previous=address.from_start() if after else None,
        direction=Direction.of(query, address),
    )


def _by_kind(fold: FoldedTiles) -> dict[str, FoldedTiles]:
    def of(name: str, tiles: list[Tile]) -> list[Tile]:
        return [tile for tile in tiles if tile.kind.collection == name]

    rows = {name: FoldedTiles(of(name, fold.shown), of(name, fold.weaker)) for name in COLLECTIONS}
    return {name: row for name, row in rows.items() if row}


def _turns(query: SearchPageQuery) -> bool:
    """Whether what comes next stands on a page of its own, rather than on this one made longer."""
    return bool(query.offset) or query.limit >= MOST


def _longer(query: SearchPageQuery, address: Address) -> Address | None:
    """A page twice as long, or the one after the longest; none beyond what can be asked for."""
    if not _turns(query):
        return address.replacing("limit", min(query.limit * 2, MOST))
    if query.offset + query.limit > MOST_OFFSET:
        return None
    return address.replacing("offset", query.offset + query.limit)


def _earlier(query: SearchPageQuery, address: Address) -> Address | None:
    if not query.offset:
        return None
    before = max(0, query.offset - query.limit)
    return address.replacing("offset", before) if before else address.without("offset")
