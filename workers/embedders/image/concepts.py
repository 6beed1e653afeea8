"""Sparse vector of a picture or video over WordNet's concepts and the basic colours.

The value of a concept is the sum of the probabilities of the classes at or below it. A component is that value less the
components below it, where the difference exceeds ``least``. ``Table.at_or_below`` gives the weights with which a dot
product restores the value of a concept to within its ``least``. So a dalmatian takes one component, not one for each
of dog, canine, carnivore and so on up to entity.

Source of the concepts: Miller, WordNet: A Lexical Database for English, CACM 1995 (version 3.0).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from search.model_descriptions.concepts import CUTOFF, LEAST_COLOUR
from search.store.base import Array
from search.words.table import table
from workers.embedders.image import colours

CLASSES = 1000
"""ImageNet-1k, in the order of every classifier head used here."""

_ROUNDING = 1e-5
"""Tolerance of sums of float32, so that a thousand equal probabilities give no component."""


def concept_vector(probabilities: Array, whole: NDArray[np.uint8] | None) -> tuple[Array, tuple[int, ...]]:
    """The vector of one picture, or of one video from its key frames.

    Args:
        probabilities: float32 ``(n, 1000)``, of each frame; rows sum to 1.
        whole: the same frames whole, uint8 ``(n, height, width, 3)`` sRGB; None leaves the colours out.

    Returns:
        float32 ``(1, dim)``, all zeros when n is 0. With several frames a
        concept's value is the maximum over them, and a component is negative where those below it add up to more. And,
        with several frames, for each component that is not zero, in order, the index of the frame where its concept or
        colour is greatest; empty with one frame.

    Raises:
        ValueError: other shapes.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != CLASSES:
        raise ValueError(f"Class probabilities have the shape {probabilities.shape} instead of (n, {CLASSES}).")
    if whole is not None and len(whole) != len(probabilities):
        raise ValueError(f"There are {len(whole)} whole pictures for {len(probabilities)} rows of probabilities.")
    n = len(probabilities)
    vector = np.zeros((1, table().dim), np.float32)
    if not n:
        return vector, ()
    values = np.zeros((n, table().dim), np.float32)
    values[:, : len(table())] = _summed(probabilities)
    if whole is not None:
        values[:, len(table()) :] = colours.colour_shares(whole)
    greatest = values.max(axis=0)
    vector[0, : len(table())] = _remainders(greatest[: len(table())])
    shares = greatest[len(table()) :]
    vector[0, len(table()) :] = np.where(shares >= LEAST_COLOUR, shares, 0)
    if n == 1:
        return vector, ()
    kept = np.flatnonzero(vector[0])
    return vector, tuple(int(frame) for frame in values[:, kept].argmax(axis=0))


@cache
def least() -> Array:
    """Threshold of each component, float32 ``(concepts,)``: ``CUTOFF``, or the sum of the concept's classes under equal
    probabilities where that is more, because a sum over many classes is never zero.

    Chosen by AP of words on 800 photos (tests/benchmarks/bench_words.py): 18 concepts a picture, mean AP of twelve
    words .891 against .897 with nothing cut; values themselves cut at .005 take 71 for .890, at .03 27 for .844.
    """
    return np.maximum(CUTOFF, np.array([len(below) for below in table().classes]) / CLASSES).astype(np.float32)


def _summed(probabilities: Array) -> Array:
    """Value of each concept, float32 ``(n, concepts)``, of probabilities float32 ``(n, 1000)``."""
    members, starts = _members()
    return np.add.reduceat(probabilities[:, members], starts, axis=1)


@cache
def _members() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Classes of all concepts, concatenated, and the start of each concept's."""
    lists = table().classes
    starts = np.cumsum([0, *(len(one) for one in lists[:-1])])
    return np.concatenate([np.array(one, np.intp) for one in lists]), starts


def _remainders(values: Array) -> Array:
    """Value of each concept less the components below it, where that exceeds ``least``, float32 ``(concepts,)``."""
    kept = np.zeros(len(values), np.float32)
    # No concept below one of less than the cutoff has more.
    order = table().order[values[table().order] >= CUTOFF]
    below = table().below[np.ix_(order, order)].astype(np.float32)
    found = np.zeros(len(order), np.float32)
    enough = least()[order]
    worth = values[order]
    for at in range(len(order)):
        rest = worth[at] - below[at, :at] @ found[:at]
        if abs(rest) > enough[at] + _ROUNDING:
            found[at] = rest
    kept[order] = found
    return kept
