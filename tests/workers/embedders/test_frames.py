"""Pooling key frames into one vector."""

from __future__ import annotations

import numpy as np

from workers.embedders.video.frames import pool_frames


def test_mean_then_deviation_of_unit_length() -> None:
    frames = np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]], np.float32)
    expected = np.array(
        [sum(f[i] for f in frames) / 3 for i in range(3)]
        + [(sum((f[i] - sum(g[i] for g in frames) / 3) ** 2 for f in frames) / 3) ** 0.5 for i in range(3)]
    )
    pooled = pool_frames(frames)
    assert pooled.shape == (1, 6)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled[0], expected / np.sqrt((expected**2).sum()), atol=1e-6)


def test_a_single_frame_has_no_spread() -> None:
    pooled = pool_frames(np.array([[0.6, 0.8]], np.float32))
    np.testing.assert_allclose(pooled[0], [0.6, 0.8, 0, 0], atol=1e-7)
