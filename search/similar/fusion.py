"""Orders the hits of several spaces and collections in one list.

A hit is as like the question as the space that finds it most alike says. The list goes by band
(``search.likeness.curve``): copies, very similar, similar, weak. Within a band,

1. what was compared with the example itself stands before what was reached through a video, whatever their likeness:
   the drums of a video like this photo may be very like other drums, and say less about the photo than any picture;
2. the kind that was asked with stands before other kinds: who asks with a video finds its other moments before stills;
3. then by likeness, score and id.

Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), the usual choice when scores cannot be compared,
looks at ranks only: the best of five unlike sounds would stand beside the best of a thousand pictures. Likenesses can
be compared. The best finding of a hit is kept rather than a sum or mean, for a video found by its picture alone is no
worse an answer than one whose sound track happens to have been compared as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from search.likeness.curve import Band
from search.media import Kind
from search.similar.questions import SimilarHit, Via


@dataclass(frozen=True, slots=True)
class Finding:
    """An id as one space found it.

    Attributes:
        score: raw cosine of the best pair of vectors in ``space``.
        likeness: what that is worth, see ``search.likeness.curve``.
        match: per cent of random pairs that are less alike.
    """

    id: str
    collection: str
    space: str
    score: float
    likeness: float
    match: float
    via: Via | None = None


def best_per_id(findings: Iterable[Finding]) -> list[Finding]:
    """The strongest finding of each id, strongest first: direct before pivot, then by likeness, score, space and id."""
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.via is not None, -f.likeness, -f.score, f.space, f.id)):
        kept.setdefault(finding.id, finding)
    return sorted(kept.values(), key=lambda f: (-f.likeness, -f.score, f.id))


def rank(
    hits: Iterable[SimilarHit], asked: Collection[Kind] = (), places: Mapping[str, int] | None = None
) -> tuple[SimilarHit, ...]:
    """Hits in the order of the module; ties are stable.

    Args:
        asked: kinds of the positive examples.
        places: where answers are to be unlike each other, the place of each id in such an order. It then decides in
            place of likeness; and very similar and similar are one band, or all frames of one burst would come first.
    """
    if places is not None:
        return tuple(
            sorted(
                hits,
                key=lambda hit: (
                    Band.VERY_SIMILAR.rank if hit.band is Band.SIMILAR else hit.band.rank,
                    hit.via is not None,
                    hit.kind not in asked,
                    places.get(hit.id, len(places)),
                    -hit.likeness,
                    hit.id,
                ),
            )
        )
    return tuple(
        sorted(
            hits,
            key=lambda hit: (
                hit.band.rank,
                hit.via is not None,
                hit.kind not in asked,
                -hit.likeness,
                -hit.score,
                hit.id,
            ),
        )
    )


def rank_by_match(hits: Iterable[SimilarHit]) -> tuple[SimilarHit, ...]:
    """Hits by match alone, where subject and style are weighed against each other: an edit of the example may be the
    very thing that is not wanted, in a question for another subject."""
    return tuple(sorted(hits, key=lambda hit: (-hit.match, -hit.score, hit.id)))


def fuse(
    rows: Iterable[Sequence[SimilarHit]],
    limit: int,
    asked: Collection[Kind] = (),
    places: Mapping[str, int] | None = None,
) -> tuple[SimilarHit, ...]:
    """The best ``limit`` hits of all rows in one list, see :func:`rank`."""
    return rank((hit for row in rows for hit in row), asked, places)[:limit]
