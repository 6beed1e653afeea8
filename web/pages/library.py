"""Pages of the library as a whole: duplicates, and the state of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for

from search import addresses
from search.media import COLLECTIONS, MediaRecord
from search.records.status import outdated_count
from search.similar.duplicates import DuplicateGroup
from search.similar.questions import Relation
from search.similar.reuse.overlaps import manner
from search.spaces import Space
from web.api.cluster import cluster as find_cluster
from web.api.operation import current_node
from web.api.questions import DuplicateParameters
from web.api.questions import duplicates as find_groups
from web.api.reuse.overlaps import OverlapParameters, ReusedSpan, SpanOfMedia
from web.api.reuse.overlaps import overlaps as find_overlaps
from web.pages.address import Address
from web.pages.tiles import Tile, record_tile, records_of
from web.wording import fact_label, fact_values, place

blueprint = Blueprint("library", __name__)

GROUPS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class CollectionCard:
    """One collection on the status page; ``indexed`` counts vectors under the approximate index, ``outdated`` records
    that an older version decoded otherwise."""

    name: str
    points: int
    indexed: int
    outdated: int
    spaces: tuple[Space, ...]


@blueprint.get("/status")
def status() -> str:
    """Collections with the model of each space, the store, the data directory, and the broker and workers, if any."""
    node = current_node()
    cards = [
        CollectionCard(
            name,
            info.points,
            info.indexed,
            outdated_count(node.store, name),
            tuple(field.space for field in info.schema.fields if not field.space.name.endswith("_raw")),
        )
        for name, info in sorted(node.store.collections().items(), key=lambda item: COLLECTIONS.index(item[0]))
    ]
    return render_template(
        "status.html",
        cards=cards,
        engine=node.store.engine,
        home=node.settings.home,
        cluster=find_cluster(node),
    )


HEADINGS = {
    Relation.EXACT_COPY: "Identical files",
    Relation.SAME_PICTURE: "Same picture, other metadata",
    Relation.EDITED_COPY: "Edited copies",
    Relation.BURST: "Burst",
}

SPANS_SHOWN = 100
"""Spans of films and sounds on the page."""

SHOTS_SHOWN = 60
"""Most tiles of one group: a time-lapse is one burst."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact in which files of equal pixels differ, in words, with one value a file."""

    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DuplicateTiles:
    """A group of duplicates, or the shots of a burst.

    Attributes:
        count: files of the group, of which the first have ``tiles``.
        paths: of one content at several paths, all of them; otherwise empty.
        keep: name of the file that is proposed to be kept; empty in a burst.
        spare: bytes that would be free if only that one were kept.
        unsure: names of those that may be another shot, and are not counted in ``spare``.
        differing: facts in which files of equal pixels differ, a value a file in the order of ``names``.
    """

    heading: str
    burst: bool
    count: int
    tiles: list[Tile]
    paths: tuple[str, ...]
    keep: str
    spare: int
    unsure: tuple[str, ...]
    names: tuple[str, ...]
    differing: tuple[FactRow, ...]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span of a recording: name of the file, where it is in words, the address that opens it there, and its preview's
    address, empty without one."""

    name: str
    where: str
    address: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class ReusedLinks:
    """One span in two recordings, and what is to be said behind it."""

    one: SpanLink
    other: SpanLink
    manner: str


@blueprint.get("/duplicates")
def duplicates() -> str:
    """Identical files, same pictures with other metadata, edited copies of one original; and bursts, apart."""
    node = current_node()
    asked = DuplicateParameters(GROUPS_SHOWN, request.args.get("after") or None)
    found = find_groups(node, asked, anew=False)
    wanted = ((group.kind, member.id) for group in found.groups for member in group.members)
    records = records_of(node.store, wanted)
    groups = [_group(group, records) for group in found.groups]
    reused = find_overlaps(node, OverlapParameters(SPANS_SHOWN, request.args.get("spans") or None))
    return render_template(
        "duplicates.html",
        spans=[_reused(span) for span in reused.overlaps],
        spans_total=reused.total,
        spans_after=reused.after,
        spans_notes=reused.notes,
        groups=[group for group in groups if not group.burst],
        bursts=[group for group in groups if group.burst],
        spare=sum(group.spare for group in groups),
        total=found.total,
        notes=found.notes,
        after=found.after,
        first=asked.after is None,
        address=Address(),
    )


def _reused(span: ReusedSpan) -> ReusedLinks:
    return ReusedLinks(_link(span.one), _link(span.other), manner(span.flipped, span.heard))


def _link(span: SpanOfMedia) -> SpanLink:
    address = url_for("item.page", media_id=span.id, t=round(span.start, 2), until=round(span.end, 2))
    name = addresses.name(span.paths[0]) if span.paths else span.id
    return SpanLink(name, place(span.start, (span.start, span.end)), address, span.thumbnail or "")


def _group(group: DuplicateGroup, records: Mapping[str, MediaRecord]) -> DuplicateTiles:
    exact, edits = group.relation is Relation.EXACT_COPY, group.relation is Relation.EDITED_COPY
    names = {member.id: addresses.name(member.paths[0]) if member.paths else member.id for member in group.members}
    shown = [records[member.id] for member in group.members[:SHOTS_SHOWN] if member.id in records]
    return DuplicateTiles(
        heading=HEADINGS[group.relation],
        burst=group.relation is Relation.BURST,
        count=len(group.members[0].paths) if exact else len(group.members),
        tiles=[record_tile(record) for record in shown],
        paths=group.members[0].paths if exact else (),
        keep="" if group.keep is None else names[group.keep],
        spare=group.spare,
        unsure=tuple(names[m.id] for m in group.members if edits and m.id != group.keep and not m.removable),
        names=tuple(names.values()),
        differing=tuple(FactRow(fact_label(one.field), fact_values(one)) for one in group.differing),
    )
