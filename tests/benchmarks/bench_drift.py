"""How often a change of style is told where there is none, and where there is one.

    .venv/bin/python tests/benchmarks/bench_drift.py [--draws N]

Shoots of 3 to 11 photos are drawn: each varies by one deviation, its photos by 1.25. ``Alike`` is the correlation of a
shoot with the one before, and ``change`` the shift of brightness and colours from the middle on, in deviations of
shoots. Without a change every alarm is false; those of shoots that are alike are what nothing but their order tells.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from search.photographers.photos.features import FEATURES, INDEX
from search.photographers.profiles.drift import drift
from search.store.base import Array

COUNTS = (20, 40, 80)
CASES = ((0.0, 0.0), (0.5, 0.0), (0.0, 1.0), (0.0, 1.5), (0.0, 2.0), (0.0, 3.0))
CHANGED = tuple(INDEX[name] for name in ("gray_mean", "red_mean", "green_mean", "blue_mean"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    for count in COUNTS:
        for alike, change in CASES:
            found = [drift(shoots(np.random.default_rng(seed), count, alike, change)) for seed in range(draws)]
            told = [one.at for one in found if one is not None]
            near = sum(abs(at - count // 2) <= 1 for at in told)
            place = f", {near} of them within a shoot of where it was made" if change else ""
            print(f"{count} shoots, alike {alike}, change {change}: {len(told)} of {draws} told{place}", flush=True)


def shoots(rng: np.random.Generator, count: int, alike: float, change: float) -> list[Array]:
    """float32 ``(photos, 78)`` of each shoot."""
    own = rng.normal(size=(count, len(FEATURES)))
    for at in range(1, count):
        own[at] = alike * own[at - 1] + np.sqrt(1 - alike**2) * own[at]
    own[count // 2 :, CHANGED] -= change
    photos = [mean + 1.25 * rng.normal(size=(int(rng.integers(3, 12)), len(FEATURES))) for mean in own]
    return [(100 + 20 * some).astype(np.float32) for some in photos]


if __name__ == "__main__":
    main()
