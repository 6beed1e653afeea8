"""Reaches sounds from pictures, and pictures from sounds, through the videos that hold both.

A picture and a sound share no space, but a video holds both: a photo finds the video moments that look like it, their
sound tracks find audio files. Two resemblances in a row are weaker evidence than one, so a pivot's likeness is the
product of the likenesses of its two steps, which is below either, and its match likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from search.likeness.curve import SIMILAR
from search.media import Kind
from search.model_descriptions.registry import SOUND, SOUND_VOICE, VOICE
from search.records.sound_rows import from_runs
from search.similar.examples import Examples, SpaceQuery
from search.similar.fusion import Finding
from search.similar.query_context import QueryContext
from search.similar.questions import Via
from search.store.base import Array, StoredPoint
from search.store.filters import Filter

VIDEOS = Kind.VIDEO.collection

BRIDGES = 5
"""Most videos a pivot goes through."""

ROWS = 8
"""Most key frames, or segments of sound, of each that are asked on, evenly spread."""

MIN_LIKENESS = SIMILAR
"""Least likeness of the first step: a video that is only weakly similar to the example leads nowhere."""

AUDIO = Kind.AUDIO.collection


@dataclass(frozen=True, slots=True)
class _Bridge:
    """One vector of one video to ask on with."""

    via: Via
    likeness: float
    match: float
    vector: Array


def pivot(context: QueryContext, collection: str) -> list[Finding]:
    """Findings of ``collection`` reached through videos; none when it is not wanted, nothing leads there,
    or an example can be compared directly.

    The question's filter narrows what is found, not the videos on the way.
    """
    question, infos = context.question, context.infos
    if not question.pivot or collection == VIDEOS or not {VIDEOS, collection} <= infos.keys():
        return []
    heard = _heard(context)
    first, second = ("visual", heard) if collection == AUDIO else (heard, "visual")
    if context.examples.having(second):
        return []
    far = infos[collection].schema.by_name.get(second)
    through = infos[VIDEOS].schema
    if far is None or through.space(second) is None or (question.spaces and second not in question.spaces):
        return []
    bridges = list(_bridges(context, first, second))
    if not bridges:
        return []
    through.require(far.space)
    asked = [SpaceQuery(collection, far, bridge.vector, asking=VIDEOS) for bridge in bridges]
    queries = [query for one in asked for query in context.vector_queries(one, context.last)]
    findings: list[Finding] = []
    for bridge, one, hits in zip(bridges, asked, context.store.query(collection, queries), strict=True):
        scores = {hit.id: hit.score for hit in hits}
        for step in context.scorer.findings(one, scores, via=bridge.via):
            likeness, match = bridge.likeness * step.likeness, bridge.match * step.match / 100.0
            findings.append(replace(step, likeness=likeness, match=match))
    return findings


def _heard(context: QueryContext) -> str:
    """The space in which sounds and sound tracks are compared: the one that the question names, else the one that
    answers questions that name none."""
    schemas = [info.schema for name, info in context.infos.items() if name in (VIDEOS, AUDIO)]
    held = [space for space in (SOUND_VOICE, SOUND, VOICE) if all(schema.space(space) for schema in schemas)]
    named = [space for space in held if space in context.question.spaces]
    return next(iter((*named, *held)), SOUND)


def _bridges(context: QueryContext, first: str, second: str) -> Iterator[_Bridge]:
    asked = context.space_query(VIDEOS, first)
    if asked is None:
        return
    multi = asked.field.multi
    scores = context.best_scores(asked, BRIDGES + (BRIDGES if multi else 0), Filter(has_space=second))
    held: dict[str, Array] | None = None
    if multi:
        held = context.held_vectors(VIDEOS, first, context.scorer.needed(asked, list(scores)))
    reached = context.scorer.findings(asked, scores, held)
    best = sorted((f for f in reached if f.likeness >= MIN_LIKENESS), key=lambda f: (-f.likeness, -f.score, f.id))
    bridges = {finding.id: finding for finding in best[:BRIDGES]}
    wanted = sorted({"visual", second})
    for point in context.store.retrieve(VIDEOS, list(bridges), vectors=wanted, payload=["moments", "sound_runs"]):
        yield from _onward(point, bridges[point.id], context.examples, second)


def _onward(point: StoredPoint, reached: Finding, examples: Examples, second: str) -> Iterator[_Bridge]:
    """What a video is asked on with: its key frames, or the segment of its sound at the moment that looks like an
    example; where that moment is not known, segments evenly spread."""
    moments, rows = point.payload.get("moments", ()), point.vectors[second]
    spread = np.unique(np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).round().astype(int))
    if second == "visual":
        for at in spread:
            moment = float(moments[at]) if len(moments) == len(rows) else None
            yield _Bridge(Via(point.id, moment), reached.likeness, reached.match, rows[at : at + 1])
        return
    moment = examples.moment(point.vectors.get("visual"), moments)
    spans = from_runs(point.payload.get("sound_runs", ()))
    if moment is not None and len(spans) == len(rows):
        spread = np.array([np.maximum(spans[:, 0] - moment, moment - spans[:, 1]).argmin()])
    for at in spread:
        yield _Bridge(Via(point.id, moment), reached.likeness, reached.match, rows[at : at + 1])
