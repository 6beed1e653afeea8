"""Learning likeness curves (``search.likeness``) from labelled media; ``search.calibration`` is about percentiles.

    python -m workers.calibrate HOME DIR… > search/likeness_curves.json

learns those that ship with the models from a data directory into which the folders have been ingested. Labels are the
folders in each DIR, or the columns path and label of its ``manifest.csv``. A DIR whose name begins with
``photographers`` teaches ``style``, others all other spaces.

Each medium with another of its label asks, see ``search.labelled_pairs``. Pairs of a still and a video
are made of key frames, with the videos that they are not from, where no picture and video share a label.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from search.errors import UsageError
from search.evidence import Background
from search.labelled_pairs import Labelled, Pairs, draw_pairs, tells_of
from search.likeness import LikenessCurve, features, pair_of_kinds
from search.media import Kind

LEAST_PAIRS, LEAST_PROVISIONAL = 40, 10
"""Fewest pairs of the same label that a curve, and a provisional one, is learnt from."""

BACKGROUND_PAIRS = 20_000
"""Pairs of single vectors with different labels that the background is measured on, at most."""


def learn(media: Sequence[Labelled], seed: int = 0, *, provisional: bool = False) -> dict[str, LikenessCurve]:
    """The curves of one space, by pair of kinds, of which there are :data:`LEAST_PAIRS` pairs of the same label."""
    rng = np.random.default_rng(seed)
    background = background_of(media, rng)
    if background is None:
        return {}
    curves: dict[str, LikenessCurve] = {}
    for one, other in combinations_with_replacement(Kind, 2):
        pairs = draw_pairs(*_sides(media, one, other), background, rng)
        if pairs is not None and pairs.same.sum() >= (LEAST_PROVISIONAL if provisional else LEAST_PAIRS):
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
        path: (folder.name, f"{folder.name}/{label}")
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
                folder_name, label = found
                for name, rows in point.vectors.items():
                    if tells_of(name, folder_name):
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
