"""Recordings cut into segments while they are read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from workers.embedders.sound.logmel import LogMelRows, WholeLogMel
from workers.embedders.sound.rows import BLOCK, RATE, SEGMENT, SoundRows, block_starts, segments

SECONDS = SEGMENT / RATE


def noise(samples: int, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=samples) * level).astype(np.float32)


def pieces(sound: np.ndarray, *lengths: int) -> Iterator[np.ndarray]:
    """A sound in pieces of these lengths, over and over."""
    at, turn = 0, 0
    while at < len(sound):
        yield sound[at : at + lengths[turn % len(lengths)]]
        at, turn = at + lengths[turn % len(lengths)], turn + 1


@pytest.mark.parametrize(
    ("samples", "spans"),
    [
        (0, []),
        (1, [(0, 1)]),
        (SEGMENT, [(0, SEGMENT)]),
        (SEGMENT * 3 // 2 - 1, [(0, SEGMENT * 3 // 2 - 1)]),
        (SEGMENT * 3 // 2, [(0, SEGMENT), (SEGMENT, SEGMENT * 3 // 2)]),
        (SEGMENT * 3 + 5, [(0, SEGMENT), (SEGMENT, 2 * SEGMENT), (2 * SEGMENT, 3 * SEGMENT + 5)]),
    ],
)
def test_segments_cover_a_recording_whatever_its_pieces(samples: int, spans: list[tuple[int, int]]) -> None:
    sound = noise(samples)
    for lengths in ((SEGMENT * 9,), (RATE,), (SEGMENT, 7, 0, SEGMENT * 2)):
        made = list(segments(pieces(sound, *lengths)))
        assert [(one.start, one.start + len(one.samples)) for one in made] == spans
        for one, (start, end) in zip(made, spans, strict=True):
            np.testing.assert_array_equal(one.samples, sound[start:end])


def test_the_last_block_of_a_segment_ends_with_it() -> None:
    assert block_starts(1, 10) == [0]
    assert block_starts(40, 10) == [0, 10, 20, 30]
    assert block_starts(42, 10) == [0, 10, 20, 30, 32]


def test_pauses_have_no_row_even_before_the_first_loud_segment() -> None:
    hum, loud, silence = noise(SEGMENT, 1e-3), noise(SEGMENT, 0.2, seed=1), np.zeros(SEGMENT, np.float32)
    made = LogMelRows().embed(pieces(np.concatenate([hum, loud, silence, loud]), RATE))
    np.testing.assert_allclose(made.spans, np.array([[1, 2], [3, 4]]) * SECONDS, rtol=1e-6)
    assert made.vectors["sound"].shape == (2, 256)
    assert made.vectors["sound"].dtype == made.spans.dtype == np.float32
    assert len(LogMelRows().embed([hum]).spans) == 1, "a soft recording is no pause"


def test_a_row_is_that_of_its_segment_alone() -> None:
    sound = np.concatenate([noise(SEGMENT, 0.2, seed) for seed in range(3)])
    rows = LogMelRows().embed([sound]).vectors["sound"]
    (alone,) = LogMelRows().embed([sound[SEGMENT : 2 * SEGMENT]]).vectors["sound"]
    np.testing.assert_array_equal(rows[1], alone)
    assert not np.allclose(rows[0], alone)


@pytest.mark.parametrize("model", [LogMelRows(), WholeLogMel()])
def test_silence_has_no_row(model: LogMelRows | WholeLogMel) -> None:
    for silent in ([], [np.zeros(0, np.float32)], [np.full(3 * SEGMENT, 5e-5, np.float32)]):
        made = model.embed(silent)
        assert isinstance(made, SoundRows)
        assert not made.vectors
        assert (made.spans.shape, made.voice_rows.shape) == ((0, 2), (0,))


def test_one_row_of_a_whole_recording_is_of_its_first_five_minutes() -> None:
    sound = noise(301 * RATE)
    whole = WholeLogMel().embed(pieces(sound, BLOCK))
    np.testing.assert_array_equal(whole.spans, [[0, 300]])
    np.testing.assert_array_equal(whole.vectors["sound"], WholeLogMel().embed([sound[: 300 * RATE]]).vectors["sound"])
