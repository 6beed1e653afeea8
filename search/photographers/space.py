"""The trained photographer space: one vector per photographer, and how its files are read.

``workers.photographers.joint`` trains it and writes the folder; reading takes no torch. The files:

    manifest.json   the report (:class:`JointReport`), the names, and the inputs of the vectors
    vectors.npz     ``vectors`` (p, d), ``photos`` (p,), ``frames`` (f, p, d), ``steps`` (f,), and of a training that
                    started from random vectors ``random_frames`` (g, p, d), ``random_steps`` (g,), empty if not tried
    codes.npz       ``ids`` (n,), ``codes`` (n, 16), ``owners`` (n,), ``clusters`` (n,)
    weights.npz     the networks, by which ``workers.photographers.joint.fold_in`` adds a photographer
    placed.json     photographers added since (``search.photographers.folded_in``)
    plots/          self-contained pages
    tensorboard/    losses, errors and vectors over time

Names are hostile text and occur in JSON only; no file is named after one.
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
LAYOUT = 2
"""Version of the files. Layout 1, of version 0.1.0, knows no random start and no phases; a newer one is refused."""


@dataclass(frozen=True, slots=True)
class VectorErrors:
    """Error of predicted statistics of held-out photos: mean squared error over photos and statistics.

    Attributes:
        right: with the vector of the photographer who took the photo.
        wrong: with those of all others, averaged.
        ratio: ``wrong / right``; 1 means that the vectors carry no information.
    """

    right: Estimate
    wrong: Estimate
    ratio: float


@dataclass(frozen=True, slots=True)
class PseudoPhotographers:
    """The published set-up, on clusters of the features that it predicts, beside a baseline that shows its circularity.

    Attributes:
        clusters: number of KMeans clusters, on scaled features.
        nearest_centroid: accuracy of the nearest centroid on the same features, held-out photos.
        words: the meaning in a sentence.
    """

    clusters: int
    errors: VectorErrors
    nearest_centroid: Estimate
    words: str


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """Time of one phase of a training.

    Attributes:
        seconds: what it took.
        budget: seconds it was given; None for no limit.
        cut_short: it ended because its time was up.
    """

    name: str
    seconds: float
    budget: float | None
    cut_short: bool


@dataclass(frozen=True, slots=True)
class JointReport:
    """Inputs of one training and its measured errors.

    Attributes:
        digest: of the photos and their credits.
        fingerprint: of the computation of codes and statistics; vectors of two fingerprints cannot be compared.
        dimensions: components of a photographer's vector.
        held_out: photos that were not trained on.
        errors: of the model that made the vectors.
        published: of the published set-up, on the four global features, as a baseline.
        pseudo: None where there are too few photos for two clusters.
        agreement: mean Procrustes R² between the vectors and those of trainings with other seeds that started from
            random vectors (layout 1: from arranged ones); None if none ended in time.
        versions: of the libraries involved.
        notes: caveats.
        random_agreement: the same among the trainings that started from random vectors; None with fewer than two.
        codes_spread: share of the variance of image codes in their first principal component, 0 to 1; None in layout 1.
        phases: times of the phases.
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
    random_agreement: float | None = None
    codes_spread: float | None = None
    phases: tuple[PhaseTime, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JointReport:
        """Inverse of ``dataclasses.asdict``.

        Raises:
            KeyError, TypeError: the data is no such report.
        """
        pseudo = data["pseudo"]
        values = dict(data) | {
            "errors": _errors(data["errors"]),
            "published": _errors(data["published"]),
            "pseudo": None
            if pseudo is None
            else PseudoPhotographers(
                pseudo["clusters"], _errors(pseudo["errors"]), Estimate(**pseudo["nearest_centroid"]), pseudo["words"]
            ),
            "notes": tuple(data["notes"]),
            "phases": tuple(PhaseTime(**phase) for phase in data.get("phases", ())),
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class CodeSpot:
    """One photo on the map of image codes; ``cluster`` is its pseudo-photographer, -1 without clusters."""

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
    """Two principal axes of rows, and the share of the variance on each."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: tuple[float, float]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Plane:
        """The plane of most variance through ``rows`` (n, d). The largest component of each axis is positive, so that
        the same rows are never mirrored; rows of fewer than two dimensions get axes of 0."""
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

    def project(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Projection of rows (..., d), float64 (..., 2)."""
        projected: NDArray[np.float64] = (np.asarray(rows, np.float64) - self.centre) @ self.axes.T
        return projected


class PhotographerSpace:
    """Result of one training of the joint model. Immutable; safe to use from several threads.

    Attributes:
        names: photographers in the order of ``vectors``' rows: first those the space was trained on.
        folded_in: number of photographers at the end who were added since; they do not move in ``frames``.
        vectors: float32 (p, d).
        photos: int (p,), number of training photos of each.
        frames: float32 (f, p, d), the vectors while they converged; the last frame is ``vectors``.
        steps: int (f,), training step of each frame.
        random_frames: float32 (g, q, d), vectors of the trained photographers in a training that started from random
            ones, turned and scaled as a whole so that the last frame lies as close as possible to ``vectors``.
        random_steps: int (g,); both are empty if that was not tried.
        ids, codes, owners, clusters: of every photo: media id, float32 (16,), index of its photographer (-1:
            unknown), pseudo-photographer.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        report: JointReport,
        vectors: Mapping[str, NDArray[Any]],
        codes: Mapping[str, NDArray[Any]],
        folded_in: int = 0,
    ) -> None:
        self.names, self.report, self.folded_in = names, report, folded_in
        self.vectors: NDArray[np.float32] = vectors["vectors"]
        self.photos: NDArray[np.int64] = vectors["photos"]
        self.frames: NDArray[np.float32] = vectors["frames"]
        self.steps: NDArray[np.int64] = vectors["steps"]
        none = np.empty((0, len(names) - folded_in, self.vectors.shape[1]), np.float32)
        self.random_frames: NDArray[np.float32] = vectors.get("random_frames", none)
        self.random_steps: NDArray[np.int64] = vectors.get("random_steps", np.empty(0, np.int64))
        self.ids = tuple(str(media_id) for media_id in codes["ids"])
        self.codes: NDArray[np.float32] = codes["codes"]
        self.owners: NDArray[np.int64] = codes["owners"]
        self.clusters: NDArray[np.int64] = codes["clusters"]
        ids = {photographer_id(name): row for row, name in enumerate(names)}
        self._index = ids | {name: row for row, name in enumerate(names)}
        first, second = np.triu_indices(len(names), 1)
        self._pairwise_distances = np.sort(np.linalg.norm(self.vectors[first] - self.vectors[second], axis=1))

    @classmethod
    def load(cls, folder: Path) -> PhotographerSpace:
        """The space in a folder.

        Raises:
            ModelError: the folder holds no complete result, or one of another version.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            if not 1 <= manifest["layout"] <= LAYOUT:
                raise ModelError("The photographer space was made by another version of Likewise.", "Train it again.")
            report = JointReport.from_json(manifest["report"])
            names = tuple(str(name) for name in manifest["names"])
            trained, codes = read_arrays(folder / VECTORS), read_arrays(folder / CODES)
            added = tuple(one for one in read_folded_in(folder) if one.name not in names)
            names += tuple(one.name for one in added)
            made = cls(names, report, _with_folded_in(trained, added), codes, len(added))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder.name} holds no photographer space: {error}.", "Train it again.") from error
        if made.vectors.shape != (len(names), report.dimensions) or len(made.frames) != len(made.steps):
            raise ModelError(f"The files in {folder.name} do not belong together.", "Train it again.")
        return made

    def vector(self, who: str) -> NDArray[np.float32]:
        """Vector of a photographer, by name or id: float32 (d,).

        Raises:
            NotFoundError: the space has no such photographer.
        """
        found: NDArray[np.float32] = self.vectors[self._row(who)]
        return found

    def similar(self, who: str, n: int = 10) -> tuple[Alike, ...]:
        """Photographers with the nearest vectors, nearest first.

        Raises:
            NotFoundError: as :meth:`vector`.
        """
        row = self._row(who)
        return tuple(alike for alike in self.near(self.vectors[row], n + 1) if alike.name != self.names[row])[:n]

    def near(self, vector: NDArray[Any], n: int = 10) -> tuple[Alike, ...]:
        """Photographers nearest to a vector (d,) of this space."""
        distances = np.linalg.norm(self.vectors - vector, axis=1)
        nearest = np.argsort(distances, kind="stable")[:n]
        return tuple(
            Alike(photographer_id(self.names[row]), self.names[row], self._similarity(distances[row]), "joint")
            for row in nearest
        )

    @property
    def trained(self) -> tuple[str, ...]:
        """Photographers whose photos the space was trained on."""
        return self.names[: len(self.names) - self.folded_in]

    def chart(self) -> Chart:
        """The photographer map with the path of every vector: PCA fitted on the final vectors."""
        return self._chart(self.frames, self.steps)

    def random_chart(self) -> Chart | None:
        """The map, on the same axes, with paths that start from random vectors; None if that was not tried. It holds
        nobody who was folded in."""
        return self._chart(self.random_frames, self.random_steps) if len(self.random_frames) else None

    def _chart(self, frames: NDArray[np.float32], steps: NDArray[np.int64]) -> Chart:
        plane = Plane.of(self.vectors)
        paths = plane.project(frames)
        spots = tuple(
            Spot(
                photographer_id(name),
                name,
                int(self.photos[row]),
                _pair(paths[-1, row]),
                tuple(_pair(at) for at in paths[:, row]),
            )
            for row, name in enumerate(self.names[: frames.shape[1]])
        )
        return Chart("joint", spots, plane.explained, tuple(int(step) for step in steps))

    def code_chart(self, most: int = 2000) -> CodeChart:
        """Photos by their image codes; of more than ``most``, an evenly spaced choice."""
        plane = Plane.of(self.codes)
        stride = max(1, math.ceil(len(self.ids) / most))
        chosen = range(0, len(self.ids), stride)
        projected = plane.project(self.codes)
        spots = tuple(CodeSpot(self.ids[i], self.owner(i), int(self.clusters[i]), _pair(projected[i])) for i in chosen)
        return CodeChart(spots, plane.explained, int(self.clusters.max(initial=-1)) + 1)

    def owner(self, photo: int) -> str:
        """Photographer of a photo, by its number; empty where it is not known."""
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
        """Share of the pairs of photographers at a greater distance, those at the same distance counted half."""
        if not len(self._pairwise_distances):
            return 0.0
        nearer, within = (int(np.searchsorted(self._pairwise_distances, distance, side)) for side in ("left", "right"))
        return 1.0 - (nearer + within) / 2 / len(self._pairwise_distances)


def _with_folded_in(trained: Mapping[str, NDArray[Any]], added: tuple[FoldedIn, ...]) -> Mapping[str, NDArray[Any]]:
    """Arrays of the space with these photographers in every frame."""
    if not added:
        return trained
    vectors = np.array([one.vector for one in added], np.float32)
    still = np.broadcast_to(vectors, (len(trained["frames"]), *vectors.shape))
    return {
        **trained,
        "vectors": np.concatenate([trained["vectors"], vectors]),
        "photos": np.concatenate([trained["photos"], [one.photos for one in added]]),
        "frames": np.concatenate([trained["frames"], still], axis=1),
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
