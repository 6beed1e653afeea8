"""How well shoots are found where they are known: pairs split, pairs joined wrongly, B-cubed precision and recall.

    .venv/bin/python tests/benchmarks/bench_shoots.py [--seeds N] [--planted-only]

Planted libraries (``tests/plugins/planted_shoots.py``) with seeds from 100, which nothing was chosen by; then
photographers_fsa_color, where a shoot is a person, a month and a state of its manifest, with all photos and with those
alone of which the manifest knows month and state. The constants were chosen with a view to these slides.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_photographers import DATA, photos_of

from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import groups
from tests.plugins.planted_shoots import bcubed, pair_errors, planted_shoots

SLIDES = "photographers_fsa_color"
FIRST_SEED = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--planted-only", action="store_true", help="decode and embed nothing")
    chosen = parser.parse_args()
    planted = [figures(*planted_shoots(seed)) for seed in range(FIRST_SEED, FIRST_SEED + chosen.seeds)]
    show(f"planted, mean of {chosen.seeds}", np.mean(planted, axis=0))
    if chosen.planted_only:
        return
    if not DATA.is_dir():
        print("The slides were not measured: ../shared/data is absent.")
        return
    photos = photos_of(DATA / SLIDES)
    truth, known = manifest_shoots(photos)
    show(f"{SLIDES}, {len(photos)} photos", figures(photos, truth))
    found = groups(photos)
    show(f"{SLIDES}, {int(known.sum())} with month and state", of_groups(found[known], truth[known]))


def manifest_shoots(photos: PhotoSet) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """True shoot of each slide, int64 ``(n,)``, and whether its month and state are known, bool ``(n,)``."""
    with (DATA / SLIDES / "manifest.csv").open(encoding="utf-8") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    told = [rows["/".join(path.split("/")[-2:])] for path in photos.paths]
    keys = [tuple(row[name] for name in ("label", "year", "month", "state")) for row in told]
    numbers = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], np.int64), np.array(["NA" not in key for key in keys])


def figures(photos: PhotoSet, truth: NDArray[np.int64]) -> tuple[float, ...]:
    return of_groups(groups(photos), truth)


def of_groups(found: NDArray[np.int64], truth: NDArray[np.int64]) -> tuple[float, ...]:
    shoots = np.unique(truth)
    parted = sum(len(np.unique(found[truth == shoot])) > 1 for shoot in shoots)
    return (*bcubed(found, truth), *pair_errors(found, truth), float(parted), float(len(shoots)))


def show(name: str, values: tuple[float, ...] | NDArray[np.float64]) -> None:
    precision, recall, split, joined, parted, shoots = values
    print(
        f"{name}: B-cubed precision {precision:.3f}, recall {recall:.3f}; pairs split {split:.1%}, "
        f"joined wrongly {joined:.1%}; {parted:.1f} of {shoots:.1f} shoots parted",
        flush=True,
    )


if __name__ == "__main__":
    main()
