"""Styles: their silhouette and components are the published ones, and they are kept until photos change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from search.photographers.profiles import kept_profiles
from search.photographers.profiles.styles import Profile, _silhouette, profile_of, reduced


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


@pytest.mark.parametrize("count", [60, 20])
def test_the_components_are_those_of_scikit_learn(count: int) -> None:
    """With more photos than numbers, and with fewer."""
    from sklearn.decomposition import PCA

    rows = np.random.default_rng(3).normal(size=(count, 30)).astype(np.float32) * np.linspace(
        3, 1, 30, dtype=np.float32
    )
    expected = PCA(8, svd_solver="full").fit_transform(rows)
    found = reduced(rows)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-4)


def test_photos_that_are_all_alike_are_at_one_place() -> None:
    assert np.allclose(reduced(np.ones((5, 3), np.float32)), 0)


def test_profiles_are_found_once_and_again_where_photos_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    view = np.concatenate([rng.normal(size=(40, 4)), rng.normal(size=(40, 4)) + 9, np.full((1, 4), np.nan)])
    rows = {"Ada": np.arange(60), "Nobody": np.array([80]), "Łukasz": np.arange(60, 80)}
    kept, asked = tmp_path / "cache" / "profiles.npz", []

    def counted(view: NDArray[np.float64], own: NDArray[np.intp]) -> Profile | None:
        asked.append(len(own))
        return profile_of(view, own)

    monkeypatch.setattr(kept_profiles, "profile_of", counted)
    first = kept_profiles.profiles_of(view, rows, kept)
    again = kept_profiles.profiles_of(view, rows, kept)
    assert asked == [60, 1, 20]
    assert list(again) == ["Ada", "Łukasz"]
    for name, profile in first.items():
        np.testing.assert_array_equal(again[name].centres, profile.centres)
        np.testing.assert_array_equal(again[name].shares, profile.shares)
        assert [some.tolist() for some in again[name].members] == [some.tolist() for some in profile.members]
    moved = rows | {"Ada": np.arange(1, 61), "Łukasz": np.array([0, *range(61, 80)])}
    assert kept_profiles.profiles_of(view, moved, kept)["Ada"].members[0].min() > 0
    kept.write_bytes(kept.read_bytes()[:700])
    assert len(kept_profiles.profiles_of(view, moved, kept)) == 2
    assert len(asked) == 9
    kept_profiles.profiles_of(view, moved, kept)
    assert len(asked) == 9
