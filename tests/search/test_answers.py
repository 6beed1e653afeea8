"""How answers are ordered, named and cut: likeness, bands, copies, pages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from search.errors import UsageError
from search.likeness.best_pairs import Background
from search.likeness.curve import Band, LikenessCurve
from search.likeness.curves import curves_of
from search.similar.find import find_similar
from search.similar.questions import Probe, Question, Relation, SimilarAnswer, SimilarHit

X, Y, Z, W = ([1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0])
XY = [0.6, 0.8, 0, 0]

SAME = "f" * 64
NEAR = "f" * 60 + "0000"  # 16 bits away


def ask(library: Any, *like: str | Probe, **rest: Any) -> SimilarAnswer:
    return find_similar(library.store, Question(like, **rest))


def ids(hits: tuple[SimilarHit, ...]) -> list[str]:
    return [hit.id for hit in hits]


def test_of_equal_scores_the_one_of_more_independent_key_frames_is_worth_less(library: Any) -> None:
    photo = library.image("photo", X)
    close = [0.6, 0.8, 0, 0]
    many = library.video("many", [close, Y, Z, W])
    same = library.video("same", [close] * 4)
    one = library.video("one", [close])

    hits = {hit.id: hit for hit in ask(library, photo).hits}

    assert [hits[id_].score for id_ in (one, same, many)] == pytest.approx([0.6] * 3)
    assert hits[one].likeness == pytest.approx(hits[same].likeness)
    assert hits[one].likeness > hits[many].likeness


def test_at_most_32_of_a_videos_key_frames_ask(library: Any) -> None:
    asked = library.video("long", [X] * 100)
    library.image("other", XY)
    queried: list[int] = []
    query = library.store.query

    def counting(collection: str, queries: Any) -> Any:
        queried.append(len(queries))
        return query(collection, queries)

    library.store.query = counting
    ask(library, asked, collections=("images",))

    assert queried == [32]


def test_likeness_does_not_depend_on_what_else_the_library_holds(library: Any) -> None:
    asked = library.image("asked", X)
    near = library.image("near", XY)
    library.video("film", [XY, Y])
    before = {hit.id: hit.likeness for hit in ask(library, asked).hits}
    library.many_images(np.random.default_rng(0).normal(size=(60, 4)))

    after = {hit.id: hit.likeness for hit in ask(library, asked, limit=100).hits}

    assert {id_: after[id_] for id_ in before} == pytest.approx(before, abs=1e-9)
    assert 0 < before[near] < 1


def test_every_hit_is_named_by_its_likeness_and_copies_by_what_they_are(library: Any) -> None:
    asked = library.image("asked", X, fingerprints=(SAME,))
    edit = library.image("edit", XY, fingerprints=(NEAR,))
    very = library.image("very", [0.95, math.sqrt(1 - 0.95**2), 0, 0])
    weak = library.image("weak", Y)

    answer = ask(library, asked)

    bands = {hit.id: hit.band for hit in answer.hits}
    assert bands == {edit: Band.EDITED_COPY, very: Band.VERY_SIMILAR, weak: Band.WEAK}
    assert ids(answer.hits) == [edit, very, weak]
    assert answer.hits[0].likeness == 1.0


def test_a_question_with_nothing_better_than_weak_says_so(library: Any) -> None:
    asked = library.image("asked", X)
    library.image("weak", Y)

    assert "Nothing that was asked is more than weakly similar." in ask(library, asked).notes
    library.image("close", X)
    assert "Nothing that was asked is more than weakly similar." not in ask(library, asked).notes


def test_an_edit_is_found_beyond_the_answers_asked_for(library: Any) -> None:
    asked = library.image("asked", X, fingerprints=(SAME,))
    library.many_images(np.tile(np.array([X]), (12, 1)) + np.random.default_rng(0).normal(0, 0.1, (12, 4)))
    edit = library.image("edit", XY, fingerprints=(NEAR,))

    assert ids(ask(library, asked, limit=3).hits)[0] == edit


def test_an_edit_of_an_edit_is_an_edit(library: Any) -> None:
    second = "f" * 54 + "0" * 10  # 40 bits from the original, 24 from the first edit
    asked = library.image("asked", X, fingerprints=(SAME,))
    first = library.image("first", X, fingerprints=(NEAR,))
    other = library.image("second", XY, fingerprints=(second,))

    assert {hit.id: hit.relation for hit in ask(library, asked).hits} == dict.fromkeys(
        (first, other), Relation.EDITED_COPY
    )


def test_the_kind_that_asks_leads_its_band_in_the_fused_list(library: Any) -> None:
    asked = library.video("asked", [X])
    picture = library.image("picture", X)
    moment = library.video("moment", [[0.99, 0.14, 0, 0], Y])
    far = library.video("far", [W])

    assert ids(ask(library, asked, spaces=("visual",)).hits) == [moment, picture, far]


def test_pages_of_an_answer_join_without_gap_or_overlap(library: Any) -> None:
    found = library.many_images(np.random.default_rng(1).normal(size=(40, 4)))
    library.video("film", [X, Y])
    whole = ask(library, found[0], limit=40)

    pages = [ask(library, found[0], limit=7, offset=at) for at in range(0, 40, 7)]

    assert [id_ for page in pages for id_ in ids(page.hits)][:40] == ids(whole.hits)
    assert pages[1].query["offset"] == 7
    with pytest.raises(UsageError, match="after the first"):
        ask(library, found[0], offset=-1)
    with pytest.raises(UsageError, match="Diversity"):
        ask(library, found[0], diversity=1.5)


def test_diversity_spares_a_page_the_frames_of_one_burst(library: Any) -> None:
    asked = library.image("asked", X)
    burst = [library.image(f"burst {at}", [0.9, 0.43, 0.001 * at, 0]) for at in range(6)]
    other = library.image("other", [0.8, -0.6, 0, 0])

    assert [
        id_ for at in range(0, 8, 2) for id_ in ids(ask(library, asked, limit=2, offset=at, diversity=0.7).hits)
    ] == (ids(ask(library, asked, limit=8, diversity=0.7).hits))
    plain = ids(ask(library, asked, limit=3).hits)
    diverse = ids(ask(library, asked, limit=3, diversity=0.7).hits)

    assert set(plain) < set(burst)
    assert other in diverse


def test_diversity_leaves_videos_in_the_order_of_likeness_and_none_is_no_diversity(library: Any) -> None:
    asked = library.video("asked", [X], sound=X)
    near = library.video("near", [[0.9, 0.43, 0, 0]], sound=Y)
    far = library.video("far", [[0.5, 0.86, 0, 0]], sound=Z)

    assert ids(ask(library, asked, diversity=0.9).by_collection["videos"]) == [near, far]
    assert ask(library, asked, diversity=0.0).hits == ask(library, asked).hits


def test_a_model_without_a_learnt_curve_is_said_to_be_provisional(library: Any) -> None:
    asked = library.image("asked", X)
    library.image("other", XY)

    assert any("'visual'" in note and "likewise calibrate" in note for note in ask(library, asked).notes)
    curve = LikenessCurve(0.0, 5.0, 1.0, -6.0, Background(0.2, 0.1), pairs=100, items=10)
    curves_of(library.store).save({library.spaces["visual"].fingerprint: {"image:image": curve}})
    (hit,) = ask(library, asked).hits

    assert hit.likeness == pytest.approx(curve.likeness(0.6))
    assert ask(library, asked).notes == ()


def test_where_one_edit_was_found_heavier_ones_are_looked_for_further_down(library: Any) -> None:
    asked = library.image("asked", X, fingerprints=(SAME,))
    light = library.image("light", X, fingerprints=(NEAR,))
    library.many_images(np.tile(np.array([X]), (40, 1)) + np.random.default_rng(0).normal(0, 0.1, (40, 4)))
    heavy = library.image("heavy", XY, fingerprints=(NEAR,))

    assert ids(ask(library, asked, limit=3).hits)[:2] == [light, heavy]
