"""Training set of the classifier: photographers with enough photos, and the groups of these photos."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from search.errors import UsageError
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import groups, near_duplicate_groups, widened
from workers.photographers.classifier.fitting.ensemble import Shoots
from workers.photographers.classifier.fitting.splits import Labels

LEAST_PHOTOS = 3
"""Of a photographer: one to test on, and two to train on, so that those can be tested in turn."""

LEAST_GROUPS = 3
MOST_PHOTOS = 20_000
"""Training photos at most, as many of each photographer as can be; more would take hours and improve little."""

_DOMINANT = 0.9
_LABEL = "Say who took what: `likewise photographers label --from exif` (or folder, csv, kmeans)."


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Photos that a classifier is trained on.

    Attributes:
        names: photographers, sorted; ``labels``, intp ``(n,)``, are positions in them.
        shoots: shoots, which no test of new work may part, and near duplicates, which no test may.
        notes: what was left out, and what makes figures flatter, in sentences for people.
    """

    photos: PhotoSet
    names: tuple[str, ...]
    labels: Labels
    shoots: Shoots
    notes: tuple[str, ...]


def training_set(photos: PhotoSet, seed: int = 0) -> TrainingSet:
    """Credited photos of all photographers who have enough.

    Raises:
        UsageError: fewer than two photographers have :data:`LEAST_PHOTOS` photos; the message says how many there are.
    """
    counts = Counter(name for name in photos.names if name is not None)
    names = tuple(sorted(name for name, count in counts.items() if count >= LEAST_PHOTOS))
    if len(names) < 2:
        raise UsageError(_lacking(counts, len(photos)), _LABEL)
    notes = []
    if few := len(counts) - len(names):
        notes.append(f"Left out for fewer than {LEAST_PHOTOS} photos: {few:,} of {len(counts):,} photographers.")
    kept = _drawn(photos, names, seed)
    if len(kept) < sum(counts[name] for name in names):
        notes.append(f"Learnt from {len(kept):,} photos, as many of each photographer as there was room for.")
    chosen = photos.take(kept)
    number = {name: at for at, name in enumerate(names)}
    labels = np.array([number[name] for name in chosen.names if name is not None], np.intp)
    found = groups(chosen)
    split = widened(found, chosen.names, chosen, LEAST_GROUPS)
    if short := sum(len(np.unique(found[labels == at])) < LEAST_GROUPS for at in range(len(names))):
        notes.append(
            f"The photos of {short:,} of {len(names):,} photographers are of fewer than {LEAST_GROUPS} sessions, "
            "which had to be split for testing: figures about them are optimistic."
        )
    share = np.bincount(labels).max() / len(labels)
    if share >= _DOMINANT:
        most = names[int(np.bincount(labels).argmax())]
        notes.append(
            f"{share:.1%} of the photos are by '{most}', so that always naming them would be right as often: look at "
            "macro F1, not at accuracy."
        )
    if np.isnan(chosen.features).all():
        notes.append(
            "The features of these photos are not there; `likewise reembed --space style` computes them with it."
        )
    return TrainingSet(chosen, names, labels, Shoots(split, near_duplicate_groups(chosen)), tuple(notes))


def sampled(training: TrainingSet, most: int, seed: int) -> TrainingSet:
    """About ``most`` photos in whole groups; every photographer keeps at least three groups."""
    if len(training.labels) <= most:
        return training
    rng = np.random.default_rng(seed)
    wanted = most / len(training.labels)
    kept: set[int] = set()
    shoots = training.shoots.shoots
    for at in range(len(training.names)):
        own = np.unique(shoots[training.labels == at])
        kept.update(rng.permutation(own)[: max(3, round(wanted * len(own)))].tolist())
    rows = np.flatnonzero(np.isin(shoots, list(kept)))
    note = f"Measured on {len(rows):,} of the {len(training.labels):,} photos."
    return TrainingSet(
        training.photos.take(rows),
        training.names,
        training.labels[rows],
        training.shoots.take(rows),
        (*training.notes, note),
    )


def _drawn(photos: PhotoSet, names: tuple[str, ...], seed: int) -> np.typing.NDArray[np.intp]:
    """Positions of the training photos, intp, ascending."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[int]] = {name: [] for name in names}
    for at, name in enumerate(photos.names):
        if name in found:
            found[name].append(at)
    own = {name: np.array(rows, np.intp) for name, rows in found.items()}
    share = MOST_PHOTOS
    while sum(min(len(rows), share) for rows in own.values()) > MOST_PHOTOS and share > LEAST_PHOTOS:
        share = max(LEAST_PHOTOS, int(share * 0.9))
    parts = [rows if len(rows) <= share else rng.choice(rows, share, replace=False) for rows in own.values()]
    return np.sort(np.concatenate(parts))


def _lacking(counts: Counter[str], photos: int) -> str:
    if not counts:
        return f"None of the {photos:,} pictures is credited to a photographer, so there is nothing to learn."
    enough = sum(count >= LEAST_PHOTOS for count in counts.values())
    return (
        f"Telling photographers apart takes two with at least {LEAST_PHOTOS} photos each; among {len(counts):,} "
        f"credited, {'nobody has' if not enough else 'one has'} that many."
    )
