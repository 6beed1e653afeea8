"""When rows of sound are heard, in the few numbers of a record."""

from __future__ import annotations

import numpy as np
import pytest

from search.media import Kind, MediaRecord
from search.records.sound_rows import (
    MOST_ROWS,
    are_row_runs,
    are_runs,
    as_row_runs,
    as_runs,
    from_row_runs,
    from_runs,
    spans_of,
)

SEGMENT = 148_608 / 16_000


def segments(numbers: np.ndarray) -> np.ndarray:
    """Spans of the segments of these numbers, as an embedder gives them."""
    return np.stack([SEGMENT * numbers, SEGMENT * (numbers + 1)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("spans", "runs"),
    [
        (segments(np.empty(0)), 0),
        (segments(np.array([7.0])), 1),
        (segments(np.arange(9000.0)), 1),
        (np.concatenate([segments(np.arange(3876.0)), np.array([[35_999.9, 36_010.5]], np.float32)]), 2),
        (segments(np.array([0.0, 1, 2, 9, 10, 300, 301, 302, 303])), 3),
        (np.stack([np.arange(50) * 4.6, np.arange(50) * 4.6 + SEGMENT], axis=1).astype(np.float32), 1),
    ],
)
def test_spans_there_and_back(spans: np.ndarray, runs: int) -> None:
    kept = as_runs(spans)
    assert len(kept) == 4 * runs
    assert are_runs(kept)
    np.testing.assert_allclose(from_runs(kept), spans, atol=0.02)


def test_row_numbers_there_and_back() -> None:
    rows = np.array([0, 1, 2, 7, 9, 10], np.int32)
    assert as_row_runs(rows) == (0, 3, 7, 1, 9, 2)
    np.testing.assert_array_equal(from_row_runs(as_row_runs(rows)), rows)
    assert as_row_runs(rows[:0]) == ()
    assert not len(from_row_runs(()))


def test_rows_of_voice_are_some_of_those_of_sound() -> None:
    spans = segments(np.arange(5.0))
    record = MediaRecord("i", Kind.AUDIO, ("/a",), sound_runs=as_runs(spans), voice_runs=(1, 2, 4, 1))
    np.testing.assert_allclose(spans_of(record, "sound"), spans, atol=0.01)
    np.testing.assert_allclose(spans_of(record, "voice"), spans[[1, 2, 4]], atol=0.01)
    assert not len(spans_of(record, "visual"))
    assert not len(spans_of(MediaRecord("i", Kind.AUDIO, ("/a",)), "sound"))


@pytest.mark.parametrize(
    ("runs", "voices"),
    [
        ((0.0, 9.0, 9.0), ()),
        ((0.0, 9.0, 9.0, MOST_ROWS + 1.0), ()),
        ((0.0, 9.0, float("inf"), 1.0), ()),
        ((-1.0, 9.0, 9.0, 1.0), ()),
        ((0.0, 9.0, 9.0, 2.0), (1, 2)),
        ((0.0, 9.0, 9.0, 2.0), (1,)),
        ((0.0, 9.0, 9.0, 2.0), (-1, 1)),
    ],
)
def test_runs_that_are_none_give_no_spans(runs: tuple[float, ...], voices: tuple[int, ...]) -> None:
    assert not (are_runs(runs) and are_row_runs(voices, int(sum(runs[3::4]))))
    assert not len(spans_of(MediaRecord("i", Kind.AUDIO, ("/a",), sound_runs=runs, voice_runs=voices), "sound"))
