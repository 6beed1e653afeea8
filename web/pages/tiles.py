"""One result as the grid shows it: the hit, and facts of its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from search import addresses
from search.media import Kind, MediaRecord
from search.records.lookup import thumbnail_address
from search.records.shown import shown_records
from search.similar.questions import Probe, SimilarAnswer, SimilarHit
from search.store.base import Store
from search.words import WordHit
from web.api.media import shown_inline
from web.wording import reasons, reasons_in_full, split_weak_hits

NARROWEST, WIDEST = 7, 24
"""Clamp of a tile's width, in tenths of its height; the style sheet has one rule for each."""

WAVEFORM_RATIO = 20


@dataclass(frozen=True, slots=True)
class Tile:
    """One result.

    Attributes:
        ratio: width in tenths of the height.
        hit: how it answers the question; None where nothing was compared.
        model: what made the vectors of the hit's space.
        through: name of the video through which the hit was reached.
        reasons: why it answers to the words asked for, in words; ``reasons_in_full`` gives all, and how strongly.
        moment: seconds into a video or sound to open it at.
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
    hit: SimilarHit | None = None
    moment: float | None = None
    mime: str = ""
    model: str = ""
    through: str = ""
    reasons: tuple[str, ...] = ()
    reasons_in_full: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoldedTiles:
    """Results in their order: those shown, and weaker ones behind a fold."""

    shown: list[Tile]
    weaker: list[Tile]

    def __bool__(self) -> bool:
        return bool(self.shown or self.weaker)


def record_tile(record: MediaRecord, **more: Any) -> Tile:
    """Args:
    more: attributes that say how the record answers a question, or that are known better.
    """
    return Tile(
        id=record.id,
        kind=record.kind,
        name=_name(record),
        paths=record.paths,
        ratio=_ratio(record),
        duration=record.duration,
        playable=record.kind is not Kind.IMAGE and shown_inline(record),
        mime=record.mime,
        **({"thumbnail": thumbnail_address(record)} | more),
    )


class AnswerTiles:
    """Tiles of an answer's hits. Records and schemas are read once, for every list that the hits stand in."""

    def __init__(self, store: Store, found: SimilarAnswer) -> None:
        hits = [*found.hits, *chain.from_iterable(found.by_collection.values())]
        videos = ((Kind.VIDEO, hit.via.id) for hit in hits if hit.via)
        self._records = records_of(store, chain(((hit.kind, hit.id) for hit in hits), videos))
        self._spaces = {collection: info.schema.by_name for collection, info in store.collections().items()}
        self._found = found

    def together(self) -> FoldedTiles:
        """All kinds, in the order of the answer."""
        return self._fold(self._found.hits)

    def rows(self) -> dict[str, FoldedTiles]:
        """By collection."""
        return {name: self._fold(hits) for name, hits in self._found.by_collection.items()}

    def _fold(self, hits: Sequence[SimilarHit]) -> FoldedTiles:
        shown, weaker = split_weak_hits(hits)
        return FoldedTiles([self._tile(hit) for hit in shown], [self._tile(hit) for hit in weaker])

    def _tile(self, hit: SimilarHit) -> Tile:
        field = self._spaces[hit.kind.collection].get(hit.space)
        video = self._records.get(hit.via.id) if hit.via else None
        return record_tile(
            self._records.get(hit.id) or MediaRecord(hit.id, hit.kind, hit.paths),
            thumbnail=hit.thumbnail,
            hit=hit,
            moment=hit.moment,
            model=field.space.model if field else "",
            through=_name(video) if video else "",
        )


def word_tiles(store: Store, hits: Sequence[WordHit]) -> FoldedTiles:
    """Tiles of what answers to words, in their order."""
    records = records_of(store, ((hit.kind, hit.id) for hit in hits))
    shown: list[Tile] = []
    weaker: list[Tile] = []
    for hit in hits:
        tile = record_tile(
            records.get(hit.id) or MediaRecord(hit.id, hit.kind, hit.paths),
            thumbnail=hit.thumbnail,
            moment=hit.moment,
            reasons=tuple(reasons(hit.reasons)),
            reasons_in_full=tuple(reasons_in_full(hit.reasons)),
        )
        (weaker if hit.weak else shown).append(tile)
    return FoldedTiles(shown, weaker)


def upload_tile(name: str, probe: Probe) -> Tile:
    """An uploaded example, which has no preview here."""
    return Tile(name, probe.kind, probe.name or "upload", (), None, 10, probe.duration, playable=False)


def records_of(store: Store, wanted: Iterable[tuple[Kind, str]]) -> dict[str, MediaRecord]:
    """What tiles show of records, by id, with one round trip a collection."""
    ids: dict[str, list[str]] = {}
    for kind, media_id in wanted:
        ids.setdefault(kind.collection, []).append(media_id)
    return {
        id_: record
        for collection, some in ids.items()
        for id_, record in shown_records(store, collection, some).items()
    }


def _name(record: MediaRecord) -> str:
    return addresses.name(record.paths[0]) if record.paths else record.id


def _ratio(record: MediaRecord) -> int:
    if record.kind is Kind.AUDIO:
        return WAVEFORM_RATIO
    if not record.width or not record.height:
        return 10
    return max(NARROWEST, min(WIDEST, round(10 * record.width / record.height)))
