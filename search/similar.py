"""Find similar: what is like these examples, within and across collections."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.dial import STYLE, SUBJECT, Dial, ask_with_dial, with_parts
from search.errors import UsageError
from search.examples import Examples
from search.fusion import Finding, best_per_id, fuse, rank
from search.matching import Matcher, matcher_of
from search.media import COLLECTIONS, KIND_OF, Kind, MediaRecord
from search.near import PRINCIPAL_SPACE, is_near_duplicate
from search.pivot import pivot
from search.questions import Probe, Question, Relation, SimilarAnswer, SimilarHit
from search.records import ASKED_BY_NAME, asked_fields, browse, find_record, probe_of, thumbnail_address
from search.spaces import VectorField
from search.store.base import CollectionInfo, Store, StoredPoint, VectorQuery
from search.store.filters import Filter

__all__ = ["browse", "find_record", "find_similar", "probe_of"]

_SHOWN = ("id", "kind", "paths", "thumbnail", "fingerprints", "moments", "duration")
"""Payload keys a hit is described from; fetching whole payloads costs more than the search."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query put to a collection, and what its scores mean."""

    field: VectorField
    asking: str
    query: VectorQuery


def find_similar(store: Store, question: Question) -> SimilarAnswer:
    """What is like the question's examples.

    Every space that the examples and a collection share is asked, one batch a collection. A single vector against a
    video is compared with each of its key frames and the best counts, which also gives the matching moment; a video's
    key frames against single vectors likewise; video against video is the mean over the question's key frames of their
    best match. ``search.calibration`` turns scores into match percentages, ``search.fusion`` merges what the spaces
    found, ``search.pivot`` reaches sounds from pictures through videos. How several examples combine:
    ``examples.blend``.

    Stored examples never answer their own question. A probe's own bytes, when stored, come first, as same content.

    With ``question.style`` set, subject and style are weighed against each other instead (``search.dial``), where
    both can be compared: in images and videos.

    Raises:
        UsageError: no positive example, a limit below 1, a collection or space that does not exist, a dial beyond its
            ends or together with spaces.
        NotFoundError: an id is not stored.
        SpaceMismatchError: an example was encoded with another model than the collection it is compared with.
        StoreError: the store could not answer.
    """
    started = time.perf_counter()
    infos = {name: info for name, info in store.collections().items() if info.points}
    _check(question, infos)
    examples = Examples.of(store, question)
    matcher = matcher_of(store)
    dial = None if question.style is None else Dial.at(question.style)
    wanted = [name for name in question.collections if name in infos and _kind_wanted(question, KIND_OF[name])]
    rows: dict[str, tuple[SimilarHit, ...]] = dict.fromkeys(question.collections, ())
    for collection in wanted:
        if dial is not None:
            turned = ask_with_dial(store, collection, examples, question, infos, matcher, dial)
            best, findings = turned.ranked, turned.parts
        else:
            findings = _ask(store, collection, examples, question, infos, matcher)
            if not findings:
                findings = pivot(store, collection, examples, question, infos, matcher)
            best = best_per_id(f for f in findings if f.id not in examples.stored)
            best.sort(key=lambda f: f.id not in examples.uploaded)
        hits = _describe(store, collection, best[: question.limit], findings, examples)
        if dial is not None:
            hits = with_parts(hits, findings)
        rows[collection] = rank(hits, by_relation=dial is None)
    return SimilarAnswer(
        query=_echo(question),
        hits=fuse(rows.values(), question.limit, by_relation=dial is None),
        by_collection=rows,
        took_ms=(time.perf_counter() - started) * 1000,
        notes=_notes(store, question, examples, infos),
    )


def _check(question: Question, infos: Mapping[str, CollectionInfo]) -> None:
    if not question.like:
        raise UsageError("A question needs at least one example to be like.")
    if question.limit < 1:
        raise UsageError(f"A question cannot ask for {question.limit} answers.")
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


def _wanted(question: Question, space: str) -> bool:
    """Style answers only where it is asked for: a stranger developed alike is not what "similar" promises."""
    return space in question.spaces if question.spaces else space not in ASKED_BY_NAME


def _ask(
    store: Store,
    collection: str,
    examples: Examples,
    question: Question,
    infos: Mapping[str, CollectionInfo],
    matcher: Matcher,
) -> list[Finding]:
    asked: list[_Asked] = []
    limit = question.limit + len(examples.stored)
    for field in asked_fields(infos[collection].schema):
        if not _wanted(question, field.space.name):
            continue
        vector = examples.query(field.space, collection)
        if vector is None:
            continue
        asking = examples.asking(field.space.name)
        for part in [vector] if field.multi else np.split(vector, len(vector)):
            query = VectorQuery(field.space, part, limit, question.where, exact=question.exact)
            asked.append(_Asked(field, asking, query))
    if not asked:
        return []
    findings: list[Finding] = []
    for one, hits in zip(asked, store.query(collection, [one.query for one in asked]), strict=True):
        space = one.field.space.name
        curve = matcher.calibration(space, one.asking, collection, infos)
        findings += [Finding(hit.id, collection, space, hit.score, curve.match(hit.score)) for hit in hits]
    return findings


def _describe(
    store: Store, collection: str, best: Sequence[Finding], findings: Sequence[Finding], examples: Examples
) -> list[SimilarHit]:
    """Hits with their records; all payloads (and the key frames that moments are read from) in one round trip."""
    if not best:
        return []
    with_frames = collection == Kind.VIDEO.collection and any(f.space == "visual" for f in best)
    points = store.retrieve(collection, [f.id for f in best], vectors=["visual"] if with_frames else [], payload=_SHOWN)
    stored = {point.id: point for point in points}
    principal: dict[str, float] = {}
    for finding in findings:
        if finding.via is None and finding.space == PRINCIPAL_SPACE[KIND_OF[collection]]:
            principal[finding.id] = max(finding.score, principal.get(finding.id, -1.0))
    return [_hit(f, stored[f.id], principal.get(f.id), examples) for f in best if f.id in stored]


def _hit(finding: Finding, point: StoredPoint, principal: float | None, examples: Examples) -> SimilarHit:
    record = MediaRecord.from_payload(point.payload)
    return SimilarHit(
        id=record.id,
        kind=record.kind,
        paths=record.paths,
        score=finding.score,
        match=finding.match,
        space=finding.space,
        relation=_relation(record, principal, examples),
        moment=examples.moment(point.vectors.get("visual"), record.moments) if finding.space == "visual" else None,
        thumbnail=thumbnail_address(record),
        via=finding.via,
    )


def _relation(record: MediaRecord, principal: float | None, examples: Examples) -> Relation:
    if record.id in examples.uploaded:
        return Relation.SAME_CONTENT
    if principal is not None and any(is_near_duplicate(probe, record, principal) for probe in examples.like):
        return Relation.NEAR_DUPLICATE
    return Relation.SIMILAR


def _echo(question: Question) -> dict[str, object]:
    def named(example: str | Probe) -> str:
        return example if isinstance(example, str) else example.media_id or example.name

    return {
        "like": [named(example) for example in question.like],
        "unlike": [named(example) for example in question.unlike],
        "collections": list(question.collections),
        "spaces": list(question.spaces),
        "style": question.style,
        "limit": question.limit,
    }


def _notes(
    store: Store, question: Question, examples: Examples, infos: Mapping[str, CollectionInfo]
) -> tuple[str, ...]:
    if not infos:
        return ("Nothing has been ingested yet.",)
    if question.style is not None:
        return _style_notes(store, examples, infos)
    return tuple(
        f"No example has a vector in the space '{space}'." for space in question.spaces if not examples.having(space)
    )


def _style_notes(store: Store, examples: Examples, infos: Mapping[str, CollectionInfo]) -> tuple[str, ...]:
    if not (examples.having(STYLE) and examples.having(SUBJECT)):
        return ("No example has both a subject and a style to compare: pictures and videos have.",)
    without = 0
    for name, info in infos.items():
        if info.schema.space(SUBJECT) is not None:
            held = 0 if info.schema.space(STYLE) is None else store.count(name, Filter(has_space=STYLE))
            without += store.count(name, Filter(has_space=SUBJECT)) - held
    if not without:
        return ()
    return (f"{without:,} have no style yet and cannot answer; `likewise reembed --space style` gives them one.",)
