"""Exact copies, edits, and what is neither."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.errors import UsageError
from search.media import Kind
from search.similar.duplicates import DuplicateGroup, find_duplicates, fingerprint_distance, is_near_duplicate
from search.similar.near import PICTURE_BITS, SOUND_BITS
from search.similar.questions import Probe, Relation
from search.store.filters import Filter

X, Y = [1.0, 0, 0, 0], [0, 1.0, 0, 0]
XY = [0.8, 0.6, 0, 0]


def flipped(bits: int, start: int = 0) -> str:
    """The fingerprint of zeros with ``bits`` ones from ``start`` on."""
    return f"{((1 << bits) - 1) << start:064x}"


def media(kind: Kind, *fingerprints: str, duration: float | None = None) -> Probe:
    return Probe(kind, {}, {}, fingerprints=fingerprints, duration=duration)


def names(groups: tuple[DuplicateGroup, ...]) -> list[list[str]]:
    return [sorted(Path(path).name for member in group.members for path in member.paths) for group in groups]


def test_the_distance_is_the_number_of_differing_bits() -> None:
    assert fingerprint_distance("00ff", "00ff") == 0
    assert fingerprint_distance("00ff", "01fe") == 2
    assert fingerprint_distance(flipped(31), flipped(0)) == 31


@pytest.mark.parametrize(("a", "b"), [("00", "0000"), ("zz", "00")])
def test_what_is_not_a_pair_of_fingerprints_is_refused(a: str, b: str) -> None:
    with pytest.raises(UsageError):
        fingerprint_distance(a, b)


def test_pictures_need_fingerprint_and_vector() -> None:
    a = media(Kind.IMAGE, flipped(0))

    assert is_near_duplicate(a, media(Kind.IMAGE, flipped(PICTURE_BITS)), 0.9)
    assert not is_near_duplicate(a, media(Kind.IMAGE, flipped(PICTURE_BITS + 1)), 0.9)
    assert not is_near_duplicate(a, media(Kind.IMAGE, flipped(0)), 0.2)
    assert not is_near_duplicate(a, media(Kind.IMAGE), 1.0)
    assert not is_near_duplicate(a, media(Kind.VIDEO, flipped(0)), 1.0)


def test_videos_need_half_of_the_shorter_ones_key_frames() -> None:
    frames = [flipped(60, at * 60) for at in range(4)]
    whole = media(Kind.VIDEO, *frames)

    assert is_near_duplicate(whole, media(Kind.VIDEO, frames[3]), 0.9)
    assert is_near_duplicate(media(Kind.VIDEO, frames[3]), whole, 0.9)
    assert is_near_duplicate(whole, media(Kind.VIDEO, frames[0], flipped(128)), 0.9)
    assert not is_near_duplicate(whole, media(Kind.VIDEO, frames[0], flipped(128), flipped(128, 90)), 0.9)


def test_a_logo_over_every_key_frame_makes_no_other_video() -> None:
    frames = [flipped(60, at * 60) for at in range(4)]
    logo = int(flipped(16, 240), 16)
    marked = [f"{int(frame, 16) ^ logo ^ int(flipped(24, at * 9), 16):064x}" for at, frame in enumerate(frames)]

    assert min(fingerprint_distance(a, b) for a, b in zip(frames, marked, strict=True)) > PICTURE_BITS
    assert is_near_duplicate(media(Kind.VIDEO, *frames), media(Kind.VIDEO, *marked), 0.9)


def test_two_films_of_one_fixed_camera_are_not_edits_of_one_another() -> None:
    # Twelve bits flicker from frame to frame; the frames of the two films are as near each other as among themselves.
    first = [flipped(12, 12 * at) for at in range(5)]
    second = [flipped(12, 12 * at + 66) for at in range(5)]

    assert max(fingerprint_distance(a, b) for a in first for b in second) <= PICTURE_BITS
    assert not is_near_duplicate(media(Kind.VIDEO, *first), media(Kind.VIDEO, *second), 0.99)


def test_sounds_need_fingerprint_and_duration() -> None:
    a = media(Kind.AUDIO, flipped(0), duration=12.3)

    assert is_near_duplicate(a, media(Kind.AUDIO, flipped(SOUND_BITS), duration=12.6), -0.5)
    assert not is_near_duplicate(a, media(Kind.AUDIO, flipped(SOUND_BITS + 1), duration=12.3), 1.0)
    assert not is_near_duplicate(a, media(Kind.AUDIO, flipped(0), duration=14.0), 1.0)


def test_exact_copies_are_one_record_at_several_paths(library: Any) -> None:
    library.image("alone", X)
    library.image("kept", X, paths=("/library/copy.jpg", "/library/kept.jpg"), thumbnail="a.webp")

    [group] = find_duplicates(library.store)

    assert (group.relation, group.kind) == (Relation.EXACT_COPY, Kind.IMAGE)
    assert group.members[0].paths == ("/library/copy.jpg", "/library/kept.jpg")
    assert group.members[0].thumbnail == f"/media/{group.members[0].id}/preview"


def test_edits_are_grouped_with_the_largest_first(library: Any) -> None:
    library.image("small", X, fingerprints=(flipped(0),), width=10, height=10)
    library.image("large", XY, fingerprints=(flipped(6),), width=90, height=90)
    library.image("equal", X, fingerprints=(flipped(0),), width=20, height=20)
    library.image("alike", X, fingerprints=(flipped(100),))
    library.image("chance", [0, 0, 1.0, 0], fingerprints=(flipped(0),))
    library.image("plain", X)

    [group] = find_duplicates(library.store)

    assert group.relation is Relation.EDITED_COPY
    assert [Path(member.paths[0]).name for member in group.members] == ["large", "equal", "small"]


def test_a_chain_of_gradual_changes_is_not_one_group(library: Any) -> None:
    for step in range(9):
        library.image(f"step{step}", X, fingerprints=(flipped(20 * step),))

    groups = find_duplicates(library.store)

    assert len(groups) > 1
    assert sorted({name for group in names(groups) for name in group}) == [f"step{step}" for step in range(9)]
    for group in names(groups):
        steps = [int(name[-1]) for name in group]
        assert 20 * (max(steps) - min(steps)) <= 4 * PICTURE_BITS


def test_videos_that_share_only_a_title_are_apart(library: Any) -> None:
    title = flipped(128)
    for at, start in enumerate((0, 64, 128)):
        frames = (flipped(50, start), flipped(60, start), title)
        library.video(f"film{at}", [X, X, X], fingerprints=frames)
    library.video("cut", [X], fingerprints=(flipped(50, 64),))

    assert names(find_duplicates(library.store)) == [["cut", "film1"]]


def test_one_recording_in_two_encodings_is_found_and_collections_filters_and_near_narrow(library: Any) -> None:
    library.audio("bell.wav", X, fingerprints=(flipped(0),), duration=3.0)
    library.audio("bell.mp3", Y, fingerprints=(flipped(40),), duration=3.1)
    library.audio("bell.cut", X, fingerprints=(flipped(0),), duration=1.5)

    assert names(find_duplicates(library.store)) == [["bell.mp3", "bell.wav"]]
    assert find_duplicates(library.store, collections=("images",)) == ()
    assert find_duplicates(library.store, near=False) == ()
    assert find_duplicates(library.store, where=Filter(max_duration=2.0)) == ()


def test_edits_of_the_labelled_pictures_are_found_and_other_pictures_are_not(library: Any, shared_data: Path) -> None:
    """The fingerprints alone, on real files: the vectors, made equal here, can only remove pairs."""
    image = pytest.importorskip("PIL.Image")
    perceptual = pytest.importorskip("workers.decode.perceptual")
    unlike = ("rotate", "flip", "letterboxed")
    folder = shared_data / "images_neardup"
    wanted = set()
    with (folder / "manifest.csv").open(encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            if row["decodes"] != "1":
                continue
            with image.open(folder / row["path"]) as picture:
                fingerprint = perceptual.picture_fingerprint(picture.convert("RGB"))
            library.image(row["path"], X, fingerprints=(fingerprint,) if fingerprint else ())
            if row["label"] == "bridge" and not any(word in row["transform"] for word in unlike):
                wanted.add(f"/library/{row['path']}")

    groups = find_duplicates(library.store)

    found = {path for group in groups for member in group.members for path in member.paths}
    assert found == wanted
    assert len(wanted) == 21


def test_many_copies_of_one_fingerprint_stay_affordable(library: Any) -> None:
    rows = np.tile(np.array(X, np.float32), (150, 1))
    records = library.many_images(rows)
    library.store.patch_payload("images", {media_id: {"fingerprints": [flipped(9)]} for media_id in records})

    [group] = find_duplicates(library.store)

    assert len(group.members) == 150
