"""Pages of the library as a whole: duplicates, and the state of the store."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, current_app, render_template

from search.media import COLLECTIONS, MediaRecord
from search.similar.duplicates import DuplicateGroup
from search.similar.questions import Relation
from search.spaces import Space
from web.api.cluster import cluster as find_cluster
from web.api.operation import current_node
from web.api.ports import NodePort
from web.api.questions import DuplicateAnswer, DuplicateParameters
from web.api.questions import duplicates as find_groups
from web.pages.address import Address
from web.pages.tiles import Tile, record_tile, records_of

blueprint = Blueprint("library", __name__)

GROUPS_SHOWN = 200
JOBS_WATCHED = 30


@dataclass(frozen=True, slots=True)
class CollectionCard:
    """One collection on the status page; ``indexed`` counts vectors under the approximate index."""

    name: str
    points: int
    indexed: int
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


@dataclass(frozen=True, slots=True)
class DuplicateTiles:
    """A group of duplicates.

    Attributes:
        exact: one content at several ``paths``; otherwise several contents, and ``paths`` is empty.
        spare: bytes that would be free if only the first were kept.
    """

    exact: bool
    tiles: list[Tile]
    paths: tuple[str, ...]
    spare: int


class DuplicatesCache:
    """The latest duplicates, whose search takes seconds in a large library; renewed when a job has made progress.

    Only jobs change the store, so that their counts and the number of records show whether it has changed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._as_of: object = None
        self._answer = DuplicateAnswer((), 0)

    def get(self, node: NodePort) -> DuplicateAnswer:
        with self._lock:
            points = {name: info.points for name, info in node.store.collections().items()}
            now = (points, node.ingest.jobs(JOBS_WATCHED))
            if now != self._as_of:
                self._answer, self._as_of = find_groups(node, DuplicateParameters(GROUPS_SHOWN)), now
            return self._answer


@blueprint.get("/duplicates")
def duplicates() -> str:
    """Identical files, and edited copies of one original."""
    node = current_node()
    found = current_app.extensions["duplicates"].get(node)
    wanted = ((group.kind, member.id) for group in found.groups for member in group.members)
    records = records_of(node.store, wanted)
    groups = [_group(group, records) for group in found.groups]
    return render_template("duplicates.html", groups=groups, total=found.total, address=Address())


def _group(group: DuplicateGroup, records: Mapping[str, MediaRecord]) -> DuplicateTiles:
    first, *others = group.members
    exact = group.relation is Relation.EXACT_COPY
    return DuplicateTiles(
        exact=exact,
        tiles=[record_tile(records[member.id]) for member in group.members if member.id in records],
        paths=first.paths if exact else (),
        spare=first.size * (len(first.paths) - 1) if exact else sum(member.size for member in others),
    )
