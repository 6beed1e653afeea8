"""Four relations in groups and answers: the same bytes, the same pixels, an edit, another shot of a burst."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search.likeness.curve import Band
from search.media import media_id
from search.similar.duplicates import DuplicateGroup, find_duplicates
from search.similar.find import find_similar
from search.similar.questions import Probe, Question, Relation
from search.similar.shots import Comparisons, Shot

X = [1.0, 0, 0, 0]
NEAR_X = [0.8, 0.6, 0, 0]
TIME = "2024-05-06T10:20:{:02}"


class Moved:
    """Previews whose names begin with the same letter show one moment."""

    def moved(self, one: Shot, other: Shot) -> bool | None:
        if not isinstance(one.preview, str) or not isinstance(other.preview, str):
            return None
        return one.preview[0] != other.preview[0]


def flipped(bits: int) -> tuple[str]:
    return (f"{(1 << bits) - 1:064x}",)


def shot(library: Any, name: str, bits: int = 0, visual: list[float] = X, **facts: object) -> str:
    shown = {"width": 600, "height": 400, "size": 1000, "thumbnail": name, "fingerprints": flipped(bits)}
    added: str = library.image(name, visual, **(shown | facts))
    return added


def groups(library: Any) -> list[DuplicateGroup]:
    return list(find_duplicates(library.store, comparisons=Comparisons(Moved())))


def names(group: DuplicateGroup) -> list[str]:
    return [Path(path).name for member in group.members for path in member.paths]


def asked(library: Any, id_: str | Probe) -> dict[str, tuple[Relation, Band]]:
    answer = find_similar(library.store, Question((id_,)), Comparisons(Moved()))
    return {Path(hit.paths[0]).name: (hit.relation, hit.band) for hit in answer.hits}


def test_shots_a_second_apart_are_a_burst_also_of_still_things(library: Any) -> None:
    first = shot(library, "a1", 0, taken_at=TIME.format(1), camera="Acme")
    for at in range(2, 6):
        shot(library, f"a{at}", 2 * at, taken_at=TIME.format(at), camera="Acme")

    [group] = groups(library)

    assert (group.relation, names(group)) == (Relation.BURST, ["a1", "a2", "a3", "a4", "a5"])
    assert (group.keep, group.spare, [member.removable for member in group.members]) == (None, 0, [False] * 5)
    assert set(asked(library, first).values()) == {(Relation.BURST, Band.VERY_SIMILAR)}


def test_without_times_what_moved_tells_a_burst(library: Any) -> None:
    first = shot(library, "a")
    shot(library, "b", 4)
    shot(library, "c", 8)

    [group] = groups(library)

    assert (group.relation, sorted(names(group)), group.spare) == (Relation.BURST, ["a", "b", "c"], 0)
    assert {relation for relation, _ in asked(library, first).values()} == {Relation.BURST}


def test_edits_are_counted_only_where_they_are_surely_no_other_shot(library: Any) -> None:
    shot(library, "a-kept", 0, size=5000)
    shot(library, "a-small", 2, width=300, height=200, size=700)
    shot(library, "a-equal", 4, size=4000)

    [group] = groups(library)

    assert (group.relation, names(group)) == (Relation.EDITED_COPY, ["a-kept", "a-equal", "a-small"])
    assert [member.removable for member in group.members] == [False, False, True]
    assert (group.keep, group.spare) == (media_id("a-kept"), 700)


def test_with_nothing_to_compare_no_picture_of_equal_size_is_counted(library: Any) -> None:
    for at in range(3):
        shot(library, f"a{at}", at, thumbnail=None, camera="Acme", taken_at=None if at else TIME.format(1))

    [group] = groups(library)

    assert (group.relation, group.spare) == (Relation.EDITED_COPY, 0)
    assert not any(member.removable for member in group.members)


def test_edits_of_two_shots_do_not_make_one_content_of_them(library: Any) -> None:
    """An edit without a time that looks like both shots of something still is of one of them, and not of both."""
    shot(library, "a1", 0, taken_at=TIME.format(1), camera="Acme", size=9000)
    shot(library, "a2", 8, taken_at=TIME.format(2), camera="Acme", size=9000)
    shot(library, "a-small", 1, width=300, height=200, size=10)

    edits, burst = groups(library)

    assert (edits.relation, names(edits), edits.spare) == (Relation.EDITED_COPY, ["a1", "a-small"], 10)
    assert (burst.relation, names(burst), burst.spare) == (Relation.BURST, ["a1", "a2"], 0)


def test_a_bracket_of_exposures_is_a_burst(library: Any) -> None:
    for at, exposure in enumerate((0.0025, 0.01, 0.04)):
        shot(library, f"a{at}", 3 * at, taken_at=TIME.format(1), camera="Acme", exposure=exposure)

    [group] = groups(library)

    assert (group.relation, len(group.members), group.spare) == (Relation.BURST, 3, 0)


def test_parts_of_a_panorama_are_a_burst_though_no_fingerprint_is_near(library: Any) -> None:
    first = shot(library, "a", 0, taken_at=TIME.format(1), camera="Acme")
    shot(library, "b", 120, NEAR_X, taken_at=TIME.format(4), camera="Acme")
    shot(library, "later", 120, NEAR_X, taken_at=TIME.format(40), camera="Acme")
    shot(library, "other", 120, NEAR_X, taken_at=TIME.format(5), camera="Other")
    shot(library, "unlike", 200, [0, 0, 1.0, 0], taken_at=TIME.format(3), camera="Acme")

    assert [(group.relation, names(group)) for group in groups(library)] == [(Relation.BURST, ["a", "b"])]
    hits = asked(library, first)
    assert hits["b"] == (Relation.BURST, Band.VERY_SIMILAR)
    assert {hits["later"][0], hits["other"][0]} == {Relation.SIMILAR}


def test_moments_that_are_far_apart_are_neither_edits_nor_a_burst(library: Any) -> None:
    first = shot(library, "a", 0, taken_at="2024-05-06T10:20:30", camera="Acme")
    shot(library, "b", 2, taken_at="2024-05-06T10:30:30", camera="Acme")

    assert groups(library) == []
    assert asked(library, first)["b"][0] is Relation.SIMILAR


def test_equal_pixels_with_other_metadata_are_told_and_the_one_that_says_more_is_kept(library: Any) -> None:
    same = {"pixel_hash": "ab" * 32}
    more = {"taken_at": TIME.format(1), "camera": "Acme", "latitude": 48.5, "longitude": 9.25, "photographer": "Ada"}
    bare = shot(library, "a-bare", 0, size=900, **same)
    said = shot(library, "a-said", 0, size=800, **same, **more)
    shot(library, "a-turned", 0, width=400, height=600, size=800, **same)

    group = groups(library)[0]

    assert (group.relation, names(group)) == (Relation.SAME_PICTURE, ["a-said", "a-bare"])
    assert (group.keep, group.spare) == (said, 900)
    assert [member.removable for member in group.members] == [False, True]
    differing = {one.field: one.values for one in group.differing}
    assert differing == {
        "taken_at": (TIME.format(1), None),
        "photographer": ("Ada", None),
        "camera": ("Acme", None),
        "place": ("48.50000, 9.25000", None),
        "size": (800, 900),
    }
    assert asked(library, bare)["a-said"] == (Relation.SAME_PICTURE, Band.SAME_PICTURE)


def test_what_may_hold_more_than_eight_bits_is_not_proposed_for_removal(library: Any) -> None:
    same = {"pixel_hash": "ab" * 32, "mime": "image/png"}
    kept = shot(library, "kept", 0, size=800, camera="Acme", photographer="Ada", **same)
    shot(library, "of-16-bits", 0, size=1700, **same)
    shot(library, "tiff", 0, size=900, **{**same, "mime": "image/tiff"})
    shot(library, "bare", 0, size=790, **same)

    group = groups(library)[0]

    assert (group.keep, group.spare) == (kept, 790)
    assert {name for name, member in zip(names(group), group.members, strict=True) if member.removable} == {"bare"}


def test_equal_pixels_need_no_fingerprint_and_count_once_beside_an_edit(library: Any) -> None:
    for name in ("plain1", "plain2"):
        shot(library, name, fingerprints=(), pixel_hash="cd" * 32)
    for name in ("a1", "a2"):
        shot(library, name, 0, pixel_hash="ab" * 32)
    shot(library, "a-small", 1, width=300, height=200, size=10)

    found = groups(library)

    assert [group.relation for group in found] == [Relation.SAME_PICTURE] * 2 + [Relation.EDITED_COPY]
    assert [group.spare for group in found] == [1000, 1000, 10]
    assert len(names(found[2])) == 2


def test_records_of_before_have_no_such_relation(library: Any) -> None:
    shot(library, "a1", fingerprints=())
    shot(library, "a2", fingerprints=())
    assert groups(library) == []


def test_groups_come_as_copies_first_and_bursts_last(library: Any) -> None:
    shot(library, "burst1", 0, taken_at=TIME.format(1))
    shot(library, "burst2", 1, taken_at=TIME.format(2))
    shot(library, "edit1", 100)
    shot(library, "edit2", 101, width=30, height=20)
    shot(library, "same1", 200, pixel_hash="ab" * 32)
    shot(library, "same2", 200, pixel_hash="ab" * 32)
    shot(library, "exact", fingerprints=(), paths=("/library/e1", "/library/e2"))

    assert [group.relation for group in groups(library)] == [
        Relation.EXACT_COPY,
        Relation.SAME_PICTURE,
        Relation.EDITED_COPY,
        Relation.BURST,
    ]


@pytest.mark.parametrize(
    ("facts", "relation"),
    [
        ({"taken_at": TIME.format(2), "camera": "Acme"}, Relation.BURST),
        ({"pixel_hash": "ab" * 32}, Relation.SAME_PICTURE),
        ({}, Relation.EDITED_COPY),
    ],
)
def test_an_uploaded_picture_is_told_from_another_shot(
    library: Any, facts: dict[str, object], relation: Relation
) -> None:
    shot(library, "a", 0, taken_at=TIME.format(1), camera="Acme", pixel_hash="ab" * 32)
    stored = library.spaces["visual"]
    rows = library.store.retrieve("images", [media_id("a")], vectors=["visual"])[0].vectors["visual"]
    probe = Probe(
        kind=library.store.schema("images").kind,
        vectors={"visual": rows},
        spaces={"visual": stored.fingerprint},
        fingerprints=flipped(1),
        shot=Shot(600, 400, **facts),
    )
    assert asked(library, probe)["a"][0] is relation
