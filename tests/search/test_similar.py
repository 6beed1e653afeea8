"""What find-similar answers, on vectors whose cosines can be worked out in the head."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.errors import NotFoundError, SpaceMismatchError, UsageError
from search.media import Kind
from search.records.lookup import probe_of
from search.similar.find import find_similar
from search.similar.questions import Probe, Question, Relation, SimilarAnswer, SimilarHit, Via
from search.spaces import Space, VectorField
from search.store.filters import Filter

X, Y, Z, W = ([1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0])
XY = [0.6, 0.8, 0, 0]
SCENE = Space("scene", "hand", "1", "none", 4)

SAME = "f" * 64
NEAR = "f" * 60 + "0000"  # 16 bits away
FAR = "f" * 48 + "0" * 16  # 64 bits away


def upload(library: Any, kind: Kind, vectors: dict[str, Any], **facts: Any) -> Probe:
    rows = {space: np.array(rows, np.float32) for space, rows in vectors.items()}
    return Probe(kind, rows, {space: library.spaces[space].fingerprint for space in rows}, **facts)


def ask(library: Any, *like: str | Probe, **rest: Any) -> SimilarAnswer:
    return find_similar(library.store, Question(like, **rest))


def ids(hits: tuple[SimilarHit, ...]) -> list[str]:
    return [hit.id for hit in hits]


def only(hits: tuple[SimilarHit, ...]) -> SimilarHit:
    assert len(hits) == 1
    return hits[0]


def test_a_stored_picture_finds_others_by_cosine_and_not_itself(library: Any) -> None:
    asked = library.image("asked", X)
    far, close = library.image("far", Y), library.image("close", XY)

    answer = ask(library, asked)

    assert ids(answer.hits) == [close, far]
    assert [hit.score for hit in answer.hits] == pytest.approx([0.6, 0.0], abs=1e-6)
    assert answer.hits[0].match > answer.hits[1].match
    assert answer.hits[0].likeness > answer.hits[1].likeness
    assert (answer.hits[0].space, answer.hits[0].kind) == ("visual", Kind.IMAGE)


def test_a_photo_finds_the_moment_of_a_video_that_shows_it(library: Any) -> None:
    video = library.video("film", [X, Y, Z], moments=(0.0, 5.5, 9.25))

    hit = only(ask(library, upload(library, Kind.IMAGE, {"visual": [Y]})).by_collection["videos"])

    assert (hit.id, hit.score, hit.moment) == (video, pytest.approx(1.0), 5.5)


def test_a_video_finds_pictures_by_the_best_of_its_key_frames(library: Any) -> None:
    asked = library.video("film", [X, Y])
    half = library.image("half", [0, 0.8, 0.6, 0])
    other = library.image("other", W)

    answer = ask(library, asked, collections=("images",))

    assert ids(answer.hits) == [half, other]
    assert answer.hits[0].score == pytest.approx(0.8)
    assert answer.hits[0].moment is None


def test_videos_compare_by_their_best_pair_of_key_frames(library: Any) -> None:
    asked = library.video("asked", [X, Y])
    other = library.video("other", [[0, 0, 0.6, 0.8], Z, [0.8, 0, 0.6, 0]], moments=(1.0, 2.0, 3.0))

    hit = only(ask(library, asked, spaces=("visual",)).hits)

    assert (hit.id, hit.score, hit.moment) == (other, pytest.approx(0.8), 3.0)


def test_a_video_found_in_several_spaces_is_one_hit_with_its_best_match(library: Any) -> None:
    asked = library.video("asked", [X], sound=X, motion=X)
    other = library.video("other", [[0.1, 0.99, 0, 0]], sound=XY, motion=X)

    hit = only(ask(library, asked).hits)

    assert (hit.id, hit.space, hit.score) == (other, "motion", pytest.approx(1.0))
    each = [only(ask(library, asked, spaces=(space,)).hits).likeness for space in ("visual", "sound", "motion")]
    assert hit.likeness == max(each)
    assert hit.moment is None


def test_sounds_find_sound_tracks_and_the_other_way_round(library: Any) -> None:
    sound = library.audio("bell", X)
    video = library.video("belfry", [Z], sound=XY)

    assert only(ask(library, sound).by_collection["videos"]).id == video
    found = only(ask(library, video).by_collection["audio"])
    assert (found.id, found.space, found.score, found.via) == (sound, "sound", pytest.approx(0.6), None)


def test_raw_vectors_are_never_asked(library: Any) -> None:
    asked = library.audio("asked", X)
    library.audio("other", XY)

    assert {hit.space for hit in ask(library, asked).hits} == {"sound"}
    with pytest.raises(UsageError, match="sound_raw"):
        ask(library, asked, spaces=("sound_raw",))


def test_a_photo_reaches_sounds_through_the_video_that_looks_like_it(library: Any) -> None:
    bridge = library.video("belfry", [Z, X], moments=(0.0, 7.0), sound=Y)
    library.video("elsewhere", [W], sound=Z)
    bell = library.audio("bell", Y)
    photo = upload(library, Kind.IMAGE, {"visual": [X]})

    hit = only(ask(library, photo).by_collection["audio"])

    assert (hit.id, hit.via, hit.space, hit.score) == (bell, Via(bridge, 7.0), "sound", pytest.approx(1.0))
    direct = only(ask(library, upload(library, Kind.AUDIO, {"sound": [Y]}), collections=("audio",)).hits)
    assert hit.likeness < direct.likeness
    assert ask(library, photo, pivot=False).by_collection["audio"] == ()


def test_a_sound_reaches_pictures_through_the_video_that_sounds_like_it(library: Any) -> None:
    bridge = library.video("belfry", [Z, X], moments=(0.0, 7.0), sound=Y)
    tower = library.image("tower", X)
    bell = library.audio("bell", Y)

    hit = only(ask(library, bell).by_collection["images"])

    assert (hit.id, hit.via, hit.space) == (tower, Via(bridge, 7.0), "visual")
    assert ask(library, bell, spaces=("sound",)).by_collection["images"] == ()


def test_what_can_be_compared_directly_is_not_reached_by_pivot(library: Any) -> None:
    asked = library.video("asked", [X], sound=Y)
    library.video("bridge", [Z], sound=Y)
    library.image("unlike", Z, tags=("red",))

    answer = ask(library, asked, where=Filter(tags=("blue",)))

    assert answer.by_collection["images"] == ()
    assert [hit.via for hit in ask(library, asked).by_collection["images"]] == [None]


def test_a_video_nothing_like_the_photo_is_no_bridge(library: Any) -> None:
    library.video("elsewhere", [W], sound=Y)
    library.audio("bell", Y)

    answer = ask(library, upload(library, Kind.IMAGE, {"visual": [X]}))

    assert answer.by_collection["audio"] == ()


def test_an_uploads_own_content_comes_first_even_when_something_scores_higher(library: Any) -> None:
    own = library.image("own", XY)
    closer = library.image("closer", X)

    answer = ask(library, upload(library, Kind.IMAGE, {"visual": [X]}, media_id=own))

    assert [(hit.id, hit.relation) for hit in answer.hits] == [
        (own, Relation.EXACT_COPY),
        (closer, Relation.SIMILAR),
    ]
    assert answer.by_collection["images"][0].id == own


@pytest.mark.parametrize(
    ("vector", "fingerprint", "relation"),
    [
        (XY, NEAR, Relation.EDITED_COPY),
        (XY, FAR, Relation.SIMILAR),
        (Y, NEAR, Relation.SIMILAR),
    ],
)
def test_a_near_duplicate_needs_fingerprint_and_vector(
    library: Any, vector: list[float], fingerprint: str, relation: Relation
) -> None:
    asked = library.image("asked", X, fingerprints=(SAME,))
    library.image("edit", vector, fingerprints=(fingerprint,))

    assert only(ask(library, asked).hits).relation is relation


def test_near_duplicates_come_before_what_is_merely_alike(library: Any) -> None:
    asked = library.image("asked", X, fingerprints=(SAME,))
    alike = library.image("alike", X, fingerprints=(FAR,))
    edit = library.image("edit", XY, fingerprints=(NEAR,))

    assert ids(ask(library, asked).hits) == [edit, alike]


def test_filters_narrow_every_collection_and_missing_is_hidden(library: Any) -> None:
    asked = library.image("asked", X)
    red = library.image("red", XY, tags=("red",))
    library.image("blue", X, tags=("blue",))
    library.image("gone", X, tags=("red",), missing=True)
    film = library.video("film", [X], tags=("red",))
    library.video("plain", [X])

    answer = ask(library, asked, where=Filter(tags=("red",)))

    assert ids(answer.by_collection["images"]) == [red]
    assert ids(answer.by_collection["videos"]) == [film]
    assert ids(ask(library, asked, where=Filter(tags=("red",), kinds=("video",))).hits) == [film]


def test_filters_narrow_what_a_pivot_finds(library: Any) -> None:
    library.video("belfry", [X], sound=Y)
    low = library.audio("low", Y, tags=("low",))
    library.audio("high", Y, tags=("high",))

    answer = ask(library, upload(library, Kind.IMAGE, {"visual": [X]}), where=Filter(tags=("low",)))

    assert ids(answer.by_collection["audio"]) == [low]


def test_several_positives_and_a_negative_make_one_question(library: Any) -> None:
    first, second, bad = library.image("first", X), library.image("second", Y), library.image("bad", Z)
    both = library.image("both", [0.7, 0.7, 0, 0])
    spoiled = library.image("spoiled", [0.6, 0.6, 0.5, 0])

    answer = ask(library, first, second, unlike=(bad,))

    assert ids(answer.hits) == [both, spoiled]
    # 2 · (X + Y) / 2 − Z = (1, 1, −1), against (1, 1, 0) / √2.
    assert answer.hits[0].score == pytest.approx(2 / math.sqrt(6))


def test_limit_and_stored_examples_leave_a_full_list(library: Any) -> None:
    asked = [library.image(f"asked {at}", X) for at in range(3)]
    others = {library.image(f"other {at}", X) for at in range(3)}

    assert set(ids(ask(library, *asked, limit=2).hits)) < others


def test_ties_come_in_the_same_order_every_time(library: Any) -> None:
    asked = library.image("asked", X)
    others = [library.image(f"other {at}", XY) for at in range(5)]

    assert ids(ask(library, asked).hits) == sorted(others)


def test_exact_and_approximate_answers_agree_on_a_small_library(library: Any) -> None:
    found = library.many_images(np.random.default_rng(0).normal(size=(40, 4)))

    assert ids(ask(library, found[0], exact=True).hits) == ids(ask(library, found[0]).hits)


def test_a_vector_of_another_model_is_refused_naming_both_sides(library: Any) -> None:
    library.image("stored", X)
    foreign = replace(library.spaces["visual"], model="other")
    probe = Probe(Kind.IMAGE, {"visual": np.array([X], np.float32)}, {"visual": foreign.fingerprint}, name="new.jpg")

    with pytest.raises(SpaceMismatchError) as caught:
        ask(library, probe)

    for named in ("new.jpg", foreign.fingerprint, library.spaces["visual"].fingerprint, "images"):
        assert named in str(caught.value)


def test_what_cannot_be_asked_is_refused_in_words(library: Any) -> None:
    stored = library.image("stored", X)

    with pytest.raises(UsageError, match="at least one"):
        ask(library)
    with pytest.raises(UsageError, match="0 answers"):
        ask(library, stored, limit=0)
    with pytest.raises(UsageError, match="'pictures'"):
        ask(library, stored, collections=("pictures",))
    with pytest.raises(UsageError, match="'taste'"):
        ask(library, stored, spaces=("taste",))
    with pytest.raises(NotFoundError, match="no-such-id"):
        ask(library, stored, unlike=("no-such-id",))


def test_a_space_the_example_lacks_is_noted(library: Any) -> None:
    stored = library.image("stored", X)
    library.audio("bell", X)

    answer = ask(library, stored, spaces=("sound",), pivot=False)

    assert answer.hits == ()
    assert any("'sound'" in note for note in answer.notes)


def test_the_embedded_store_answers_alike(embedded_library: Any) -> None:
    bridge = embedded_library.video("belfry", [Z, X], moments=(0.0, 7.0), sound=Y)
    bell = embedded_library.audio("bell", Y)
    asked = embedded_library.image("asked", X)
    close = embedded_library.image("close", XY)

    answer = ask(embedded_library, asked)

    assert [(hit.id, hit.moment, hit.via) for hit in answer.by_collection["videos"]] == [(bridge, 7.0, None)]
    assert ids(answer.hits) == [close, bridge, bell]
    assert only(answer.by_collection["images"]).id == close
    assert only(answer.by_collection["audio"]).via == Via(bridge, 7.0)
    assert only(answer.by_collection["audio"]).id == bell


def test_an_empty_library_answers_nothing_and_says_so(library: Any) -> None:
    answer = ask(library, upload(library, Kind.IMAGE, {"visual": [X]}))

    assert answer.hits == ()
    assert list(answer.by_collection) == ["images", "videos", "audio"]
    assert answer.notes


def test_the_question_is_echoed_and_addresses_are_of_the_web(library: Any) -> None:
    stored = library.image("stored", X)
    pictured = library.image("pictured", XY, thumbnail="ab/cd.webp")

    answer = ask(library, stored, limit=3)

    assert json.loads(json.dumps(answer.query))["like"] == [stored]
    assert only(answer.hits).thumbnail == f"/media/{pictured}/preview"
    assert answer.took_ms > 0


def test_a_probe_of_stored_media_carries_what_a_question_needs(library: Any) -> None:
    video = library.video("film", [X, Y], sound=Z, moments=(0.0, 2.0), fingerprints=(SAME,), duration=4.0)

    probe = probe_of(library.store, video)

    assert set(probe.vectors) == {"visual", "sound"}
    assert probe.spaces["visual"] == library.spaces["visual"].fingerprint
    assert (probe.moments, probe.fingerprints, probe.duration) == ((0.0, 2.0), (SAME,), 4.0)
    np.testing.assert_allclose(probe.vectors["visual"], [X, Y], atol=1e-6)
    with pytest.raises(NotFoundError):
        probe_of(library.store, "00000000-0000-0000-0000-000000000000")


def test_what_moves_alike_answers_by_name_once_scenes_are_kept_apart(embedded_library: Any) -> None:
    library = embedded_library
    schema = library.store.schema("videos")
    library.store.ensure(replace(schema, fields=(*schema.fields, VectorField(SCENE))))
    vectors = {"visual": [X], "scene": [X], "motion": [X]}
    asked = library.add(Kind.VIDEO, "asked", vectors)
    same_scene = library.add(Kind.VIDEO, "same scene", {"visual": [X], "scene": [X], "motion": [Y]})
    moves_alike = library.add(Kind.VIDEO, "moves alike", {"visual": [Y], "scene": [Y], "motion": [X]})
    still = library.add(Kind.VIDEO, "still", {"visual": [Y], "scene": [Y]})

    unnamed = ask(library, asked).hits
    assert unnamed[0].id == same_scene
    assert "motion" not in {hit.space for hit in unnamed}
    named = ask(library, asked, spaces=("motion",)).hits
    assert (named[0].id, named[0].space) == (moves_alike, "motion")
    assert ask(library, still, spaces=("motion",)).notes[0] == "No example has a vector in the space 'motion'."
