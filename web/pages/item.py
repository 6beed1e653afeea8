"""The page of one stored media: the thing itself, what is known about it, its copies and what is like it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from search import addresses
from search.errors import LikewiseError, NotFoundError, StoreUnavailableError
from search.media import Kind, MediaRecord
from search.questions import Relation
from search.records import asked_fields, find_record
from search.spaces import Space
from search.store.filters import Filter
from web.api.media import existing_path, shown_inline
from web.api.operation import current_node
from web.api.params import Asked
from web.api.ports import Node
from web.api.questions import ask, check_id
from web.pages.address import Address
from web.pages.formats import clock, exposure, number, size
from web.pages.tiles import Tile, hit_tiles, record_tile
from workers.files import FileAccess

blueprint = Blueprint("item", __name__)

KIND_WORDS = {Kind.IMAGE: "Image", Kind.VIDEO: "Video", Kind.AUDIO: "Sound"}

ALIKE = 18
"""How many similar media the page shows."""


@dataclass(frozen=True, slots=True)
class SpaceHeld:
    """``vectors`` counts the media's vectors in the space: several for a video's key frames."""

    space: Space
    vectors: int


@dataclass(frozen=True, slots=True)
class Alike:
    """``duplicates`` are edits of the same original; ``rows`` merely resemble it, by collection."""

    duplicates: list[Tile]
    rows: dict[str, list[Tile]]
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
        moment=request.args.get("t", type=float),
        facts=_facts(record),
        spaces=_spaces(node, record),
        alike=_alike(node, record),
    )


def _is_present(node: Node, record: MediaRecord) -> bool:
    try:
        existing_path(record, FileAccess(node.settings))
    except (NotFoundError, StoreUnavailableError):
        return False
    return True


def _spaces(node: Node, record: MediaRecord) -> list[SpaceHeld]:
    collection = record.kind.collection
    spaces = [field.space for field in asked_fields(node.store.schema(collection))]
    points = node.store.retrieve(collection, [record.id], vectors=[s.name for s in spaces], payload=False)
    vectors = points[0].vectors if points else {}
    return [SpaceHeld(space, len(vectors[space.name])) for space in spaces if space.name in vectors]


def _alike(node: Node, record: MediaRecord) -> Alike:
    """Nothing rather than no page when a question cannot be asked just now."""
    try:
        found = ask(node, Asked(like=(record.id,), limit=ALIKE), Filter())
    except LikewiseError as error:
        return Alike([], {}, (str(error),))
    rows = {name: hit_tiles(node.store, hits) for name, hits in found.by_collection.items()}
    duplicates = [tile for tiles in rows.values() for tile in tiles if tile.relation is not Relation.SIMILAR]
    similar = {name: [tile for tile in tiles if tile.relation is Relation.SIMILAR] for name, tiles in rows.items()}
    return Alike(duplicates, {name: tiles for name, tiles in similar.items() if tiles}, found.notes)


def _facts(record: MediaRecord) -> dict[str, str]:
    """What is known, as label and text; unknown facts are left out."""
    facts = {
        "Kind": KIND_WORDS[record.kind] + (f" ({record.mime})" if record.mime else ""),
        "Size": size(record.size),
        "Picture": f"{number(record.width)} × {number(record.height)} px" if record.width and record.height else "",
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
        "Place": _place(record),
        "Library": ", ".join(record.libraries),
        "Format": addresses.suffix(record.paths[0]).lstrip(".").upper() if record.paths else "",
        "Id": record.id,
    }
    return {label: text for label, text in facts.items() if text}


def _place(record: MediaRecord) -> str:
    if record.latitude is None or record.longitude is None:
        return ""
    north = "N" if record.latitude >= 0 else "S"
    east = "E" if record.longitude >= 0 else "W"
    return f"{abs(record.latitude):.5f}° {north}, {abs(record.longitude):.5f}° {east}"
