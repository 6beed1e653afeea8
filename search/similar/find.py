"""Answers a find-similar question: what is like these examples, within and across collections."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from search.errors import UsageError
from search.likeness.curve import VERY_SIMILAR, Band
from search.media import COLLECTIONS, KIND_OF, Kind, MediaRecord
from search.records.lookup import SHOWN, answers_unnamed, asked_fields, thumbnail_address
from search.records.shown import shown_records
from search.records.sound_rows import HEARD, spans_of
from search.similar.copies import COPIES, SEARCHED, SEARCHED_WITH_EDITS, may_be_copy, relations
from search.similar.examples import Examples, SpaceQuery
from search.similar.fusion import Finding, best_per_id, fuse, rank, rank_by_match
from search.similar.near import principal_space
from search.similar.pivot import pivot
from search.similar.query_context import QueryContext, best_of
from search.similar.questions import Probe, Question, Relation, SimilarAnswer, SimilarHit
from search.similar.shots import Comparisons
from search.similar.subject_style import STYLE, SUBJECT, SubjectStyleWeights, ask_subject_and_style, with_parts
from search.spaces import CollectionSchema
from search.store.answers import MMR_CANDIDATES
from search.store.base import CollectionInfo, PayloadChoice, Store, StoredPoint, VectorQuery
from search.store.filters import Filter

_BAND_OF_COPIES = {
    Relation.EXACT_COPY: Band.IDENTICAL,
    Relation.SAME_PICTURE: Band.SAME_PICTURE,
    Relation.EDITED_COPY: Band.EDITED_COPY,
}

_SPARE = 10
"""Candidates beyond those asked for, at least: scoring best pairs changes the engine's order a little."""

MOST_OFFSET = 10_000
"""Greatest offset: an engine finds all that comes before it anew."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a collection holds for a question.

    Attributes:
        findings: one a space and id.
        points: those of them that have been fetched, by id.
        places: of each id in the order in which answers are unlike each other, where that was asked for.
    """

    findings: list[Finding]
    points: dict[str, StoredPoint]
    places: dict[str, int] = field(default_factory=dict)


def find_similar(store: Store, question: Question, comparisons: Comparisons | None = None) -> SimilarAnswer:
    """What is like the question's examples.

    Every space that the examples and a collection share is asked, one batch a collection. Two media are compared by
    their best pair of vectors (``search.likeness.best_pairs``), which of a video also gives the matching moment.
    ``search.likeness.curve`` says what a score is worth, ``search.similar.fusion`` makes one list of what the spaces
    found, ``search.similar.pivot`` reaches sounds from pictures through videos. How several examples combine:
    ``examples.blend``.

    Stored examples never answer their own question. A probe's own bytes, when stored, come first, as an exact copy,
    then what holds the same pixels, and edits of an example next. Shots of one burst with it are no copies.

    With ``question.style`` set, subject and style are weighed against each other instead
    (``search.similar.subject_style``), where both can be compared: in images and videos.

    Args:
        comparisons: of pixels, where they can be compared.

    Raises:
        UsageError: no positive example, a limit below 1, an offset or diversity out of range, a collection or space
            that does not exist, a style out of range or together with spaces.
        NotFoundError: an id is not stored.
        SpaceMismatchError: an example was encoded with another model than the collection it is compared with.
        StoreError: the store could not answer.
    """
    started = time.perf_counter()
    infos = {name: info for name, info in store.collections().items() if info.points}
    _check(question, infos)
    context = QueryContext.of(store, question, infos, comparisons or Comparisons())
    examples, last = context.examples, context.last
    weights = None if question.style is None else SubjectStyleWeights.at(question.style)
    wanted = [name for name in question.collections if name in infos and _kind_wanted(question, KIND_OF[name])]
    rows: dict[str, tuple[SimilarHit, ...]] = dict.fromkeys(question.collections, ())
    places: dict[str, int] = {}
    for collection in wanted:
        if weights is not None:
            weighed = ask_subject_and_style(context, collection, weights)
            described = _describe(context, collection, weighed.ranked[:last], _Found(weighed.parts, {}), last)
            rows[collection] = rank_by_match(with_parts(described, weighed.parts))
            continue
        described, best = _compare(context, collection, SEARCHED)
        if any(hit.relation in COPIES for hit in described) and _depth(question) < SEARCHED_WITH_EDITS:
            described, best = _compare(context, collection, SEARCHED_WITH_EDITS)
        if question.diversity:
            places |= {finding.id: place for place, finding in enumerate(best)}
        rows[collection] = rank(described, examples.kinds, places or None)[:last]
    together = [hit for row in rows.values() for hit in row]
    if weights is not None:
        hits = rank_by_match(together)[:last]
    else:
        hits = fuse(rows.values(), last, examples.kinds, places or None)
    return SimilarAnswer(
        query=_echo(question),
        hits=hits[question.offset :],
        by_collection={name: row[question.offset :] for name, row in rows.items()},
        took_ms=(time.perf_counter() - started) * 1000,
        notes=_notes(context, hits),
    )


def _check(question: Question, infos: Mapping[str, CollectionInfo]) -> None:
    if not question.like:
        raise UsageError("A question needs at least one example to be like.")
    if question.part is not None:
        if len(question.like) > 1:
            raise UsageError("A part can be asked with of one example only.")
        if not 0 <= question.part[0] < question.part[1]:  # NaN too
            raise UsageError(f"A part cannot go from {question.part[0]:g} s to {question.part[1]:g} s.")
    if question.limit < 1:
        raise UsageError(f"A question cannot ask for {question.limit} answers.")
    if not 0 <= question.offset <= MOST_OFFSET:
        raise UsageError(f"The answers after the first {question.offset:,} cannot be given.", f"0 to {MOST_OFFSET:,}.")
    if question.diversity is not None and not 0 <= question.diversity <= 1:  # NaN too
        raise UsageError(f"Diversity cannot be {question.diversity:g}.", "0 to 1.")
    if question.diversity and question.style is not None:
        raise UsageError("A question asks for diversity or sets the dial between subject and style, not both.")
    for collection in question.collections:
        if collection not in KIND_OF:
            raise UsageError(f"There is no collection '{collection}'.", f"Choose among {', '.join(COLLECTIONS)}.")
    if question.style is not None and not -1 <= question.style <= 1:  # NaN too
        raise UsageError(f"The dial between subject and style cannot stand at {question.style:g}.", "-1 to 1.")
    if question.style is not None and question.spaces:
        raise UsageError("A question names spaces or sets the dial between subject and style, not both.")
    known = {field.space.name for info in infos.values() for field in asked_fields(info.schema)}
    for space in question.spaces:
        if infos and space not in known:
            raise UsageError(f"There is no space '{space}'.", f"Choose among {', '.join(sorted(known))}.")


def _kind_wanted(question: Question, kind: Kind) -> bool:
    return not question.where.kinds or kind.value in question.where.kinds


def _wanted(question: Question, schema: CollectionSchema, space: str) -> bool:
    """Style answers only where it is asked for: a stranger developed alike is not what "similar" promises."""
    return space in question.spaces if question.spaces else answers_unnamed(schema, space)


def _compare(context: QueryContext, collection: str, searched: int) -> tuple[list[SimilarHit], list[Finding]]:
    """Hits of one collection, and all that was found there, best first.

    Args:
        searched: how many of the nearest are fetched at least, where copies can be recognised.
    """
    found = _ask(context, collection, searched)
    if not found.findings:
        found = _Found(pivot(context, collection), {})
    best = [finding for finding in best_per_id(found.findings) if finding.id not in context.examples.stored]
    if context.question.diversity:
        best.sort(key=lambda finding: found.places.get(finding.id, len(found.places)))
    return _describe(context, collection, best, found, _depth(context.question)), best


def _ask(context: QueryContext, collection: str, searched: int) -> _Found:
    """What every space that the question and the collection share has found, compared by best pairs of vectors."""
    asked = _space_queries(context, collection)
    if not asked:
        return _Found([], {})
    payload = SHOWN if _payload_with_hits(context, asked) else False
    queries = [_vector_queries(context, one, searched, payload) for one in asked]
    answers = iter(context.store.query(collection, [query for some in queries for query in some]))
    scores: dict[str, dict[str, float]] = {}
    places: dict[str, int] = {}
    points: dict[str, StoredPoint] = {}
    for one, some in zip(asked, queries, strict=True):
        hits = [next(answers) for _ in some]
        scores[one.space.name] = best_of(hits)
        if payload:
            points |= {hit.id: StoredPoint(hit.id, hit.payload or {}) for answer in hits for hit in answer}
        if some[0].diversity:
            places = {hit.id: place for place, hit in enumerate(hits[0])}
    several = [one for one in asked if one.field.multi]
    if several:
        ids = {id_ for one in several for id_ in context.scorer.needed(one, [*scores[one.space.name]])}
        vectors = [one.space.name for one in several]
        fetched = context.store.retrieve(collection, sorted(ids), vectors=vectors, payload=SHOWN)
        points = {point.id: point for point in fetched}
        # What has been deleted since the query is no answer.
        gone = ids - points.keys()
        scores = {name: {id_: s for id_, s in some.items() if id_ not in gone} for name, some in scores.items()}
    findings: list[Finding] = []
    for one in asked:
        name = one.space.name
        held = None
        if one.field.multi:
            held = {id_: points[id_].vectors[name] for id_ in scores[name] if id_ in points}
        findings += context.scorer.findings(one, scores[name], held)
    return _Found(findings, points, places)


def _payload_with_hits(context: QueryContext, asked: Sequence[SpaceQuery]) -> bool:
    """Whether hits bring what they are described from. A request to a server takes longer than the payloads of a page
    and what is compared beside it; of hits whose vectors are fetched anyway, payloads come with those."""
    few = _depth(context.question) <= MMR_CANDIDATES
    return context.store.engine == "server" and few and not any(one.field.multi for one in asked)


def _depth(question: Question) -> int:
    """How many answers are compared. Where they are to be unlike each other, all that an engine rearranges, so that
    every page is of the same order."""
    last = question.offset + question.limit
    return max(last, MMR_CANDIDATES) if question.diversity else last


def _space_queries(context: QueryContext, collection: str) -> list[SpaceQuery]:
    """One for each space that is wanted and that the collection and the examples share."""
    schema = context.infos[collection].schema
    fields = [field for field in asked_fields(schema) if _wanted(context.question, schema, field.space.name)]
    queries = [context.examples.query(field, collection) for field in fields]
    return [query for query in queries if query is not None]


def _vector_queries(
    context: QueryContext, asked: SpaceQuery, searched: int, payload: PayloadChoice
) -> list[VectorQuery]:
    """The queries of one space; only those of the principal space can be diverse, and find copies."""
    question, multi = context.question, asked.field.multi
    principal = asked.space.name == principal_space(context.infos[asked.collection].schema)
    varied = principal and not multi and len(asked.rows) == 1
    limit = _depth(question)
    if principal and context.examples.fingerprinted:
        limit = max(limit, searched)
    if multi:
        limit += max(_SPARE, limit // 2)
    diversity = question.diversity or 0.0 if varied else 0.0
    return context.vector_queries(asked, limit, diversity=diversity, with_payload=payload)


def _describe(
    context: QueryContext, collection: str, best: Sequence[Finding], found: _Found, last: int
) -> list[SimilarHit]:
    """Hits with their records, of the first ``last`` and of copies beyond them."""
    kind, examples = KIND_OF[collection], context.examples
    space = principal_space(context.infos[collection].schema)
    principal: dict[str, float] = {}
    for finding in found.findings:
        if finding.via is None and finding.space == space:
            principal[finding.id] = max(finding.score, principal.get(finding.id, -1.0))
    shown = [finding.id for finding in best[:last]]
    beyond = [finding.id for finding in best[last:]]
    likely = [id_ for id_ in beyond if examples.fingerprinted and may_be_copy(kind, principal.get(id_, -1.0))]
    likely += examples.uploaded.intersection(beyond).difference(likely)
    points = _with_rows(context, collection, best[:last], found.points)
    absent = [id_ for id_ in (*shown, *likely) if id_ not in points]
    records = {id_: MediaRecord.from_payload(points[id_].payload) for id_ in (*shown, *likely) if id_ in points}
    records |= shown_records(context.store, collection, absent)
    related = relations(examples, records, principal, context.comparisons)
    described = {*shown, *(id_ for id_, relation in related.items() if relation is not Relation.BURST)}
    return [
        _hit(finding, points.get(finding.id), records[finding.id], related.get(finding.id, Relation.SIMILAR), examples)
        for finding in best
        if finding.id in described and finding.id in records
    ]


def _with_rows(
    context: QueryContext, collection: str, shown: Sequence[Finding], points: Mapping[str, StoredPoint]
) -> dict[str, StoredPoint]:
    """Points with the vectors of their finding's space, where these tell the moment at which a hit matches."""
    fields = context.infos[collection].schema.by_name
    known = dict(points)
    for space in {SUBJECT, *HEARD}:
        if space not in fields or not fields[space].multi:
            continue
        wanted = [finding.id for finding in shown if finding.space == space and finding.via is None]
        lacking = [id_ for id_ in wanted if id_ not in known or space not in known[id_].vectors]
        if lacking:
            for point in context.store.retrieve(collection, lacking, vectors=[space], payload=SHOWN):
                held = known[point.id].vectors if point.id in known else {}
                known[point.id] = replace(point, vectors={**held, **point.vectors})
    return known


def _hit(
    finding: Finding, point: StoredPoint | None, record: MediaRecord, relation: Relation, examples: Examples
) -> SimilarHit:
    copied = _BAND_OF_COPIES.get(relation)
    held = None if point is None or finding.via is not None else point.vectors.get(finding.space)
    span = examples.span(finding.space, held, spans_of(record, finding.space)) if finding.space in HEARD else None
    shown = examples.moment(held, record.moments) if finding.space == SUBJECT else None
    likeness = finding.likeness if copied is None else 1.0
    if relation is Relation.BURST:
        likeness = max(likeness, VERY_SIMILAR)
    return SimilarHit(
        id=record.id,
        kind=record.kind,
        paths=record.paths,
        score=finding.score,
        likeness=likeness,
        band=Band.of(likeness) if copied is None else copied,
        match=finding.match,
        space=finding.space,
        relation=relation,
        moment=shown if span is None else span[0],
        span=span,
        thumbnail=thumbnail_address(record),
        via=finding.via,
    )


def _echo(question: Question) -> dict[str, object]:
    def named(example: str | Probe) -> str:
        return example if isinstance(example, str) else example.media_id or example.name

    return {
        "like": [named(example) for example in question.like],
        "unlike": [named(example) for example in question.unlike],
        "part": None if question.part is None else [at if math.isfinite(at) else None for at in question.part],
        "collections": list(question.collections),
        "spaces": list(question.spaces),
        "style": question.style,
        "limit": question.limit,
        "offset": question.offset,
        "diversity": question.diversity,
    }


def _notes(context: QueryContext, hits: Sequence[SimilarHit]) -> tuple[str, ...]:
    question, examples, scorer = context.question, context.examples, context.scorer
    if not context.infos:
        return ("Nothing has been ingested yet.",)
    if question.style is not None:
        return _style_notes(context)
    if not any(probe.vectors for probe in examples.like):
        return ("The example is silent, so that nothing can be compared with it.",)
    lacking = [
        f"No example has a vector in the space '{space}'." for space in question.spaces if not examples.having(space)
    ]
    if hits and all(hit.band is Band.WEAK for hit in hits):
        lacking.append("Nothing that was asked is more than weakly similar.")
    return (
        *lacking,
        *map(_provisional_note, sorted(scorer.provisional)),
        *map(_outdated_note, sorted(scorer.outdated)),
    )


def _provisional_note(space: str) -> str:
    return (
        f"How likely a score in '{space}' means the same label has not been learnt for this model on real media; "
        "`likewise calibrate DIR` does so, on folders as labels."
    )


def _outdated_note(space: str) -> str:
    return (
        f"The likeness curves that this library has learnt for '{space}' are of another version's formula and are not "
        "used; `likewise calibrate DIR` learns them anew."
    )


def _style_notes(context: QueryContext) -> tuple[str, ...]:
    store, examples = context.store, context.examples
    if not (examples.having(STYLE) and examples.having(SUBJECT)):
        return ("No example has both a subject and a style to compare: pictures and videos have.",)
    without = 0
    for name, info in context.infos.items():
        if info.schema.space(SUBJECT) is not None:
            held = 0 if info.schema.space(STYLE) is None else store.count(name, Filter(has_space=STYLE))
            without += store.count(name, Filter(has_space=SUBJECT)) - held
    if not without:
        return ()
    return (f"{without:,} have no style yet and cannot answer; `likewise reembed --space style` gives them one.",)
