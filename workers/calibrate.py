"""Learn likeness curves (``search.likeness.curve``) from labelled media.

    python -m workers.calibrate HOME DIR… > search/likeness/likeness_curves.json

learns the shipped curves from a data directory into which the folders have been ingested. Labels are the folders in
each DIR, or the columns path and label of its ``manifest.csv``. A DIR whose name begins with ``photographers`` teaches
``style``, others all other spaces.

Each medium with another of its label is a query, see ``search.likeness.labelled_pairs``. Pairs of a picture and a video
are made of key frames, which stand for pictures, and other videos than theirs. ``--check`` prints instead how far
likeness is off on media that the curves were not learnt from (two halves at random, each judged by the curves of the
other).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.evaluation.reliability import Reliability, reliability
from search.labels import labels_by_id, read_labels
from search.likeness.best_pairs import Background
from search.likeness.curve import LikenessCurve, features, pair_of_kinds
from search.likeness.curves import compared_spaces
from search.likeness.labelled_pairs import Labelled, ScoredPairs, draw_pairs, labels_are_about
from search.media import Kind
from search.spaces import Space
from search.store.edge.store import EdgeStore

LEAST_PAIRS, LEAST_PROVISIONAL = 40, 10
"""Fewest pairs of the same label for a curve, and for a provisional one."""

BACKGROUND_PAIRS = 20_000
"""Pairs of single vectors with different labels that the background is measured on, at most."""


def learn(media: Sequence[Labelled], seed: int = 0, *, provisional: bool = False) -> dict[str, LikenessCurve]:
    """Fit the curves of one space, by pair of kinds; kinds with too few pairs of the same label have none.

    Args:
        provisional: :data:`LEAST_PROVISIONAL` pairs are enough instead of :data:`LEAST_PAIRS`.
    """
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
    """Mean and deviation of the cosines of single vectors with different labels; None without any."""
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


def fit(pairs: ScoredPairs, background: Background, *, provisional: bool = False) -> LikenessCurve:
    """Curve of greatest likelihood of these pairs, by L-BFGS."""
    from scipy.optimize import minimize  # every node imports this module; few of them calibrate
    from scipy.special import expit

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
    """Queries and candidates of a pair of kinds."""
    held = [item for item in media if item.kind is other]
    pictures = [item for item in media if item.kind is Kind.IMAGE]
    if (one, other) != (Kind.IMAGE, Kind.VIDEO) or not pictures:
        return [item for item in media if item.kind is one], held
    stills = [
        Labelled(Kind.IMAGE, video.label, video.rows[at : at + 1], video.source)
        for video in held
        for at in range(len(video.rows))
    ]
    # The videos are the queries, so that each meets stills of its label and of others among all pictures.
    return held, [*stills, *pictures]


def _any_row(item: Labelled, rng: np.random.Generator) -> NDArray[np.float32]:
    row: NDArray[np.float32] = item.rows[rng.integers(len(item.rows))]
    return row


def labelled_media(home: Path, folders: Sequence[Path]) -> dict[Space, list[Labelled]]:
    """Labelled media of the folders in a data directory, by every space that the labels apply to.

    Raises:
        UsageError, NotFoundError: a folder holds nothing labelled, or is not there.
        StoreError: the data directory cannot be opened.
    """
    labels, folder_of = {}, {}
    for folder in folders:
        for path, label in read_labels(folder).items():
            labels[path], folder_of[path] = f"{folder.name}/{label}", folder.name
    found: dict[Space, list[Labelled]] = {}
    store = EdgeStore(home)
    try:
        by_id, folder_by_id = labels_by_id(store, labels), labels_by_id(store, folder_of)
        for collection in store.collections():
            schema = store.schema(collection)
            spaces = {space.name: space for space in compared_spaces(schema)}
            for point in store.scroll(collection, vectors=[*spaces], payload=False):
                for name, rows in point.vectors.items():
                    if point.id in by_id and labels_are_about(name, folder_by_id[point.id]):
                        item = Labelled(schema.kind, by_id[point.id], rows, point.id)
                        found.setdefault(spaces[name], []).append(item)
    finally:
        store.close()
    return found


def held_out(media: Sequence[Labelled], seed: int = 1) -> Reliability | None:
    """Reliability of a space's curves on held-out media: each random half is judged by the curves of the other half.

    None where no curve can be learnt from either half.
    """
    rng = np.random.default_rng(seed)
    halves = rng.permutation(len(media)) % 2
    predicted, same, weights, items = [], [], [], 0
    for half in (0, 1):
        curves = learn([item for item, of in zip(media, halves, strict=True) if of != half])
        judged = [item for item, of in zip(media, halves, strict=True) if of == half]
        for one, other in combinations_with_replacement(Kind, 2):
            curve = curves.get(pair_of_kinds(one, other))
            pairs = draw_pairs(*_sides(judged, one, other), curve.background, rng) if curve else None
            if curve is None or pairs is None:
                continue
            predicted.append(curve.likenesses(pairs.scores))
            same.append(pairs.same)
            weights.append(pairs.weights)
            items += pairs.items
    if not items:
        return None
    return reliability(np.concatenate(predicted), np.concatenate(same), np.concatenate(weights), items)


def main(arguments: Sequence[str]) -> None:
    check = arguments[:1] == ["--check"]
    given = arguments[1:] if check else arguments
    if len(given) < 2:
        raise SystemExit("usage: python -m workers.calibrate [--check] HOME DIR…")
    spaces = labelled_media(Path(given[0]), [Path(text).absolute() for text in given[1:]])
    if not spaces:
        raise SystemExit("None of these folders has been ingested there.")
    if check:
        for space, media in spaces.items():
            if measured := held_out(media):
                print(f"{space.name}: ECE {measured.ece:.3f}, {measured.pairs} pairs of {measured.items} media")
        return
    learnt = {
        space.fingerprint: {
            "space": space.name,
            "curves": {kinds: curve.to_json() for kinds, curve in learn(media).items()},
        }
        for space, media in spaces.items()
    }
    json.dump(learnt, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
