"""API calls that start the job which compares recordings, and list the spans of films and sounds that are in others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress
from ingest.ledger.access import Scope
from search.media import KIND_OF, Kind, MediaRecord
from search.records.cursors import read_cursor, write_cursor
from search.records.lookup import SHOWN, thumbnail_address
from search.settings import Settings
from search.similar.near import MIN_COSINE
from search.similar.questions import Probe, Relation, SimilarAnswer, SimilarHit
from search.similar.reuse.films import still_at
from search.similar.reuse.footprints import FRAMES_A_SECOND
from search.similar.reuse.overlaps import Overlap
from search.similar.reuse.search import overlaps_of
from search.store.base import Store
from web.api.jobs import job
from web.api.operation import Operation
from web.api.params import Limit
from web.api.ports import NodePort
from workers.storage.previews import Previews

STILL_SLACK = 6
"""Bits by which a picture may differ more from one film than from another, and be a still of both."""

COMPARED, SECONDS_OF_COMPARING = 20, 1.0
"""Hits that an upload or a picture is compared with while it is asked with, and how long that may take."""

UNCOMPARED = "{:,} recordings are not compared yet; `likewise overlaps` looks which spans of them are in others."


@dataclass(frozen=True, slots=True)
class NewComparison:
    """``anew``: recordings that were compared before are compared again."""

    anew: bool = False


@dataclass(frozen=True, slots=True)
class OverlapParameters:
    """How many spans to answer, from the first on or behind the ``after`` of the page before."""

    limit: Limit = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class SpanOfMedia:
    """A span of a film or sound.

    Attributes:
        start, end: seconds.
        thumbnail: address of the preview picture, or None.
    """

    id: str
    kind: Kind
    paths: tuple[str, ...]
    start: float
    end: float
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True)
class ReusedSpan:
    """One span that two recordings share.

    Attributes:
        flipped: one shows the other's mirror image.
        heard: found by what is heard and not by what is seen.
    """

    one: SpanOfMedia
    other: SpanOfMedia
    flipped: bool
    heard: bool


@dataclass(frozen=True, slots=True)
class OverlapAnswer:
    """``total`` counts all spans, of which ``overlaps`` are some. ``notes`` says in words what is not compared yet.
    ``after`` is what to ask the next page with; None on the last."""

    overlaps: tuple[ReusedSpan, ...]
    total: int
    notes: tuple[str, ...] = ()
    after: str | None = None


def compare_recordings(node: NodePort, new: NewComparison) -> JobProgress:
    """Compare the videos and sounds that were not compared yet with all, to find which span of which is in which
    other; the answer is the job that does it. What it finds is told by ``GET /overlaps``."""
    return node.ingest.progress(node.start_task(JobKind.OVERLAPS, {"anew": str(int(new.anew))}))


def overlaps(node: NodePort, asked: OverlapParameters) -> OverlapAnswer:
    """Spans of videos and sounds that are in others: cut, edited, flipped, or between other footage. Pass 'after' on to
    get the next page."""
    start = 0 if asked.after is None else read_cursor(asked.after, _number)
    found = node.overlaps.page(asked.limit + 1, start)
    page = found[: asked.limit]
    records = _records(node.store, (id_ for _, one in page for id_ in (one.one, one.other)))
    following = write_cursor({"overlap": page[-1][0]}) if len(found) > len(page) else None
    left = node.overlaps.uncompared()
    return OverlapAnswer(
        tuple(
            ReusedSpan(
                _span(records[one.one], one.start, one.end),
                _span(records[one.other], one.other_start, one.other_end),
                one.flipped,
                one.heard,
            )
            for _, one in page
            if one.one in records and one.other in records  # deleted since
        ),
        node.overlaps.count(),
        (UNCOMPARED.format(left),) if left else (),
        following,
    )


def with_overlaps(node: NodePort, answer: SimilarAnswer, examples: Mapping[str, Probe | None]) -> SimilarAnswer:
    """The answer with the longest span that each hit shares with an example.

    Stored recordings were compared by the job. Uploads, and pictures, which may be stills of a film, are compared with
    the first hits here.

    Args:
        examples: by id, or the name of an upload; None of what is stored.
    """
    stored = [name for name, probe in examples.items() if probe is None]
    shared: dict[str, Overlap] = {}
    for one in node.overlaps.of(stored) if stored else ():
        seen = one.seen_from(one.one if one.one in stored else one.other)
        shared.setdefault(seen.other, seen)
    for name, probe in examples.items():
        compared = _compared(node.settings, name, probe, [hit for hit in answer.hits if hit.id not in shared])
        shared |= {one.other: one for one in compared if one.other not in shared}
    if not shared:
        return answer

    def marked(hits: tuple[SimilarHit, ...]) -> tuple[SimilarHit, ...]:
        return tuple(replace(hit, overlap=shared.get(hit.id)) for hit in hits)

    rows = {name: marked(hits) for name, hits in answer.by_collection.items()}
    return replace(answer, hits=marked(answer.hits), by_collection=rows)


def _compared(settings: Settings, name: str, probe: Probe | None, hits: Sequence[SimilarHit]) -> list[Overlap]:
    """The longest span that an upload, or a picture, shares with each of the first recordings among hits.

    Args:
        probe: None of what is stored under the id ``name``; only a picture is compared then.
    """
    near = [hit for hit in hits if hit.kind is not Kind.IMAGE and hit.relation is not Relation.EXACT_COPY]
    is_picture = probe is None or probe.kind is Kind.IMAGE  # of what is stored only pictures are compared here
    recordings = [hit for hit in near if hit.score >= MIN_COSINE] if is_picture else near
    previews = Previews(settings)
    mine = None if not recordings else previews.footprints(name) if probe is None else probe.footprints
    if mine is None or mine.is_empty or (probe is None and (len(mine.frames) > 1 or mine.landmarks.size)):
        return []
    ends = time.monotonic() + SECONDS_OF_COMPARING
    found: list[Overlap] = []
    stills: list[tuple[int, Overlap]] = []
    for hit in recordings[:COMPARED]:
        theirs = previews.footprints(hit.id) if time.monotonic() < ends else None
        if theirs is None:
            continue
        if len(mine.frames) != 1:
            found += sorted(overlaps_of(name, mine, hit.id, theirs), key=lambda one: -one.seconds)[:1]
        elif (still := still_at(mine.frames, theirs.frames)) is not None:
            stills.append((still[1], Overlap(name, hit.id, 0.0, still[0] / FRAMES_A_SECOND, 0.0)))
    nearest = min((bits for bits, _ in stills), default=0)
    return found + [one for bits, one in stills if bits <= nearest + STILL_SLACK]


def _records(store: Store, ids: Iterable[str]) -> Mapping[str, MediaRecord]:
    wanted = [*dict.fromkeys(ids)]
    found: dict[str, MediaRecord] = {}
    for collection in store.collections():
        if wanted and KIND_OF.get(collection) in (Kind.VIDEO, Kind.AUDIO):
            for point in store.retrieve(collection, wanted, payload=SHOWN):
                found[point.id] = MediaRecord.from_payload(point.payload)
    return found


def _span(record: MediaRecord, start: float, end: float) -> SpanOfMedia:
    return SpanOfMedia(record.id, record.kind, record.paths, start, end, thumbnail_address(record))


def _number(said: Any) -> int | None:
    number = said["overlap"]
    return number if type(number) is int and 0 <= number < 2**31 else None


OPERATIONS = (
    Operation(
        "POST",
        "/overlaps",
        compare_recordings,
        JobProgress,
        scope=Scope.ADMIN,
        takes=(NewComparison,),
        status=202,
        errors=(400, 409, 503),
        answer_of_job=job,
    ),
    Operation("GET", "/overlaps", overlaps, OverlapAnswer, scope=Scope.READ, takes=(OverlapParameters,), errors=(400,)),
)
