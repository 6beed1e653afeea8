"""One order for hits of several spaces and collections.

Hits are compared by their calibrated match alone: a hit's fused score is the best match it reached in any space,

    fused(id) = max over its findings f of match_f(score_f).

Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), the usual choice when scores cannot be compared,
looks at ranks only: the best of five unlike sounds would stand beside the best of a thousand pictures. Here the scores
*can* be compared, because ``search.calibration`` turns each into a percentage of random pairs, so how much alike two
things are survives the fusion. The best finding is kept rather than a sum or mean, for a video found by its picture
alone is no worse an answer than one whose sound track happens to have been compared as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search.questions import Relation, SimilarHit, Via

_STRENGTH = {Relation.SAME_CONTENT: 0, Relation.NEAR_DUPLICATE: 1, Relation.SIMILAR: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """An id as one space found it.

    Attributes:
        score: raw cosine in ``space``.  match: its calibrated percentage.
    """

    id: str
    collection: str
    space: str
    score: float
    match: float
    via: Via | None = None


def best_per_id(findings: Iterable[Finding]) -> list[Finding]:
    """The strongest finding of each id, strongest first: direct before pivot, then by match, score, space and id."""
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.via is not None, -f.match, -f.score, f.space, f.id)):
        kept.setdefault(finding.id, finding)
    return sorted(kept.values(), key=lambda f: (-f.match, -f.score, f.id))


def rank(hits: Iterable[SimilarHit], *, by_relation: bool = True) -> tuple[SimilarHit, ...]:
    """Same content, near duplicates, what resembles an example directly, what a pivot reached; within each by match,
    score and id: ties are stable.

    A pivot comes last whatever its match, because that compares it with something other than the example: the drums of
    a video like this photo may be very like other drums, and tell less of the photo than any picture does.

    Args:
        by_relation: False where an edit of the example is no better an answer than anything else: it may be the very
            thing that is not wanted, in a question for another subject.
    """
    return tuple(
        sorted(
            hits,
            key=lambda hit: (
                _STRENGTH[hit.relation] if by_relation else 0,
                hit.via is not None,
                -hit.match,
                -hit.score,
                hit.id,
            ),
        )
    )


def fuse(rows: Iterable[Sequence[SimilarHit]], limit: int, *, by_relation: bool = True) -> tuple[SimilarHit, ...]:
    """The best ``limit`` hits of all rows in one list."""
    return rank((hit for row in rows for hit in row), by_relation=by_relation)[:limit]
