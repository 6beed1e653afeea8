"""Page of one stored media: the media itself, its facts, its copies and similar media."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from search import addresses
from search.errors import LikewiseError
from search.media import Kind, MediaRecord
from search.records.lookup import asked_fields, find_record
from search.similar.questions import Relation
from search.spaces import Space
from search.store.filters import Filter
from web.api.media import shown_inline
from web.api.operation import current_node
from web.api.params import SimilarParameters
from web.api.ports import NodePort
from web.api.questions import ask, check_id
from web.near import place, written
from web.pages.address import Address
from web.pages.formats import borders, clock, exposure, number, size
from web.pages.results import own_kind_first
from web.pages.tiles import AnswerTiles, FoldedTiles, Tile, record_tile

blueprint = Blueprint("item", __name__)

KIND_WORDS = {Kind.IMAGE: "Image", Kind.VIDEO: "Video", Kind.AUDIO: "Sound"}

RELATED = {
    Relation.EXACT_COPY: "Identical",
    Relation.SAME_PICTURE: "Same picture, other metadata",
    Relation.EDITED_COPY: "Edited copies",
    Relation.BURST: "Of the same burst",
}
"""Headings of what is closer to the media than similar ones are."""

AROUND_METRES = 1000.0

MOST_SIMILAR = 18
"""Number of similar media on the page."""


@dataclass(frozen=True, slots=True)
class SpaceHeld:
    """A space and the number of vectors of the media in it, several for the key frames of a video."""

    space: Space
    vectors: int


@dataclass(frozen=True, slots=True)
class SimilarTiles:
    """Copies and shots of the same burst by their heading, and similar media by collection, its own kind first."""

    related: dict[str, list[Tile]]
    rows: dict[str, FoldedTiles]
    notes: tuple[str, ...]


@blueprint.get("/item/<media_id>")
def page(media_id: str) -> str:
    node = current_node()
    record = find_record(node.store, check_id(media_id))
    return render_template(
        "item.html",
        record=record,
        tile_=record_tile(record),
        address=Address(),
        present=_is_present(node, record),
        inline=shown_inline(record),
        span=_span(record),
        facts=_facts(record),
        around=_around(record),
        spaces=_spaces(node, record),
        alike=_similar(node, record),
    )


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """The part of a recording that the page is opened at.

    Attributes:
        start, end: seconds; ``end`` is None where only a moment is known.
        left, width: of the mark in the waveform, per cent of its width; None where the length is not known.
    """

    start: float
    end: float | None = None
    left: float | None = None
    width: float | None = None


def _span(record: MediaRecord) -> ShownSpan | None:
    """What ``t`` and ``until`` of the address name, in seconds; None where they name nothing within the recording."""
    start, end = (request.args.get(name, type=float) for name in ("t", "until"))
    length = record.duration
    if start is None or not 0 <= start < (length or math.inf):
        return None
    if end is None or not start < end < math.inf:
        return ShownSpan(start)
    if not length:
        return ShownSpan(start, end)
    end = min(end, length)
    return ShownSpan(start, end, round(100 * start / length, 3), round(100 * (end - start) / length, 3))


def _is_present(node: NodePort, record: MediaRecord) -> bool:
    return node.stored_files.is_there(record)


def _spaces(node: NodePort, record: MediaRecord) -> list[SpaceHeld]:
    collection = record.kind.collection
    spaces = [field.space for field in asked_fields(node.store.schema(collection))]
    points = node.store.retrieve(collection, [record.id], vectors=[s.name for s in spaces], payload=False)
    vectors = points[0].vectors if points else {}
    return [SpaceHeld(space, len(vectors[space.name])) for space in spaces if space.name in vectors]


def _similar(node: NodePort, record: MediaRecord) -> SimilarTiles:
    """No tiles but a note when the query fails, so that the page is shown all the same."""
    try:
        found = ask(node, SimilarParameters(like=(record.id,), limit=MOST_SIMILAR), Filter())
    except LikewiseError as error:
        return SimilarTiles({}, {}, (str(error),))
    rows = AnswerTiles(node.store, found).rows()
    shown = [tile for row in rows.values() for tile in row.shown]
    related = {
        words: [tile for tile in shown if tile.hit and tile.hit.relation is relation]
        for relation, words in RELATED.items()
    }
    others = {
        name: FoldedTiles([tile for tile in row.shown if tile.hit and tile.hit.relation not in RELATED], row.weaker)
        for name, row in rows.items()
    }
    return SimilarTiles(
        {words: tiles for words, tiles in related.items() if tiles}, own_kind_first(others, [record.kind]), found.notes
    )


def _facts(record: MediaRecord) -> dict[str, str]:
    """Facts by label; unknown ones are left out."""
    facts = {
        "Kind": KIND_WORDS[record.kind] + (f" ({record.mime})" if record.mime else ""),
        "Size": size(record.size),
        "Picture": f"{number(record.width)} × {number(record.height)} px" if record.width and record.height else "",
        "Borders": f"{borders(record.borders)}; style is that of what lies within" if record.borders else "",
        "Duration": clock(record.duration),
        "Sound track": ("yes" if record.has_sound else "no") if record.kind is Kind.VIDEO else "",
        "Taken": (record.taken_at or "").replace("T", " "),
        "Photographer": record.photographer or "",
        "Camera": record.camera or "",
        "Lens": record.lens or "",
        "Exposure": exposure(record.exposure),
        "Aperture": f"f/{record.aperture:g}" if record.aperture else "",
        "ISO": f"{record.iso:g}" if record.iso else "",
        "Focal length": f"{record.focal_length:g} mm" if record.focal_length else "",
        "Place": ", ".join(filter(None, (record.place, _place(record)))),
        "Damaged": f"{record.damaged:.0%} could not be read" if record.damaged else "",
        "Note": record.remark or "",
        "Library": ", ".join(record.libraries),
        "Format": addresses.suffix(record.paths[0]).lstrip(".").upper() if record.paths else "",
    }
    return {label: text for label, text in facts.items() if text}


def _place(record: MediaRecord) -> str:
    return (
        place(record.latitude, record.longitude) if record.latitude is not None and record.longitude is not None else ""
    )


def _around(record: MediaRecord) -> str:
    """Filter for media taken near this one; empty where its place is unknown."""
    where = record.location
    return written((where["lat"], where["lon"], AROUND_METRES)) if where else ""
