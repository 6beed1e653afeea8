"""Rows of the benchmark: representations of photos, each with the classifier used on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from search.photographers.photos.features import INDEX, PICTURE_ONLY
from search.store.base import Array
from workers.photographers.benchmark.heads import Classifier, boosted, discriminant, linear, nearest
from workers.photographers.benchmark.observe import Observation

GLOBAL = tuple(INDEX[name] for name in ("contrast", "red_mean", "green_mean", "blue_mean"))
METADATA = tuple(at for at in range(len(INDEX)) if at not in set(PICTURE_ONLY))
"""The features that are not of the picture alone: its size and file, the camera's notes, faces."""


@dataclass(frozen=True, slots=True)
class Representation:
    """One row: a representation and a head.

    Attributes:
        of: the vectors in a look, any leading axes.
        style: whether it is meant to see style; the best of these is compared with the pooled vector.
    """

    name: str
    words: str
    of: Callable[[Observation], Array]
    head: Classifier
    target_one: float | None = None
    target_ten: float | None = None
    style: bool = False
    note: str = ""


def four_global(observation: Observation) -> Array:
    return observation.features[..., np.array(GLOBAL)]


def picture_only(observation: Observation) -> Array:
    return observation.features[..., np.array(PICTURE_ONLY)]


def early(observation: Observation) -> Array:
    return observation.early


def metadata(observation: Observation) -> Array:
    return observation.features[..., np.array(METADATA)]


def everything(observation: Observation) -> Array:
    """All that could carry a leak, for the controls."""
    return np.concatenate((picture_only(observation), observation.statistics), axis=-1)


POOLED = "pooled"
SHIPPED, TRAINED = "style_shipped", "style_trained"
STYLE_VECTORS = frozenset({SHIPPED, TRAINED})
"""Rows whose vectors are the style space's, or would be; how much content is in them is bounded."""

REPRESENTATIONS = (
    Representation("global", "four global features, CatBoost", four_global, boosted, 0.15, 0.5),
    Representation("features", "58 picture-only features, CatBoost", picture_only, boosted, 0.5, 0.9),
    Representation(POOLED, "pooled image vector, linear", lambda observation: observation.visual, linear),
    Representation("early_linear", "early-layer statistics, linear", early, linear, 0.6, 0.95, style=True),
    Representation("early_lda", "early-layer statistics, LDA", early, discriminant, 0.6, 0.95, style=True),
    Representation(
        "statistics",
        "statistics of tone and early layers, LDA",
        lambda observation: observation.statistics,
        discriminant,
        style=True,
    ),
    Representation(
        SHIPPED,
        "style vector as shipped, LDA",
        lambda observation: observation.style,
        discriminant,
        style=True,
        note="its weights may have been trained on these photos, under other presets",
    ),
    Representation(
        TRAINED,
        "style encoder trained on the gallery's side, LDA",
        lambda observation: observation.trained,
        discriminant,
        0.8,
        0.98,
        style=True,
    ),
    Representation(
        "style_whitened",
        "statistics as that encoder evens them out, weighed by the gallery's photos too, nearest mean",
        lambda observation: observation.whitened,
        nearest,
    ),
)

CONTENT_CHECKED = tuple(
    {
        representation.of: representation
        for representation in REPRESENTATIONS
        if representation.style or representation.name == POOLED
    }.values()
)
"""One row of each representation whose content is measured."""
