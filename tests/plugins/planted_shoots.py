"""A library whose shoots are known, made without a picture, with what makes shoots hard to find.

Several shoots a day, some an hour after the one before; counters of cameras that wrap; a second camera whose clock is
set to another time; folders by shoot, by day, by person and one for all; copies under other names; names without a
number; photos and whole shoots without EXIF; places of some shoots alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import FEATURES
from search.spaces import Space

DIM = 64
VISUAL = Space("visual", "planted", "1", "drawn", DIM)
LAYOUTS = ("by shoot", "by day", "by person", "one folder")
MODELS = ("NIKON D500", "ILCE-7M3", "Canon EOS R5", "PENTAX K-3 II")
BEGINNINGS = {"NIKON D500": "DSC_", "ILCE-7M3": "DSC0", "Canon EOS R5": "IMG_", "PENTAX K-3 II": "IMGP"}


@dataclass
class _Camera:
    """A camera with its counter, which wraps after 9999, and how wrong its clock is."""

    model: str
    number: int
    wrong: timedelta = timedelta()

    def next(self, rng: np.random.Generator) -> str:
        self.number = (self.number + 1 + int(rng.random() < 0.15) * int(rng.integers(1, 4)) - 1) % 9999 + 1
        return f"{BEGINNINGS[self.model]}{self.number:04d}.jpg"


@dataclass
class PlantedLibrary:
    """Photos and their shoots.

    Attributes:
        rows: a dictionary of columns for each photo.
        shoots: number of the true shoot of each photo.
    """

    rng: np.random.Generator
    rows: list[dict[str, Any]] = field(default_factory=list)
    shoots: list[int] = field(default_factory=list)

    def photos(self) -> tuple[PhotoSet, NDArray[np.int64]]:
        """The photos in order of id, which says nothing, and the true shoot of each, int64 ``(n,)``."""
        order = self.rng.permutation(len(self.rows))
        rows = [self.rows[at] for at in order]
        n = len(rows)
        columns = {name: tuple(row[name] for row in rows) for name in rows[0] if name != "visual"}
        found = PhotoSet(
            ids=tuple(str(uuid.UUID(int=at)) for at in range(n)),
            features=np.full((n, len(FEATURES)), np.nan, np.float32),
            visual=np.stack([row["visual"] for row in rows]).astype(np.float32),
            style=np.empty((n, 0), np.float32),
            lenses=(None,) * n,
            credits=(None,) * n,
            place_names=(None,) * n,
            thumbnails=(None,) * n,
            visual_space=VISUAL,
            style_space=None,
            **columns,
        )
        return found, np.array(self.shoots, np.int64)[order]

    def add(self, shoot: int, row: dict[str, Any]) -> None:
        self.rows.append(row)
        self.shoots.append(shoot)

    def drawn(self, length: float = 1.0) -> NDArray[np.float64]:
        return length * self.rng.normal(size=DIM) / np.sqrt(DIM)


def planted_shoots(seed: int = 0, people: int = 6, days: int = 4) -> tuple[PhotoSet, NDArray[np.int64]]:
    """A library of ``people`` who worked on ``days`` days each, and the true shoot of each photo, int64 ``(n,)``."""
    rng = np.random.default_rng(seed)
    library = PlantedLibrary(rng)
    common, shoot = library.drawn(0.5), 0
    for person in range(people):
        layout = LAYOUTS[int(rng.integers(len(LAYOUTS)))]
        models = rng.choice(len(MODELS), 2, replace=False)
        cameras = [_Camera(MODELS[model], int(rng.integers(1, 9999))) for model in models]
        if rng.random() < 0.5:
            cameras[1].wrong = timedelta(hours=float(rng.choice([1.0, -7.0, 9.0, 24.0 * 400])))
        day = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days=int(rng.integers(300)))
        own = common + library.drawn(0.3)
        for _ in range(days):
            day += timedelta(days=int(rng.integers(1, 30)))
            _work_day(library, person, layout, cameras[: 1 + int(rng.random() < 0.4)], day, own, shoot)
            shoot = max(library.shoots) + 1
    return library.photos()


def _work_day(
    library: PlantedLibrary,
    person: int,
    layout: str,
    cameras: list[_Camera],
    day: datetime,
    own: NDArray[np.float64],
    shoot: int,
) -> None:
    rng = library.rng
    clock = day + timedelta(hours=8)
    for of_day in range(int(rng.integers(1, 4))):
        place = (50 + 0.3 * float(rng.normal()), 10 + 0.3 * float(rng.normal())) if rng.random() < 0.4 else None
        told = rng.random() > 0.3
        here = own + library.drawn(0.55)
        folder = {
            "by shoot": f"/pool/p{person}/{day:%Y-%m-%d} {of_day + 1}",
            "by day": f"/pool/p{person}/{day:%Y-%m-%d}",
            "by person": f"/pool/p{person}",
            "one folder": "/pool/all",
        }[layout]
        titled = rng.random() < 0.1
        for _ in range(int(rng.integers(1, 5))):
            scene = here + library.drawn(0.5)
            for _ in range(int(rng.integers(2, 7))):
                clock += timedelta(seconds=float(rng.exponential(90)))
                camera = cameras[int(rng.integers(len(cameras)))]
                kept = told and rng.random() > 0.1
                visual = scene + library.drawn(0.4)
                row = {
                    "names": f"person {person}",
                    "visual": visual / np.linalg.norm(visual),
                    "taken_at": (clock + camera.wrong).replace(tzinfo=None).isoformat(timespec="seconds")
                    if kept
                    else None,
                    "places": place if kept else None,
                    "cameras": camera.model if kept else None,
                    "paths": f"{folder}/{_title(rng) if titled else camera.next(rng)}",
                    "fingerprints": rng.bytes(32).hex(),
                }
                library.add(shoot, row)
                if rng.random() < 0.08:
                    library.add(shoot, _copy(library, row, person))
            clock += timedelta(minutes=float(rng.exponential(12)))
        clock += timedelta(minutes=float(rng.choice([50, 90, 150, 240])))
        shoot += 1


def _title(rng: np.random.Generator) -> str:
    """A name without a number."""
    return "".join(rng.choice(list("aeiklmnorst"), 8)) + ".jpg"


def _copy(library: PlantedLibrary, row: dict[str, Any], person: int) -> dict[str, Any]:
    """The photo exported under another name, without EXIF."""
    visual = row["visual"] + library.drawn(0.15)
    name = f"/pool/p{person}/exports/{library.rng.choice(['final', 'web', 'print'])}-{library.rng.bytes(3).hex()}x.jpg"
    return row | {
        "visual": visual / np.linalg.norm(visual),
        "taken_at": None,
        "places": None,
        "cameras": None,
        "paths": name,
        "fingerprints": f"{int(row['fingerprints'], 16) ^ 0b1011:064x}",
    }


def bcubed(found: NDArray[np.int64], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Precision and recall of groups, the mean over photos. Source: Bagga and Baldwin, "Entity-based cross-document
    coreferencing using the vector space model", COLING-ACL 1998."""
    together, same = found[:, None] == found, truth[:, None] == truth
    both = (together & same).sum(axis=1)
    return float((both / together.sum(axis=1)).mean()), float((both / same.sum(axis=1)).mean())


def pair_errors(found: NDArray[np.int64], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Share of the pairs of one shoot that were split, and of the pairs joined those of two shoots."""
    upper = np.triu_indices(len(truth), 1)
    together, same = (found[:, None] == found)[upper], (truth[:, None] == truth)[upper]
    split, joined = (same & ~together).sum() / max(1, same.sum()), (together & ~same).sum() / max(1, together.sum())
    return float(split), float(joined)
