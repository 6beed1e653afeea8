"""Styles of each photographer as clusters of their photos, and the similarity of two photographers.

The mean of weddings in soft light and concerts in the dark is a style that nobody has. So each photographer is a set of
clusters, and two are as similar as each one's styles have similar ones among the other's. PCA and KMeans describe the
photos given and leave no model, so they stay in ``search``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.store.base import Array

DIMS = 8
"""Principal components in which photos are clustered. In more, single photos are too far apart to form clusters."""

FIT_PHOTOS = 5_000
"""Photos at most to which the components are fitted."""

CLUSTERED = 200
"""Photos of one photographer at most that are clustered; the others join the nearest cluster."""

MOST_STYLES = 4

LEAST_PHOTOS = 12
"""Photos of a photographer below which there is one style."""

LEAST_SHARE = 0.1
"""Share of the photos below which a cluster is no style."""

LEAST_SILHOUETTE = 0.27
"""Least silhouette of clusters that count as styles. Measured in 8 dimensions on 100 draws of one heavy-tailed cloud of
15 to 100 points, whose best split reached .26 at most, and on two clouds three deviations apart, which reached .31 in
the median."""

REFERENCES = 300
"""Photographers at most whose distances to one another are the reference of similarity."""


_ONE_THREAD = threading.Lock()
"""Held while BLAS has one thread: of two that set it at once, the later would put back what the earlier had set."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Styles of one photographer in one view.

    Attributes:
        centres: float64 ``(k, d)``, the mean of each style, the most frequent first.
        shares: float64 ``(k,)``, summing to 1.
        members: positions of the photos of each style, intp, the most typical first.
    """

    centres: NDArray[np.float64]
    shares: NDArray[np.float64]
    members: tuple[NDArray[np.intp], ...]


def reduced(rows: Array, dims: int = DIMS, seed: int = 0) -> NDArray[np.float64]:
    """First principal components of ``rows``, float32 ``(n, d)``: float64, ``dims`` columns or fewer; NaN rows stay."""
    known = np.flatnonzero(np.isfinite(rows).all(axis=1))
    dims = min(dims, rows.shape[1], max(1, len(known) - 1))
    found = np.full((len(rows), dims), np.nan)
    if len(known):
        rng = np.random.default_rng(seed)
        fitted = rng.choice(known, FIT_PHOTOS, replace=False) if len(known) > FIT_PHOTOS else known
        mean, axes = _principal_axes(rows[fitted].astype(np.float64), dims)
        found[known] = rows[known] @ axes.T.astype(rows.dtype) - mean @ axes.T
    return found


def _principal_axes(rows: NDArray[np.float64], dims: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean ``(d,)`` and first principal axes ``(dims, d)``, the largest number of each positive. Not by scikit-learn,
    which takes longer to import than this to compute."""
    from threadpoolctl import threadpool_limits

    mean = rows.mean(axis=0)
    centred = rows - mean
    # Threads of BLAS that wait for one another take five times the processor, and on busy cores as much time.
    with _ONE_THREAD, threadpool_limits(1, user_api="blas"):
        if len(rows) > rows.shape[1]:
            axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :dims].T
        else:
            axes = np.linalg.svd(centred, full_matrices=False)[2][:dims]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return mean, np.asarray(axes * np.where(largest < 0, -1.0, 1.0), np.float64)


def profile_of(view: NDArray[np.float64], rows: NDArray[np.intp], seed: int = 0) -> Profile | None:
    """Styles of some photos of a view; None where none of them is known.

    Args:
        view: float64 ``(n, d)``, NaN where unknown.  rows: positions, intp ``(k,)``.
    """
    known = rows[np.isfinite(view[rows]).all(axis=1)]
    if not len(known):
        return None
    points = view[known]
    rng = np.random.default_rng(seed)
    some = points[rng.choice(len(points), CLUSTERED, replace=False)] if len(points) > CLUSTERED else points
    centres = _centres(some, seed)
    nearest = _distances(points, centres).argmin(axis=1)
    members = [np.flatnonzero(nearest == style) for style in range(len(centres))]
    members = sorted((at for at in members if len(at)), key=len, reverse=True)
    means = np.stack([points[at].mean(axis=0) for at in members])
    typical = [
        at[_distances(points[at], mean[None])[:, 0].argsort(kind="stable")]
        for at, mean in zip(members, means, strict=True)
    ]
    return Profile(means, np.array([len(at) for at in members]) / len(points), tuple(known[at] for at in typical))


def _centres(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Centres of the clusters, float64 ``(k, d)``; more than two are tried only where two nearly suffice."""
    one: NDArray[np.float64] = points.mean(axis=0, keepdims=True)
    if len(points) < LEAST_PHOTOS or len(np.unique(points, axis=0)) <= MOST_STYLES:
        return one
    from sklearn import config_context
    from sklearn.cluster import KMeans

    best, found = LEAST_SILHOUETTE, one
    for k in range(2, MOST_STYLES + 1):
        if len(points) < k * LEAST_PHOTOS / 2:
            break
        # Checks of arguments take longer than the clusters of a few dozen photos.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            model = KMeans(k, n_init=2, random_state=seed).fit(points)
        if np.bincount(model.labels_, minlength=k).min() < LEAST_SHARE * len(points):
            continue
        score = _silhouette(points, model.labels_)
        if score > best:
            best, found = score, model.cluster_centers_
        elif k == 2 and score < LEAST_SILHOUETTE / 2:
            break
    return np.asarray(found, np.float64)


def _silhouette(points: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Mean silhouette of points ``(n, d)`` in clusters ``(n,)``, numbered from 0, none of them empty.

    Source: Rousseeuw, "Silhouettes", Journal of Computational and Applied Mathematics 20, 1987.
    """
    member = np.eye(int(labels.max()) + 1)[labels]
    sizes = member.sum(axis=0)
    within = np.linalg.norm(points[:, None] - points[None], axis=2) @ member
    rows, own = np.arange(len(points)), sizes[labels]
    inner = within[rows, labels] / np.maximum(own - 1, 1)
    means = within / sizes
    means[rows, labels] = np.inf
    outer = means.min(axis=1)
    with np.errstate(invalid="ignore"):
        values = np.where(own > 1, (outer - inner) / np.maximum(outer, inner), 0.0)
    return float(np.nan_to_num(values).mean())


class Likeness:
    """Similarity of photographers in one view.

    The distance of two is ``½ Σ_a s_a min_b |a − b| + ½ Σ_b s_b min_a |a − b|``, where a, b are the centres of their
    styles and s the shares of those (a chamfer distance weighted by shares).
    """

    def __init__(self, profiles: Mapping[str, Profile], seed: int = 0) -> None:
        self._profiles = profiles
        rng = np.random.default_rng(seed)
        names = list(profiles)
        chosen = rng.choice(len(names), REFERENCES, replace=False) if len(names) > REFERENCES else range(len(names))
        among = [names[at] for at in chosen]
        references = [self._chamfer(name, among[at + 1 :]) for at, name in enumerate(among[:-1])]
        self._references = np.sort(np.concatenate(references)) if references else np.empty(0)

    def to_others(self, name: str) -> list[tuple[str, float]]:
        """All others, most similar first, each with the share of random pairs that are less similar: 0 to 1."""
        others = [other for other in self._profiles if other != name]
        if name not in self._profiles or not others:
            return []
        distances = self._chamfer(name, others)
        farther = len(self._references) - np.searchsorted(self._references, distances, side="right")
        level = np.searchsorted(self._references, distances, side="right")
        level -= np.searchsorted(self._references, distances, side="left")
        similarity = (farther + level / 2) / max(1, len(self._references))
        return [(others[at], float(similarity[at])) for at in np.argsort(distances, kind="stable")]

    def _chamfer(self, name: str, others: Sequence[str]) -> NDArray[np.float64]:
        me, them = self._profiles[name], [self._profiles[other] for other in others]
        starts = np.cumsum([0, *(len(other.shares) for other in them[:-1])])
        shares = np.concatenate([other.shares for other in them])
        distances = _distances(me.centres, np.concatenate([other.centres for other in them]))
        mine = me.shares @ np.minimum.reduceat(distances, starts, axis=1)
        theirs = np.add.reduceat(shares * distances.min(axis=0), starts)
        return np.asarray((mine + theirs) / 2, np.float64)


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distances, float64 ``(len(a), len(b))``, of rows ``(·, d)``."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), np.float64)
