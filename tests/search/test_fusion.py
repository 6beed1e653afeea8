"""One order out of many, and always the same one."""

from __future__ import annotations

import random
from dataclasses import replace

from search.likeness.curve import Band
from search.media import Kind
from search.similar.fusion import Finding, best_per_id, fuse, rank, rank_by_match
from search.similar.questions import Relation, SimilarHit, Via


def finding(name: str, likeness: float, space: str = "visual", via: Via | None = None) -> Finding:
    return Finding(name, "videos", space, likeness / 2, likeness, 100 * likeness, via)


def hit(
    name: str, likeness: float, *, band: Band | None = None, score: float = 0.5, kind: Kind = Kind.IMAGE
) -> SimilarHit:
    return SimilarHit(
        name, kind, (), score, likeness, band or Band.of(likeness), 100 * likeness, "visual", Relation.SIMILAR
    )


def test_an_id_keeps_its_best_finding() -> None:
    found = best_per_id([finding("a", 0.5, "sound"), finding("b", 0.7), finding("a", 0.9, "motion"), finding("a", 0.6)])

    assert [(f.id, f.space, f.likeness) for f in found] == [("a", "motion", 0.9), ("b", "visual", 0.7)]


def test_what_was_found_directly_is_not_said_to_be_found_by_pivot() -> None:
    found = best_per_id([finding("a", 0.99, via=Via("v")), finding("a", 0.4)])

    assert [(f.likeness, f.via) for f in found] == [(0.4, None)]


def test_copies_rank_before_everything_then_bands_then_likeness_then_score_then_id() -> None:
    expected = [
        hit("same", 0.1, band=Band.IDENTICAL),
        hit("edit", 0.5, band=Band.EDITED_COPY),
        hit("b", 0.99),
        hit("a", 0.98, score=0.6),
        hit("c", 0.98, score=0.5),
        hit("d", 0.98, score=0.5),
        hit("e", 0.6),
        hit("f", 0.2),
    ]

    for seed in range(5):
        assert rank(random.Random(seed).sample(expected, len(expected))) == tuple(expected)


def test_within_a_band_the_asked_kind_leads_and_what_came_through_a_video_stands_last() -> None:
    reached = replace(hit("reached", 0.99, kind=Kind.VIDEO), via=Via("v"))
    expected = [
        hit("moment", 0.91, kind=Kind.VIDEO),
        hit("picture", 0.98),
        reached,
        hit("weaker moment", 0.8, kind=Kind.VIDEO),
    ]

    assert rank(expected[::-1], asked={Kind.VIDEO}) == tuple(expected)
    assert [h.id for h in rank(expected[::-1])] == ["picture", "moment", "reached", "weaker moment"]


def test_what_leads_a_row_stands_in_the_fused_list_unless_something_better_displaced_it() -> None:
    rng = random.Random(3)
    kinds = list(Kind)
    for _ in range(50):
        hits = [hit(f"h{at}", rng.random(), kind=rng.choice(kinds)) for at in range(30)]
        asked = {rng.choice(kinds)}
        rows = {kind: rank([h for h in hits if h.kind is kind], asked) for kind in kinds}

        fused = fuse(rows.values(), 8, asked)

        for row in rows.values():
            if row and row[0] not in fused:
                # Better: a higher band, or in the same band of the asked kind, or as like.
                assert all(
                    (h.band.rank, h.kind not in asked, -h.likeness)
                    <= (row[0].band.rank, row[0].kind not in asked, -row[0].likeness)
                    for h in fused
                )
            of_kind = [h for h in fused if row and h.kind is row[0].kind]
            assert tuple(of_kind) == row[: len(of_kind)]


def test_the_fused_list_is_cut() -> None:
    images = (hit("i1", 0.99), hit("i2", 0.95))
    sounds = (hit("s1", 0.97, kind=Kind.AUDIO), hit("s2", 0.2, kind=Kind.AUDIO))

    assert [h.id for h in fuse([images, sounds], limit=3)] == ["i1", "s1", "i2"]
    assert fuse([(), ()], limit=3) == ()


def test_with_the_dial_matches_alone_decide() -> None:
    edit = replace(hit("edit", 0.1, band=Band.EDITED_COPY), match=20.0)

    assert [h.id for h in rank_by_match([edit, hit("other", 0.6)])] == ["other", "edit"]
