"""Likeness curves: monotone, bounded, kept as JSON, and shipped for every model whose weights can be had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.likeness import curve as likeness_curve
from search.likeness.best_pairs import Background
from search.likeness.curve import SIMILAR, VERY_SIMILAR, Band, LikenessCurve, pair_of_kinds
from search.likeness.curves import METADATA_KEY, LikenessCurves, curves_of, read_curves, shipped
from search.media import Kind
from search.model_descriptions.registry import EFFICIENTNET_LITE0, LOGMEL, STYLE, frames_of
from search.similar.find import find_similar
from search.similar.questions import Question
from search.spaces import Space

CURVE = LikenessCurve(2.0, 3.0, 4.0, -5.0, Background(0.2, 0.1), pairs=40, items=8)


def test_a_curve_is_the_logistic_function_it_says() -> None:
    logit = 2 * np.log(0.8) - 3 * np.log(0.2) + 4 * 0.6 - 5

    assert CURVE.likeness(0.6) == pytest.approx(0.001 + 0.998 / (1 + np.exp(-logit)))


@pytest.mark.parametrize("curve", [CURVE, replace(CURVE, low=0.0, high=0.0), replace(CURVE, slope=0.0, high=0.0)])
def test_a_curve_increases_and_stays_a_probability(curve: LikenessCurve) -> None:
    likenesses = curve.likenesses(np.linspace(-1, 1, 501))

    assert (np.diff(likenesses) >= 0).all()
    assert 0 < likenesses[0] < likenesses[-1] < 1


def test_a_curve_survives_json_and_a_broken_one_is_refused() -> None:
    assert LikenessCurve.from_json(CURVE.to_json()) == CURVE
    for broken in ({"low": -1.0}, {"shift": float("nan")}, {"background": {"mean": 0.2, "deviation": 0.0}}):
        with pytest.raises(ValueError, match="no likeness curve"):
            LikenessCurve.from_json(CURVE.to_json() | broken)


@pytest.mark.parametrize(
    ("likeness", "band"),
    [
        (1.0, Band.VERY_SIMILAR),
        (VERY_SIMILAR, Band.VERY_SIMILAR),
        (0.899, Band.SIMILAR),
        (SIMILAR, Band.SIMILAR),
        (0.499, Band.WEAK),
        (0.0, Band.WEAK),
    ],
)
def test_bands_have_the_documented_limits(likeness: float, band: Band) -> None:
    assert Band.of(likeness) is band


def test_copies_rank_before_every_stranger() -> None:
    assert [band.value for band in sorted(Band, key=lambda band: band.rank)] == [
        "identical",
        "same picture",
        "edited copy",
        "very similar",
        "similar",
        "weak",
    ]


@pytest.mark.parametrize(
    ("space", "kinds"),
    [
        (EFFICIENTNET_LITE0.space("visual"), {"image:image", "image:video", "video:video"}),
        (frames_of(EFFICIENTNET_LITE0).space("motion"), {"video:video"}),
        (LOGMEL.space("sound"), {"audio:audio"}),
        (STYLE.space("style"), {"image:image"}),
    ],
)
def test_every_model_that_can_be_had_ships_its_curves(space: Space, kinds: set[str]) -> None:
    name, curves = shipped()[space.fingerprint]

    assert name == space.name
    assert curves.keys() == kinds
    for curve in curves.values():
        assert curve.pairs > 1000
        assert not curve.provisional
        likenesses = curve.likenesses(np.linspace(curve.background.mean, 1, 50))
        assert (np.diff(likenesses) >= 0).all()
        assert likenesses[0] < 0.5 < likenesses[-1]


def test_an_unknown_model_borrows_a_curve_and_says_so(library: Any) -> None:
    curve = LikenessCurves(library.store).curve(library.spaces["visual"], Kind.IMAGE, Kind.VIDEO)

    assert (curve.provisional, curve.pairs) == (True, 0)
    assert curve.high == shipped()[EFFICIENTNET_LITE0.space("visual").fingerprint][1]["image:video"].high


def test_a_curve_made_for_a_library_replaces_what_ships_and_is_seen_by_others(library: Any) -> None:
    ours, others = LikenessCurves(library.store), LikenessCurves(library.store)

    ours.save({library.spaces["visual"].fingerprint: {"image:image": CURVE}})

    assert ours.curve(library.spaces["visual"], Kind.IMAGE, Kind.IMAGE) == CURVE
    assert ours.curve(library.spaces["visual"], Kind.VIDEO, Kind.IMAGE) == CURVE  # the nearest there is
    assert others.curve(library.spaces["visual"], Kind.IMAGE, Kind.IMAGE) == CURVE
    assert library.spaces["visual"] not in ours.unlearnt()
    assert {space.name for space in ours.unlearnt()} == {"style", "motion", "sound"}


def test_what_a_library_has_learnt_for_photos_leaves_videos_their_curve(library: Any) -> None:
    space = EFFICIENTNET_LITE0.space("visual")
    curves = LikenessCurves(library.store)
    ships = shipped()[space.fingerprint][1]

    curves.save({space.fingerprint: {"image:image": CURVE}})

    assert curves.curve(space, Kind.IMAGE, Kind.IMAGE) == CURVE
    assert curves.curve(space, Kind.VIDEO, Kind.VIDEO) == ships["video:video"]
    curves.save({space.fingerprint: {"video:video": replace(CURVE, shift=-6.0)}})
    assert curves.curve(space, Kind.IMAGE, Kind.IMAGE) == CURVE
    assert curves.curve(space, Kind.VIDEO, Kind.VIDEO).shift == -6.0


def test_provisional_curves_never_replace_learnt_ones(library: Any) -> None:
    space = library.spaces["visual"]
    elsewhere, curves = LikenessCurves(library.store), LikenessCurves(library.store)
    assert space in curves.unlearnt()
    elsewhere.save({space.fingerprint: {"image:image": CURVE}})  # meanwhile, by another process

    curves.save_provisional({space.fingerprint: {"image:image": replace(CURVE, provisional=True)}})

    assert curves.curve(space, Kind.IMAGE, Kind.IMAGE) == CURVE


def test_a_model_that_nothing_could_be_learnt_for_is_not_tried_again(library: Any) -> None:
    curves = LikenessCurves(library.store)
    space = library.spaces["visual"]

    curves.save({space.fingerprint: {}})

    assert space not in curves.unlearnt()
    assert curves.curve(space, Kind.IMAGE, Kind.IMAGE).provisional


def test_a_damaged_curve_is_left_out(library: Any) -> None:
    damaged = {library.spaces["visual"].fingerprint: {"image:image": {"low": "much"}}}
    library.store.set_metadata("images", {METADATA_KEY: damaged})

    assert LikenessCurves(library.store).curve(library.spaces["visual"], Kind.IMAGE, Kind.IMAGE).provisional


def test_curves_learnt_by_another_formula_give_way_to_what_ships(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    space = EFFICIENTNET_LITE0.space("visual")
    ships = shipped()[space.fingerprint][1]
    LikenessCurves(library.store).save({space.fingerprint: {"image:image": CURVE, "video:video": CURVE}})

    monkeypatch.setattr(likeness_curve, "REVISION", likeness_curve.REVISION + 1)
    later = LikenessCurves(library.store)

    assert later.is_outdated(space)
    assert later.curve(space, Kind.IMAGE, Kind.IMAGE) == ships["image:image"]
    later.save({space.fingerprint: {"image:image": CURVE}})
    assert not later.is_outdated(space)
    assert later.curve(space, Kind.IMAGE, Kind.IMAGE) == CURVE
    assert later.curve(space, Kind.VIDEO, Kind.VIDEO) == ships["video:video"]


def test_an_answer_says_that_curves_of_another_formula_are_not_used(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = library.image("a", [1, 0, 0, 0])
    library.image("b", [1, 0.1, 0, 0])
    question = Question((asked,))
    learnt = replace(CURVE, shift=-9.0)
    curves_of(library.store).save({library.spaces["visual"].fingerprint: {"image:image": learnt}})
    [before] = find_similar(library.store, question).hits
    shipped()

    monkeypatch.setattr(likeness_curve, "REVISION", likeness_curve.REVISION + 1)
    curves_of(library.store).save({})  # nothing; reads anew
    answer = find_similar(library.store, question)

    assert [note for note in answer.notes if "'visual' are of another version's formula" in note]
    assert answer.hits[0].likeness != before.likeness
    assert library.spaces["visual"] in curves_of(library.store).unlearnt()


def test_curves_of_version_0_1_carry_no_revision_and_are_read(library: Any) -> None:
    stored = {kind: value for kind, value in CURVE.to_json().items() if kind != "revision"}
    space = library.spaces["visual"]
    library.store.set_metadata("images", {METADATA_KEY: {space.fingerprint: {"image:image": stored}}})

    assert LikenessCurves(library.store).curve(space, Kind.IMAGE, Kind.IMAGE) == CURVE


def test_curves_are_read_by_pair_of_kinds() -> None:
    assert pair_of_kinds(Kind.VIDEO, Kind.IMAGE) == pair_of_kinds(Kind.IMAGE, Kind.VIDEO) == "image:video"
    assert read_curves({"image:video": CURVE.to_json()}) == {"image:video": CURVE}
