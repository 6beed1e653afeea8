"""Through a video from pictures to sounds, and from sounds to pictures.

A picture and a sound share no space, but a video holds both: a photo finds the video moments that look like it, their
sound tracks find audio files. Two resemblances in a row are weaker evidence than one, so a pivot's match is the product
of its two legs' matches as shares, which is below either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from search.examples import Examples
from search.fusion import Finding
from search.matching import Matcher
from search.media import Kind
from search.questions import Question, Via
from search.store.base import Array, CollectionInfo, Store, StoredPoint, VectorQuery
from search.store.filters import Filter

VIDEOS = Kind.VIDEO.collection

BRIDGES = 5
"""Most videos a pivot goes through."""

FRAMES = 8
"""Most key frames of each that are asked on, evenly spread."""

MIN_MATCH = 80.0
"""Least match of the first leg, per cent: a video no more like the example than any other leads nowhere."""

_LEGS = {Kind.AUDIO.collection: ("visual", "sound"), Kind.IMAGE.collection: ("sound", "visual")}
"""Collection that a pivot can reach to the spaces of its first and second leg."""


@dataclass(frozen=True, slots=True)
class _Bridge:
    """One vector of one video to ask on with."""

    via: Via
    match: float
    vector: Array


def pivot(
    store: Store,
    collection: str,
    examples: Examples,
    question: Question,
    infos: Mapping[str, CollectionInfo],
    matcher: Matcher,
) -> list[Finding]:
    """Findings of ``collection`` reached through videos; none when it is not wanted, nothing leads there,
    or an example can be compared directly.

    The question's filter narrows what is found, not the videos on the way.
    """
    if not question.pivot or collection not in _LEGS or VIDEOS not in infos:
        return []
    first, second = _LEGS[collection]
    if examples.having(second):
        return []
    far = infos[collection].schema.space(second)
    through = infos[VIDEOS].schema
    if far is None or through.space(second) is None or (question.spaces and second not in question.spaces):
        return []
    bridges = list(_bridges(store, examples, first, second, infos, matcher))
    if not bridges:
        return []
    through.require(far)
    limit = question.limit + len(examples.stored)
    queries = [VectorQuery(far, b.vector, limit, question.where, exact=question.exact) for b in bridges]
    curve = matcher.calibration(second, VIDEOS, collection, infos)
    return [
        Finding(hit.id, collection, second, hit.score, bridge.match * curve.match(hit.score) / 100.0, bridge.via)
        for bridge, hits in zip(bridges, store.query(collection, queries), strict=True)
        for hit in hits
    ]


def _bridges(
    store: Store,
    examples: Examples,
    first: str,
    second: str,
    infos: Mapping[str, CollectionInfo],
    matcher: Matcher,
) -> Iterator[_Bridge]:
    near = infos[VIDEOS].schema.by_name.get(first)
    vector = examples.query(near.space, VIDEOS) if near else None
    if near is None or vector is None:
        return
    where = Filter(has_space=second)
    parts = [vector] if near.multi else np.split(vector, len(vector))
    curve = matcher.calibration(first, examples.asking(first), VIDEOS, infos)
    reached: dict[str, float] = {}
    for hits in store.query(
        VIDEOS, [VectorQuery(near.space, part, BRIDGES + len(examples.stored), where) for part in parts]
    ):
        for hit in hits:
            reached[hit.id] = max(curve.match(hit.score), reached.get(hit.id, 0.0))
    best = sorted((i for i in reached if reached[i] >= MIN_MATCH), key=lambda i: (-reached[i], i))[:BRIDGES]
    for point in store.retrieve(VIDEOS, best, vectors=sorted({"visual", second}), payload=["moments"]):
        yield from _onward(point, reached[point.id], examples, second)


def _onward(point: StoredPoint, match: float, examples: Examples, second: str) -> Iterator[_Bridge]:
    moments = point.payload.get("moments", ())
    if second == "sound":
        moment = examples.moment(point.vectors.get("visual"), moments)
        yield _Bridge(Via(point.id, moment), match, point.vectors[second])
        return
    frames = point.vectors[second]
    for at in np.unique(np.linspace(0, len(frames) - 1, min(FRAMES, len(frames))).round().astype(int)):
        moment = float(moments[at]) if len(moments) == len(frames) else None
        yield _Bridge(Via(point.id, moment), match, frames[at : at + 1])
