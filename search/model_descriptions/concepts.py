"""Description of the space ``concepts``: WordNet's concepts and basic colours that a picture shows.

``workers.embedders.image.concepts`` fills it.
"""

from __future__ import annotations

from search.model_descriptions.description import ModelDescription
from search.spaces import Distance, Space
from search.words.table import SPACE, table

CUTOFF = 0.003
"""Least value of the component of a concept with up to three classes."""

LEAST_COLOUR = 0.05
"""Least share of a picture's pixels that have a colour."""

VERSION = "1"
"""Version of how components are computed; the table has a version of its own."""

COLOURS_VERSION = "1"
"""Version of how shares of colours are computed (``workers.embedders.image.colours``)."""


def concepts_space(image: ModelDescription) -> Space:
    """The space as a model with ``imagenet_classes`` fills it."""
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
