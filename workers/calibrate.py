"""Learning likeness curves (``search.likeness``) from labelled media.

    python -m workers.calibrate HOME DIR… > search/likeness_curves.json

learns those that ship with the models from a data directory into which the folders have been ingested. Labels are the
folders in each DIR, or the columns path and label of its ``manifest.csv``. Photographers (folders whose name begins
with ``photographers``) are labels of ``style``, and all others labels of what is shown and heard.

Each medium with another of its label asks: up to :data:`PAIRS_EACH` of its label and as many of others are drawn, and
its own and other labels weigh the same, so that large labels do not outvote small ones. Pairs of a still and a video
are made of key frames, with the videos that they are not from, where no picture and video share a label.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from search.errors import UsageError
from search.evidence import Background, best_pair, corrected, effective_rows
from search.likeness import LikenessCurve, features, pair_of_kinds
from search.media import Kind
from search.store.base import Array

PAIRS_EACH = 20
"""Most pairs of the same label, and of others, for each medium that asks."""

LEAST_PAIRS = 40
"""Fewest pairs of the same label that a curve is learnt from."""

BACKGROUND_PAIRS = 20_000
"""Pairs of single vectors with different labels that the background is measured on, at most."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One medium in one space.

    Attributes:
        rows: float32 ``(k, dim)``, L2-normalised.
        source: media with the same source are parts of one another, and make no pair.
    """

    kind: Kind
    label: str
    rows: Array
    source: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one pair of kinds, as float64 ``(n,)`` each.

    Attributes:
        scores: corrected scores of the best pairs of vectors.
        same: 1 where the labels agree, else 0.
        weights: those of one medium's pairs of the same label sum to a half, and those of other labels.
        items: how many media asked.
    """

    scores: NDArray[np.float64]
    same: NDArray[np.float64]
    weights: NDArray[np.float64]
    items: int


def learn(media: Sequence[Labelled], seed: int = 0, *, provisional: bool = False) -> dict[str, LikenessCurve]:
    """The curves of one space, by pair of kinds, of which there are :data:`LEAST_PAIRS` pairs of the same label."""
    rng = np.random.default_rng(seed)
    background = background_of(media, rng)
    if background is None:
        return {}
    curves: dict[str, LikenessCurve] = {}
    for one, other in combinations_with_replacement(Kind, 2):
        pairs = draw_pairs(*_sides(media, one, other), background, rng)
        if pairs is not None and pairs.same.sum() >= LEAST_PAIRS:
            curves[pair_of_kinds(one, other)] = fit(pairs, background, provisional=provisional)
    return curves


def background_of(media: Sequence[Labelled], rng: np.random.Generator) -> Background | None:
    """Mean and deviation of the cosines of single vectors with different labels; None where there are none."""
    if len({one.label for one in media}) < 2:
        return None
    scores: list[float] = []
    for _ in range(5 * BACKGROUND_PAIRS):
        left, right = (media[at] for at in rng.integers(len(media), size=2))
        if left.label != right.label:
            scores.append(float(_any_row(left, rng) @ _any_row(right, rng)))
        if len(scores) == BACKGROUND_PAIRS:
            break
    deviation = float(np.std(scores)) if scores else 0.0
    return Background(float(np.mean(scores)), deviation) if deviation > 0 else None


def draw_pairs(
    asking: Sequence[Labelled], held: Sequence[Labelled], background: Background, rng: np.random.Generator
) -> Pairs | None:
    """Pairs of media that ask with others; None where no two share a label."""
    labels = np.array([one.label for one in held])
    sources = np.array([one.source for one in held])
    effective = np.array([effective_rows(one.rows, background) for one in held])
    scores, tries, same, weights, items = [], [], [], [], 0
    for one in asking:
        alike = np.flatnonzero((labels == one.label) & (sources != one.source))
        unlike = np.flatnonzero(labels != one.label)
        if not len(alike) or not len(unlike):
            continue
        items += 1
        own = effective_rows(one.rows, background)
        for candidates, truth in ((alike, 1.0), (unlike, 0.0)):
            drawn = rng.choice(candidates, min(PAIRS_EACH, len(candidates)), replace=False)
            for at in drawn:
                scores.append(best_pair(one.rows, held[at].rows))
                tries.append(own * effective[at])
                same.append(truth)
                weights.append(0.5 / len(drawn))
    if not items:
        return None
    single = corrected(np.array(scores, np.float64), np.array(tries), background)
    return Pairs(single, np.array(same), np.array(weights), items)


def fit(pairs: Pairs, background: Background, *, provisional: bool = False) -> LikenessCurve:
    """The curve of greatest likelihood."""
    given = features(pairs.scores)
    weights = pairs.weights / pairs.weights.sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = given @ parameters[:3] + parameters[3]
        error = weights * (expit(logits) - pairs.same)
        value = float(weights @ (np.logaddexp(0.0, logits) - pairs.same * logits))
        return value, np.append(given.T @ error, error.sum())

    start = np.array([1.0, 1.0, 1.0, 0.0])
    bounds = [(0.0, None)] * 3 + [(None, None)]
    low, high, slope, shift = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return LikenessCurve(
        float(low), float(high), float(slope), float(shift), background, len(pairs.scores), pairs.items, provisional
    )


def _sides(media: Sequence[Labelled], one: Kind, other: Kind) -> tuple[list[Labelled], list[Labelled]]:
    """What asks and what is compared with, of a pair of kinds."""
    held = [item for item in media if item.kind is other]
    pictures = [item for item in media if item.kind is Kind.IMAGE]
    if (one, other) != (Kind.IMAGE, Kind.VIDEO) or not pictures:
        return [item for item in media if item.kind is one], held
    stills = [
        Labelled(Kind.IMAGE, video.label, video.rows[at : at + 1], video.source)
        for video in held
        for at in range(len(video.rows))
    ]
    # The videos ask, so that each meets stills of its label and strangers among all pictures.
    return held, [*stills, *pictures]


def _any_row(item: Labelled, rng: np.random.Generator) -> NDArray[np.float32]:
    row: NDArray[np.float32] = item.rows[rng.integers(len(item.rows))]
    return row


def labelled_media(home: Path, folders: Sequence[Path]) -> Iterator[tuple[str, str, Labelled]]:
    """Fingerprint and name of a space, and a labelled medium in it, for everything of the folders in a data directory.

    Raises:
        UsageError, NotFoundError: a folder holds nothing labelled, or is not there.
        StoreError: the data directory cannot be opened.
    """
    from search.labels import read_labels
    from search.records import asked_fields
    from search.store.edge import EdgeStore

    labels = {
        path: (folder.name.startswith("photographers"), f"{folder.name}/{label}")
        for folder in folders
        for path, label in read_labels(folder).items()
    }
    store = EdgeStore(home)
    try:
        for collection in store.collections():
            schema = store.schema(collection)
            spaces = {field.space.name: field.space for field in asked_fields(schema)}
            for point in store.scroll(collection, vectors=[*spaces], payload=["paths"]):
                found = next((labels[path] for path in point.payload["paths"] if path in labels), None)
                if found is None:
                    continue
                of_photographer, label = found
                for name, rows in point.vectors.items():
                    if (name == "style") == of_photographer:
                        yield spaces[name].fingerprint, name, Labelled(schema.kind, label, rows, point.id)
    finally:
        store.close()


def main(arguments: Sequence[str]) -> None:
    if len(arguments) < 2:
        raise SystemExit("usage: python -m workers.calibrate HOME DIR…")
    spaces: dict[str, tuple[str, list[Labelled]]] = {}
    for fingerprint, name, item in labelled_media(Path(arguments[0]), [Path(text) for text in arguments[1:]]):
        spaces.setdefault(fingerprint, (name, []))[1].append(item)
    learnt: Mapping[str, object] = {
        fingerprint: {"space": name, "curves": {kinds: curve.to_json() for kinds, curve in learn(media).items()}}
        for fingerprint, (name, media) in spaces.items()
    }
    if not learnt:
        raise UsageError("None of these folders has been ingested there.")
    json.dump(learnt, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
