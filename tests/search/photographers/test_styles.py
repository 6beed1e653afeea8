"""The silhouette by which clusters count as styles is the published one."""

from __future__ import annotations

import numpy as np
import pytest

from search.photographers.profiles.styles import _silhouette


@pytest.mark.parametrize(("photos", "clusters"), [(5, 2), (12, 2), (40, 3), (200, 4)])
def test_the_silhouette_is_that_of_the_library(photos: int, clusters: int) -> None:
    from sklearn.metrics import silhouette_score

    rng = np.random.default_rng(photos)
    points = rng.normal(size=(photos, 8))
    points[1] = points[0]
    labels = rng.integers(0, clusters - 1, photos)
    labels[-1] = clusters - 1  # alone in its cluster
    labels[: clusters - 1] = range(clusters - 1)
    assert _silhouette(points, labels) == pytest.approx(silhouette_score(points, labels), abs=1e-7)
