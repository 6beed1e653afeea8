"""Which span of a film or sound is in which other, by fingerprints over time."""

from __future__ import annotations

import numpy as np
import pytest

from search.errors import StoreError
from search.similar.reuse.films import shared_runs
from search.similar.reuse.footprints import Footprints, flipped, no_frames
from search.similar.reuse.overlaps import Overlap
from search.similar.reuse.search import find_overlaps
from workers.decode.fingerprints.frames import frame_fingerprint
from workers.decode.fingerprints.landmarks import SoundLandmarks, sound_landmarks

RATE = 16_000


def film(seed: int, frames: int) -> np.ndarray:
    """Fingerprints of a film in which everything changes all the time."""
    return np.random.default_rng(seed).integers(0, 256, (frames, 32), np.uint8)


def edited(frames: np.ndarray, bits: int = 20) -> np.ndarray:
    """The film with some bits of each frame changed, as editing and coding do."""
    rng = np.random.default_rng(0)
    changed = np.unpackbits(frames, axis=1)
    for row in changed:
        row[rng.choice(256, bits, replace=False)] ^= 1
    return np.packbits(changed, axis=1)


def song(seed: int, seconds: float) -> np.ndarray:
    """Notes of a quarter of a second."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(0.25 * RATE)) / RATE
    notes = [np.sin(2 * np.pi * rng.uniform(200, 3000) * at) * np.exp(-6 * at) for _ in range(round(4 * seconds))]
    return (np.concatenate(notes) * 0.5).astype(np.float32)


def found(wanted: list[str], library: dict[str, Footprints]) -> list[Overlap]:
    return sorted(find_overlaps(wanted, list(library), library.get), key=lambda one: (one.one, one.other))


def test_a_span_between_other_footage_is_found_with_its_times() -> None:
    whole = film(1, 80)
    between = np.concatenate([film(2, 21), edited(whole[30:50]), film(3, 30)])
    (run,) = shared_runs(whole, between)
    assert (run.start, run.other_start, run.frames, run.matches) == (30, 21, 20, 20)


def test_a_library_tells_each_pair_once_with_mirror_images() -> None:
    library = {
        "a": Footprints(film(1, 80)),
        "b": Footprints(np.concatenate([film(2, 21), edited(film(1, 80)[30:50])])),
        "c": Footprints(flipped(film(1, 80)[8:48])),
        "d": Footprints(film(4, 200)),
    }
    assert found(["a", "b", "c", "d"], library) == [
        Overlap("b", "a", 5.25, 7.5, 5.0),
        Overlap("c", "a", 0.0, 2.0, 10.0, flipped=True),
        Overlap("c", "b", 5.5, 5.25, 4.5, flipped=True),
    ]
    assert [one.seen_from("a").start for one in found(["a"], library)] == [7.5, 2.0]


def test_two_films_of_a_fixed_camera_share_nothing_though_each_frame_is_close() -> None:
    still = np.repeat(film(1, 1), 40, axis=0)
    assert shared_runs(edited(still, 6), edited(still, 9)) == []


def test_plain_frames_are_not_compared() -> None:
    black = np.zeros((40, 32), np.uint8)
    library = {"a": Footprints(black), "b": Footprints(np.concatenate([black, film(1, 20)]))}
    assert found(["a", "b"], library) == []


def test_a_span_of_a_song_is_found_under_noise_and_where_its_pieces_were_added_does_not_matter() -> None:
    whole = song(1, 40)
    part = whole[10 * RATE : 18 * RATE] * 0.2
    noise = np.random.default_rng(0).normal(0, 0.01, len(part)).astype(np.float32)
    library = {
        "a": Footprints(landmarks=sound_landmarks(whole)),
        "b": Footprints(landmarks=sound_landmarks(np.concatenate([song(2, 5), part + noise]))),
        "c": Footprints(landmarks=sound_landmarks(song(3, 40))),
    }
    (one,) = found(["a", "b", "c"], library)
    assert (one.one, one.other, one.heard) == ("b", "a", True)
    assert one.start == pytest.approx(5, abs=1.2)
    assert one.other_start - one.start == pytest.approx(5, abs=0.1)
    assert one.seconds == pytest.approx(7, abs=1.5)
    in_pieces = SoundLandmarks()
    for start in range(0, len(whole), RATE):
        in_pieces.add(whole[start : start + RATE])
    assert np.array_equal(in_pieces.pairs(), library["a"].landmarks)


def test_silence_and_a_steady_tone_share_nothing() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(20 * RATE) / RATE).astype(np.float32)
    library = {
        "silence": Footprints(landmarks=sound_landmarks(np.zeros(10 * RATE, np.float32))),
        "tone": Footprints(landmarks=sound_landmarks(tone)),
        "louder": Footprints(landmarks=sound_landmarks(tone[3 * RATE :] * 0.9)),
    }
    assert found(list(library), library) == []


def test_borders_are_trimmed_and_a_mirror_image_has_the_columns_in_reverse() -> None:
    rng = np.random.default_rng(5)
    picture = np.kron(rng.integers(0, 256, (17, 16), np.uint8), np.ones((8, 10), np.uint8))
    print_ = frame_fingerprint(picture)
    assert frame_fingerprint(np.pad(picture, ((20, 24), (0, 0)), constant_values=3)) == print_
    mirrored = frame_fingerprint(np.ascontiguousarray(picture[:, ::-1]))
    assert flipped(np.frombuffer(print_, np.uint8).reshape(1, 32)).tobytes() == mirrored
    assert not any(frame_fingerprint(np.full((90, 160), 7, np.uint8)))


def test_footprints_survive_as_bytes_and_damage_is_refused() -> None:
    made = Footprints(film(1, 9), sound_landmarks(song(1, 3)))
    data = made.to_bytes()
    read = Footprints.from_bytes(data)
    assert np.array_equal(read.frames, made.frames)
    assert np.array_equal(read.landmarks, made.landmarks)
    assert Footprints.from_bytes(Footprints(no_frames()).to_bytes()).is_empty
    backwards = Footprints(landmarks=made.landmarks[:, ::-1]).to_bytes()
    for wrong in (b"", data[:-1], data + b"\0", b"\2" + data[1:], b"\1\0\0\0" + b"\xff" * 8, backwards):
        with pytest.raises(StoreError):
            Footprints.from_bytes(wrong)
