"""Through a video from pictures to sounds, and from sounds to pictures.

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
from search.similar.examples import Examples
from search.similar.fusion import Finding
from search.similar.questions import Question, Via
from search.similar.scores import Scorer
from search.store.base import Array, Store, StoredPoint, VectorQuery
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


def pivot(
    store: Store,
    collection: str,
    examples: Examples,
    question: Question,
    scorer: Scorer,
) -> list[Finding]:
    """Findings of ``collection`` reached through videos; none when it is not wanted, nothing leads there,
    or an example can be compared directly.

    The question's filter narrows what is found, not the videos on the way.
    """
    infos = scorer.infos
    if not question.pivot or collection not in _LEGS or VIDEOS not in infos:
        return []
    first, second = _LEGS[collection]
    if examples.having(second):
        return []
    far = infos[collection].schema.space(second)
    through = infos[VIDEOS].schema
    if far is None or through.space(second) is None or (question.spaces and second not in question.spaces):
        return []
    bridges = list(_bridges(store, examples, first, second, scorer))
    if not bridges:
        return []
    through.require(far)
    limit = question.offset + question.limit + len(examples.stored)
    queries = [VectorQuery(far, b.vector, limit, question.where, exact=question.exact) for b in bridges]
    findings: list[Finding] = []
    for bridge, hits in zip(bridges, store.query(collection, queries), strict=True):
        scores = {hit.id: hit.score for hit in hits}
        for step in scorer.findings(collection, far, VIDEOS, bridge.vector, scores, via=bridge.via):
            likeness, match = bridge.likeness * step.likeness, bridge.match * step.match / 100.0
            findings.append(replace(step, likeness=likeness, match=match))
    return findings


def _bridges(store: Store, examples: Examples, first: str, second: str, scorer: Scorer) -> Iterator[_Bridge]:
    near = scorer.infos[VIDEOS].schema.by_name.get(first)
    rows = examples.query(near.space, VIDEOS) if near else None
    if near is None or rows is None:
        return
    where = Filter(has_space=second)
    parts = [rows] if near.multi else np.split(rows, len(rows))
    limit = BRIDGES + len(examples.stored) + (BRIDGES if near.multi else 0)
    scores: dict[str, float] = {}
    for hits in store.query(VIDEOS, [VectorQuery(near.space, part, limit, where) for part in parts]):
        for hit in hits:
            scores[hit.id] = max(hit.score, scores.get(hit.id, -1.0))
    held: dict[str, Array] | None = None
    if near.multi:
        needed = scorer.needed(VIDEOS, near.space, examples.asking(first), rows, list(scores))
        held = {p.id: p.vectors[first] for p in store.retrieve(VIDEOS, needed, vectors=[first], payload=False)}
    reached = scorer.findings(VIDEOS, near.space, examples.asking(first), rows, scores, held)
    best = sorted((f for f in reached if f.likeness >= MIN_LIKENESS), key=lambda f: (-f.likeness, -f.score, f.id))
    bridges = {finding.id: finding for finding in best[:BRIDGES]}
    wanted = sorted({"visual", second})
    for point in store.retrieve(VIDEOS, list(bridges), vectors=wanted, payload=["moments"]):
        yield from _onward(point, bridges[point.id], examples, second)


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
