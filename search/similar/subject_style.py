"""Weighs what a picture shows (subject) against how it is developed (style), by one number.

``visual`` compares the subject and ``style`` the development, each on its own scale. Their matches (per cent of random
pairs that are less alike, see ``search.likeness.percentiles``) are turned into standard normal scores, which add up,

    z = cos φ · Φ⁻¹(subject match) + sin φ · Φ⁻¹(style match),   φ = (1 + 2 · position) · 45°,

and Φ(z) is the combined match: again the share of random pairs that are less alike, as far as the two are independent.
Matches rather than likenesses are added, because two rankings of one library are weighed against each other: how
sure one can be of a shared label differs so much between the two that subject would always win.
Since the weights lie on a circle, each position is a question of its own:

    position   −1                     −0.5      0      0.5     1
    asks for   same subject,          subject   both   style   same style,
               different style                                 different subject

Source: Stouffer's method of adding normal scores (Stouffer et al. 1949, "The American Soldier", vol. 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import NormalDist

from search.similar.examples import SpaceQuery
from search.similar.fusion import Finding
from search.similar.query_context import QueryContext
from search.similar.questions import SimilarHit

SUBJECT, STYLE = "visual", "style"

DEEPEST = 400
DEPTH = 10
"""Candidates of each space that is wanted, for each answer: where the other space decides on the order too, the best
answer may be far down in each list. At most :data:`DEEPEST`, unless more answers than that are asked for."""

LEAST_WEIGHT = 1e-6
_SHARE = 1e-9
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SubjectStyleWeights:
    """Weights of the two normal scores; their squares add up to 1."""

    subject: float
    style: float

    @classmethod
    def at(cls, position: float) -> SubjectStyleWeights:
        """
        Args:
            position: from −1 (same subject, different style) to 1 (same style, different subject).
        """
        angle = (1 + 2 * position) * math.pi / 4
        return cls(math.cos(angle), math.sin(angle))

    def match(self, subject: float, style: float) -> float:
        """Two matches, per cent, as one."""
        return 100 * _NORMAL.cdf(self.subject * _score(subject) + self.style * _score(style))


@dataclass(frozen=True, slots=True)
class SubjectStyleAnswer:
    """What a collection answers.

    Attributes:
        ranked: by the combined match, best first; ``score`` and ``space`` are of the space with the greater weight.
        parts: for each of those two findings, as each space alone sees it.
    """

    ranked: list[Finding]
    parts: list[Finding]


def ask_subject_and_style(context: QueryContext, collection: str, weights: SubjectStyleWeights) -> SubjectStyleAnswer:
    """What is like the examples under these weights; nothing where there is no style or no picture.

    The nearest in each space of positive weight are fetched, and the exact cosines of all of them in both.
    """
    asked: dict[str, SpaceQuery] = {}
    for name in (SUBJECT, STYLE):
        query = context.space_query(collection, name)
        if query is None:
            return SubjectStyleAnswer([], [])
        asked[name] = query
    weight_of = {SUBJECT: weights.subject, STYLE: weights.style}
    limit = max(context.last, min(DEPTH * context.last, DEEPEST))
    queries = [
        query
        for name, one in asked.items()
        if weight_of[name] > LEAST_WEIGHT
        for query in context.vector_queries(one, limit)
    ]
    store, stored = context.store, context.examples.stored
    ids = list(dict.fromkeys(hit.id for hits in store.query(collection, queries) for hit in hits))
    points = {p.id: p for p in store.retrieve(collection, ids, vectors=(SUBJECT, STYLE), payload=False)}
    compared = [id_ for id_ in points if id_ not in stored and all(name in points[id_].vectors for name in asked)]
    found: dict[str, dict[str, Finding]] = {}
    for name, one in asked.items():
        held = {id_: points[id_].vectors[name] for id_ in compared}
        findings = context.scorer.findings(one, dict.fromkeys(compared, 0.0), held)
        found[name] = {finding.id: finding for finding in findings}
    leading = STYLE if weights.style >= weights.subject else SUBJECT
    ranked = [
        replace(found[leading][id_], match=weights.match(found[SUBJECT][id_].match, found[STYLE][id_].match))
        for id_ in compared
    ]
    parts = [found[name][id_] for id_ in compared for name in asked]
    return SubjectStyleAnswer(sorted(ranked, key=lambda f: (-f.match, -f.score, f.id)), parts)


def with_parts(hits: Iterable[SimilarHit], parts: Iterable[Finding]) -> list[SimilarHit]:
    """Hits with the match in each space."""
    found: dict[str, dict[str, float]] = {}
    for part in parts:
        found.setdefault(part.id, {})[part.space] = part.match
    return [replace(hit, parts=found[hit.id]) for hit in hits]


def _score(match: float) -> float:
    return _NORMAL.inv_cdf(min(max(match / 100, _SHARE), 1 - _SHARE))
