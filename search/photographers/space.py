"""The photographer space: one learnt vector per photographer, as ``workers.photographers.joint`` leaves it in a folder.

Reading takes no torch. What a run leaves:

    manifest.json   the report (:class:`JointReport`), the names, and what the vectors were made from
    vectors.npz     ``vectors`` (p, d), ``photos`` (p,), ``frames`` (f, p, d), ``steps`` (f,)
    codes.npz       ``ids`` (n,), ``codes`` (n, 16), ``owners`` (n,), ``clusters`` (n,)
    weights.npz     the networks, which ``workers.photographers.joint.fold_in`` needs to place somebody new
    placed.json     who was placed since (``search.photographers.folded_in``)
    plots/          self-contained pages
    tensorboard/    losses, errors and vectors over time

Names are hostile text and stand in JSON only; no file is called after one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError, NotFoundError
from search.evaluation.statistics import Estimate
from search.photographers.answers import Alike, Chart, Spot
from search.photographers.folded_in import FoldedIn, read_folded_in
from search.photographers.photos.names import photographer_id

MANIFEST, VECTORS, CODES, WEIGHTS = "manifest.json", "vectors.npz", "codes.npz", "weights.npz"
PLOTS, LOGS = "plots", "tensorboard"
LAYOUT = 1
"""Version of the files; another one is refused."""


@dataclass(frozen=True, slots=True)
class VectorErrors:
    """How well held-out photos' statistics are foretold: mean squared error over photos and statistics.

    Attributes:
        right: with the vector of the photographer who took the photo.
        wrong: with those of all others, averaged.
        ratio: ``wrong / right``; 1 says that the vectors carry nothing.
    """

    right: Estimate
    wrong: Estimate
    ratio: float


@dataclass(frozen=True, slots=True)
class PseudoPhotographers:
    """The published set-up on clusters of the very features it foretells, and the figure that shows what it is worth.

    Attributes:
        clusters: number of KMeans clusters, on scaled features.
        nearest_centroid: accuracy of the nearest centroid on the same features, held-out photos.
        words: what that means.
    """

    clusters: int
    errors: VectorErrors
    nearest_centroid: Estimate
    words: str


@dataclass(frozen=True, slots=True)
class JointReport:
    """What one training was made from and what it is worth.

    Attributes:
        digest: of the photos and their credits.
        fingerprint: of how pictures become codes and statistics; vectors of two fingerprints cannot be compared.
        dimensions: components of a photographer's vector.
        held_out: photos that nothing was learnt from.
        errors: of the model that made the vectors.
        published: of the published set-up, on the four global features, as a baseline.
        pseudo: None where there are too few photos for two clusters.
        agreement: mean Procrustes R² between the vectors and those of trainings with other seeds; None if not tried.
        versions: of the libraries that matter.
        notes: what a reader should know before believing it.
    """

    photographers: int
    photos: int
    held_out: int
    dimensions: int
    seed: int
    steps: int
    seconds: float
    digest: str
    fingerprint: str
    errors: VectorErrors
    published: VectorErrors
    pseudo: PseudoPhotographers | None
    agreement: float | None
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JointReport:
        """Inverse of ``dataclasses.asdict``.

        Raises:
            KeyError, TypeError: it is something else.
        """
        pseudo = data["pseudo"]
        told = dict(data) | {
            "errors": _errors(data["errors"]),
            "published": _errors(data["published"]),
            "pseudo": None
            if pseudo is None
            else PseudoPhotographers(
                pseudo["clusters"], _errors(pseudo["errors"]), Estimate(**pseudo["nearest_centroid"]), pseudo["words"]
            ),
            "notes": tuple(data["notes"]),
        }
        return cls(**told)


@dataclass(frozen=True, slots=True)
class CodeSpot:
    """One photo on the map of image codes; ``cluster`` is its pseudo-photographer, -1 where there are no clusters."""

    id: str
    photographer: str
    cluster: int
    at: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CodeChart:
    """Photos by the first two principal components of their image codes."""

    spots: tuple[CodeSpot, ...]
    explained: tuple[float, float]
    clusters: int


@dataclass(frozen=True, slots=True)
class Plane:
    """Two principal axes: where rows land, and which share of their variance each axis shows."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: tuple[float, float]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Plane:
        """The plane of most variance through ``rows`` (n, d). Axes point to where their largest component is
        positive, so that the same rows never come out mirrored; what has fewer than two dimensions gets axes of 0."""
        exact = np.asarray(rows, np.float64)
        centre = exact.mean(axis=0)
        _, sizes, found = np.linalg.svd(exact - centre, full_matrices=False)
        axes = np.zeros((2, exact.shape[1]))
        found = found[:2]
        leading = found[np.arange(len(found)), np.abs(found).argmax(axis=1)]
        axes[: len(found)] = found * np.where(leading < 0, -1.0, 1.0)[:, None]
        variance = np.square(sizes)
        total = float(variance.sum())
        shares = [float(v) / total if total > 0 else 0.0 for v in variance[:2]] + [0.0, 0.0]
        return cls(centre, axes, (shares[0], shares[1]))

    def place(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Float64 (..., 2)."""
        placed: NDArray[np.float64] = (np.asarray(rows, np.float64) - self.centre) @ self.axes.T
        return placed


class PhotographerSpace:
    """The result of one training of the joint model. Frozen after loading; safe to use from several threads.

    Attributes:
        names: photographers in the order of ``vectors``' rows: first those the space was learnt from.
        placed: how many at the end were placed since; they stand still in ``frames``.
        vectors: float32 (p, d).
        photos: int (p,), how many photos each was learnt from.
        frames: float32 (f, p, d), the vectors while they settled, the last frame being ``vectors``.
        steps: int (f,), training step of each frame.
        ids, codes, owners, clusters: of every photo: media id, float32 (16,), index of its photographer (-1: nobody
            known), pseudo-photographer.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        report: JointReport,
        vectors: Mapping[str, NDArray[Any]],
        codes: Mapping[str, NDArray[Any]],
        placed: int = 0,
    ) -> None:
        self.names, self.report, self.placed = names, report, placed
        self.vectors: NDArray[np.float32] = vectors["vectors"]
        self.photos: NDArray[np.int64] = vectors["photos"]
        self.frames: NDArray[np.float32] = vectors["frames"]
        self.steps: NDArray[np.int64] = vectors["steps"]
        self.ids = tuple(str(media_id) for media_id in codes["ids"])
        self.codes: NDArray[np.float32] = codes["codes"]
        self.owners: NDArray[np.int64] = codes["owners"]
        self.clusters: NDArray[np.int64] = codes["clusters"]
        ids = {photographer_id(name): row for row, name in enumerate(names)}
        self._index = ids | {name: row for row, name in enumerate(names)}
        first, second = np.triu_indices(len(names), 1)
        self._apart = np.sort(np.linalg.norm(self.vectors[first] - self.vectors[second], axis=1))

    @classmethod
    def load(cls, folder: Path) -> PhotographerSpace:
        """
        Raises:
            ModelError: the folder holds no complete result, or one of another version.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            if manifest["layout"] != LAYOUT:
                raise ModelError("The photographer space was made by another version of Likewise.", "Train it again.")
            report = JointReport.from_json(manifest["report"])
            names = tuple(str(name) for name in manifest["names"])
            learnt, codes = read_arrays(folder / VECTORS), read_arrays(folder / CODES)
            placed = tuple(one for one in read_folded_in(folder) if one.name not in names)
            names += tuple(one.name for one in placed)
            made = cls(names, report, _with_placed(learnt, placed), codes, len(placed))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder.name} holds no photographer space: {error}.", "Train it again.") from error
        if made.vectors.shape != (len(names), report.dimensions) or len(made.frames) != len(made.steps):
            raise ModelError(f"The files in {folder.name} do not belong together.", "Train it again.")
        return made

    def vector(self, who: str) -> NDArray[np.float32]:
        """Of a photographer, by name or id: float32 (d,).

        Raises:
            NotFoundError: the model has not learnt from anybody of that name.
        """
        found: NDArray[np.float32] = self.vectors[self._row(who)]
        return found

    def similar(self, who: str, n: int = 10) -> tuple[Alike, ...]:
        """Those whose vectors are nearest, nearest first.

        Raises:
            NotFoundError: as :meth:`vector`.
        """
        row = self._row(who)
        return tuple(alike for alike in self.near(self.vectors[row], n + 1) if alike.name != self.names[row])[:n]

    def near(self, vector: NDArray[Any], n: int = 10) -> tuple[Alike, ...]:
        """Photographers nearest to any vector of this space (d,): somebody folded in, say."""
        distances = np.linalg.norm(self.vectors - vector, axis=1)
        nearest = np.argsort(distances, kind="stable")[:n]
        return tuple(
            Alike(photographer_id(self.names[row]), self.names[row], self._similarity(distances[row]), "joint")
            for row in nearest
        )

    @property
    def learnt(self) -> tuple[str, ...]:
        """Those of ``names`` whose photos the space was learnt from."""
        return self.names[: len(self.names) - self.placed]

    def chart(self) -> Chart:
        """The photographer map, with the way of every vector there: PCA fitted on the final vectors."""
        plane = Plane.of(self.vectors)
        ways = plane.place(self.frames)
        spots = tuple(
            Spot(
                photographer_id(name),
                name,
                int(self.photos[row]),
                _pair(ways[-1, row]),
                tuple(_pair(at) for at in ways[:, row]),
            )
            for row, name in enumerate(self.names)
        )
        return Chart("joint", spots, plane.explained, tuple(int(step) for step in self.steps))

    def code_chart(self, most: int = 2000) -> CodeChart:
        """Photos by their image codes; of more than ``most`` an even choice, the same each time."""
        plane = Plane.of(self.codes)
        stride = max(1, math.ceil(len(self.ids) / most))
        chosen = range(0, len(self.ids), stride)
        placed = plane.place(self.codes)
        spots = tuple(CodeSpot(self.ids[i], self._owner(i), int(self.clusters[i]), _pair(placed[i])) for i in chosen)
        return CodeChart(spots, plane.explained, int(self.clusters.max(initial=-1)) + 1)

    def _owner(self, photo: int) -> str:
        owner = int(self.owners[photo])
        return self.names[owner] if owner >= 0 else ""

    def _row(self, who: str) -> int:
        if who not in self._index:
            raise NotFoundError(
                f"The photographer space does not know '{who}'.",
                "Place them in it: `likewise photographers place NAME`.",
            )
        return self._index[who]

    def _similarity(self, distance: float) -> float:
        """Share of the pairs of photographers that are farther apart, those just as far counted half."""
        if not len(self._apart):
            return 0.0
        nearer, within = (int(np.searchsorted(self._apart, distance, side)) for side in ("left", "right"))
        return 1.0 - (nearer + within) / 2 / len(self._apart)


def _with_placed(learnt: Mapping[str, NDArray[Any]], placed: tuple[FoldedIn, ...]) -> Mapping[str, NDArray[Any]]:
    """As if they had been there from the beginning, and had not moved."""
    if not placed:
        return learnt
    vectors = np.array([one.vector for one in placed], np.float32)
    still = np.broadcast_to(vectors, (len(learnt["frames"]), *vectors.shape))
    return {
        **learnt,
        "vectors": np.concatenate([learnt["vectors"], vectors]),
        "photos": np.concatenate([learnt["photos"], [one.photos for one in placed]]),
        "frames": np.concatenate([learnt["frames"], still], axis=1),
    }


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of an ``.npz``; none is unpickled.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (BadZipFile, EOFError) as error:
        raise ValueError(f"{path.name} is damaged") from error


def _errors(data: Mapping[str, Any]) -> VectorErrors:
    return VectorErrors(Estimate(**data["right"]), Estimate(**data["wrong"]), data["ratio"])


def _pair(at: NDArray[np.float64]) -> tuple[float, float]:
    return float(at[0]), float(at[1])
