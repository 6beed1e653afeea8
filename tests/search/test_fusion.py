"""One order out of many, and always the same one."""

from __future__ import annotations

import random
from dataclasses import replace

from search.fusion import Finding, best_per_id, fuse, rank
from search.media import Kind
from search.questions import Relation, SimilarHit, Via


def finding(name: str, match: float, space: str = "visual", via: Via | None = None) -> Finding:
    return Finding(name, "videos", space, match / 200, match, via)


def hit(name: str, match: float, relation: Relation = Relation.SIMILAR, score: float = 0.5) -> SimilarHit:
    return SimilarHit(name, Kind.IMAGE, (), score, match, "visual", relation)


def test_an_id_keeps_its_best_finding() -> None:
    found = best_per_id([finding("a", 50, "sound"), finding("b", 70), finding("a", 90, "motion"), finding("a", 60)])

    assert [(f.id, f.space, f.match) for f in found] == [("a", "motion", 90), ("b", "visual", 70)]


def test_what_was_found_directly_is_not_said_to_be_found_by_pivot() -> None:
    found = best_per_id([finding("a", 99, via=Via("v")), finding("a", 40)])

    assert [(f.match, f.via) for f in found] == [(40, None)]


def test_claims_rank_before_matches_and_matches_before_ids() -> None:
    expected = [
        hit("same", 10, Relation.SAME_CONTENT),
        hit("near", 50, Relation.NEAR_DUPLICATE),
        hit("b", 99),
        hit("a", 98, score=0.6),
        hit("c", 98, score=0.5),
        hit("d", 98, score=0.5),
    ]

    for seed in range(5):
        assert rank(random.Random(seed).sample(expected, len(expected))) == tuple(expected)


def test_a_pivot_ranks_behind_what_resembles_the_example_itself() -> None:
    direct = hit("direct", 60)
    reached = replace(hit("reached", 99), via=Via("v"))

    assert rank([reached, direct]) == (direct, reached)


def test_the_fused_list_interleaves_rows_by_match_and_is_cut() -> None:
    images = (hit("i1", 99.9), hit("i2", 90.0))
    sounds = (hit("s1", 95.0), hit("s2", 20.0))

    assert [h.id for h in fuse([images, sounds], limit=3)] == ["i1", "s1", "i2"]
    assert fuse([(), ()], limit=3) == ()
