"""What one result looks like: the hit, and the facts of its record that the grid shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from search import addresses
from search.media import Kind, MediaRecord
from search.questions import Probe, Relation, SimilarHit, Via
from search.records import thumbnail_address
from search.store.base import Store
from web.api.media import shown_inline
from web.pages.formats import percent

NARROWEST, WIDEST = 7, 24
"""Clamp of a tile's width, in tenths of its height; the style sheet has one rule for each."""

WAVEFORM_RATIO = 20
RELATION_WORDS = {
    Relation.EXACT_COPY: "Exact copy",
    Relation.EDITED_COPY: "Edited copy",
    Relation.SIMILAR: "Similar",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """One result.

    Attributes:
        ratio: width in tenths of the height.
        match, score, space, relation, moment, via: as in ``SimilarHit``; None where nothing was compared.
        model: what made the vectors of ``space``.
        through: name of the video in ``via``.
        parts: the match in words in subject and in style, where the two were weighed against each other.
        playable: a browser may be asked to play it in place.
    """

    id: str
    kind: Kind
    name: str
    paths: tuple[str, ...]
    thumbnail: str | None
    ratio: int
    duration: float | None
    playable: bool
    match: float | None = None
    score: float | None = None
    space: str | None = None
    relation: Relation | None = None
    moment: float | None = None
    via: Via | None = None
    mime: str = ""
    model: str = ""
    through: str = ""
    parts: str = ""

    @property
    def href(self) -> str:
        return f"/item/{self.id}" + (f"?{urlencode({'t': round(self.moment, 2)})}" if self.moment is not None else "")

    @property
    def relation_words(self) -> str:
        return RELATION_WORDS[self.relation] if self.relation else ""

    @property
    def match_words(self) -> str:
        return "" if self.match is None else percent(self.match, self.relation is Relation.EXACT_COPY)

    @property
    def why(self) -> str:
        """The figures behind the match, in a line; then where the file is."""
        if self.match is None or self.score is None:
            return "\n".join(self.paths)
        return "\n".join((f"Match in {self.space} by {self.model}, cosine {self.score:.3f}", *self.paths))


def record_tile(record: MediaRecord) -> Tile:
    return Tile(
        id=record.id,
        kind=record.kind,
        name=_name(record),
        paths=record.paths,
        thumbnail=thumbnail_address(record),
        ratio=_ratio(record),
        duration=record.duration,
        playable=record.kind is not Kind.IMAGE and shown_inline(record),
        mime=record.mime,
    )


def hit_tiles(store: Store, hits: Sequence[SimilarHit]) -> list[Tile]:
    """Tiles of similar hits, in their order."""
    records = records_of(store, ((hit.kind, hit.id) for hit in hits))
    passed = records_of(store, ((Kind.VIDEO, hit.via.id) for hit in hits if hit.via))
    spaces = {collection: info.schema.by_name for collection, info in store.collections().items()}
    tiles = []
    for hit in hits:
        record = records.get(hit.id) or MediaRecord(hit.id, hit.kind, hit.paths)
        plain = record_tile(record)
        field = spaces[hit.kind.collection].get(hit.space)
        video = passed.get(hit.via.id) if hit.via else None
        tiles.append(
            Tile(
                id=hit.id,
                kind=hit.kind,
                name=plain.name,
                paths=hit.paths,
                thumbnail=hit.thumbnail,
                ratio=plain.ratio,
                duration=plain.duration,
                playable=plain.playable,
                match=hit.match,
                score=hit.score,
                space=hit.space,
                relation=hit.relation,
                moment=hit.moment,
                via=hit.via,
                mime=plain.mime,
                model=field.space.model if field else "",
                through=_name(video) if video else "",
                parts=_parts(hit),
            )
        )
    return tiles


def _parts(hit: SimilarHit) -> str:
    if hit.parts is None:
        return ""
    return f"subject {percent(hit.parts['visual'])}, style {percent(hit.parts['style'])}"


def upload_tile(name: str, probe: Probe) -> Tile:
    """An uploaded example, which has no preview here."""
    return Tile(name, probe.kind, probe.name or "upload", (), None, 10, probe.duration, playable=False)


def records_of(store: Store, wanted: Iterable[tuple[Kind, str]]) -> dict[str, MediaRecord]:
    """Records by id, with one round trip a collection."""
    ids: dict[str, list[str]] = {}
    for kind, media_id in wanted:
        ids.setdefault(kind.collection, []).append(media_id)
    return {
        point.id: MediaRecord.from_payload(point.payload)
        for collection, some in ids.items()
        for point in store.retrieve(collection, list(dict.fromkeys(some)))
    }


def _name(record: MediaRecord) -> str:
    return addresses.name(record.paths[0]) if record.paths else record.id


def _ratio(record: MediaRecord) -> int:
    if record.kind is Kind.AUDIO:
        return WAVEFORM_RATIO
    if not record.width or not record.height:
        return 10
    return max(NARROWEST, min(WIDEST, round(10 * record.width / record.height)))
