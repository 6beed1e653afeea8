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
from search.similar.examples import Examples, SpaceQuery
from search.similar.fusion import Finding
from search.similar.query_context import QueryContext
from search.similar.questions import Via
from search.store.base import Array, StoredPoint
from search.store.filters import Filter

VIDEOS = Kind.VIDEO.collection

BRIDGES = 5
"""Most videos a pivot goes through."""

FRAMES = 8
"""Most key frames of each that are asked on, evenly spread."""

MIN_LIKENESS = SIMILAR
"""Least likeness of the first step: a video that is only weakly similar to the example leads nowhere."""

_LEGS = {Kind.AUDIO.collection: ("visual", "sound"), Kind.IMAGE.collection: ("sound", "visual")}
"""Collection that a pivot can reach to the spaces of its first and second leg."""


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
    if not question.pivot or collection not in _LEGS or VIDEOS not in infos:
        return []
    first, second = _LEGS[collection]
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
    for point in context.store.retrieve(VIDEOS, list(bridges), vectors=wanted, payload=["moments"]):
        yield from _onward(point, bridges[point.id], context.examples, second)


def _onward(point: StoredPoint, reached: Finding, examples: Examples, second: str) -> Iterator[_Bridge]:
    moments = point.payload.get("moments", ())
    if second == "sound":
        moment = examples.moment(point.vectors.get("visual"), moments)
        yield _Bridge(Via(point.id, moment), reached.likeness, reached.match, point.vectors[second])
        return
    frames = point.vectors[second]
    for at in np.unique(np.linspace(0, len(frames) - 1, min(FRAMES, len(frames))).round().astype(int)):
        moment = float(moments[at]) if len(moments) == len(frames) else None
        yield _Bridge(Via(point.id, moment), reached.likeness, reached.match, frames[at : at + 1])
