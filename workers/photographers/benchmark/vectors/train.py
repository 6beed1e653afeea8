"""Checks of the photographers' vectors that the joint model learns, against the true presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from search.errors import UsageError
from search.evaluation.statistics import Estimate
from workers.decode.decoded import CROP
from workers.photographers.benchmark.options import PresetOptions
from workers.photographers.benchmark.photos import BasePhoto, Split
from workers.photographers.benchmark.results import BenchmarkCheck, check, unmeasured
from workers.photographers.benchmark.vectors.accuracy import (
    LEAST_AGREEMENT,
    LEAST_RATIO,
    LEAST_SPEARMAN,
    JointMeasure,
    VectorMeasure,
    measure_presets,
)

MOST_LEARNT, MOST_HELD = 60, 30
"""Base photos to learn from and to ask about: all are held in memory as forty photographers develop them."""


def vector_checks(
    split: Split, level: float, options: PresetOptions, say: Callable[[str], None]
) -> list[BenchmarkCheck]:
    """Error ratio, rank correlation and agreement of vectors of each size, and of photographers folded in from ten
    photos. Learnt as often as there are seeds, on the same photographers and photos."""
    photos = (*split.gallery[:MOST_LEARNT], *split.question[:MOST_HELD])
    try:
        found = _measured(photos, level, options, say)
    except UsageError as error:
        return [unmeasured("vectors", "photographers' vectors", error.message)]
    return [one for vectors in found.vectors for one in _checks(vectors, options)]


def _measured(
    photos: Sequence[BasePhoto], level: float, options: PresetOptions, say: Callable[[str], None]
) -> JointMeasure:
    return measure_presets(
        np.stack([cv2.resize(photo.pixels, (CROP, CROP), interpolation=cv2.INTER_AREA) for photo in photos]),
        [photo.subject for photo in photos],
        tuple(range(options.seeds)),
        presets=options.presets,
        level=level,
        most=(MOST_LEARNT, MOST_HELD),
        say=say,
    )


def _checks(found: VectorMeasure, options: PresetOptions) -> list[BenchmarkCheck]:
    size = found.dimensions
    right, wrong = found.errors.right, found.errors.wrong
    ratio = Estimate(found.ratio, wrong.low / right.high, wrong.high / right.low, right.n)
    pairs = options.presets * (options.presets - 1) // 2
    ceiling = f"the parameters themselves, pressed into {size} components: {found.best_spearman:.2f}"
    checks = [
        check(
            f"vectors_{size}_ratio",
            f"{size}-d vectors: error with a wrong one over the right one's",
            ratio,
            low=LEAST_RATIO,
        ),
        check(
            f"vectors_{size}_spearman",
            f"{size}-d vectors: Spearman of distances with those of presets",
            _bare(found.spearman, pairs),
            low=LEAST_SPEARMAN,
            note=ceiling,
        ),
        check(
            f"vectors_{size}_colour",
            f"{size}-d vectors: Spearman of distances with mean colour differences of the same photos",
            _bare(found.colour_spearman, pairs),
            note="no bound is set for it",
        ),
        check(
            f"vectors_{size}_folded",
            f"{size}-d vectors: the same ratio, photographers folded in from ten photos",
            _bare(found.folded_ratio, options.presets),
            note="no bound is set for it",
        ),
    ]
    if options.seeds > 1:
        agreement = _bare(found.agreement, options.seeds * (options.seeds - 1) // 2)
        words = f"{size}-d vectors: Procrustes R² between seeds"
        checks.append(check(f"vectors_{size}_agreement", words, agreement, low=LEAST_AGREEMENT))
    return checks


def _bare(value: float, n: int) -> Estimate:
    """A figure of all photographers together, whose interval is not estimated."""
    return Estimate(value, value, value, n)
