"""The space ``concepts``: what a picture shows, over WordNet's concepts and the basic colours.

``workers.embedders.image.concepts`` fills it.
"""

from __future__ import annotations

from search.model_descriptions.description import ModelDescription
from search.spaces import Distance, Space
from search.words.table import SPACE, table

CUTOFF = 0.003
"""Least value of a component of a concept of up to three classes."""

LEAST_COLOUR = 0.05
"""Least share of a picture's pixels under a colour."""

VERSION = "1"
"""Changes with what any component holds; the version of the table changes with what components there are."""

COLOURS_VERSION = "1"
"""Changes with how shares of colours are computed (``workers.embedders.image.colours``)."""


def concepts_space(image: ModelDescription) -> Space:
    """The space as a model with ImageNet's classes fills it."""
    return Space(
        name=SPACE,
        model=image.name,
        revision=f"{image.revision}/{VERSION}.{COLOURS_VERSION}/{table().version}",
        preprocessing=(
            f"{image.preprocessing}; softmax, summed up WordNet 3.0, above what lies below and {CUTOFF} and chance; "
            f"shares of colour names of the whole picture from {LEAST_COLOUR}; of a video the most of its key frames"
        ),
        dim=table().dim,
        distance=Distance.DOT,
    )
