"""Renames applied to the answers of trained models.

A model knows photographers by the names of its training. The next training takes the new names; until then the
probabilities of photographers that were merged are added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from search.photographers.answers import Candidate
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.miscredits import OutOfFold
from search.photographers.space import PhotographerSpace
from search.store.base import Array

if TYPE_CHECKING:
    from search.photographers.classifier.classifier import Verdict

Aliases: TypeAlias = Mapping[str, str]
"""Old name to current name of everybody who was renamed."""


def renamed_verdict(verdict: Verdict, aliases: Aliases) -> Verdict:
    """A verdict with current names.

    The reasons are those of the first candidate; they are dropped where another candidate is first now.
    """
    if not verdict.candidates or not any(candidate.photographer in aliases for candidate in verdict.candidates):
        return verdict
    candidates = _candidates(verdict.candidates, aliases)
    first, trees = verdict.candidates[0].photographer, verdict.by_trees
    return replace(
        verdict,
        candidates=candidates,
        unknown=verdict.unknown and candidates[0].probability < verdict.threshold,
        reasons=verdict.reasons if aliases.get(first, first) == candidates[0].photographer else (),
        by_style=_candidates(verdict.by_style, aliases),
        by_subject=_candidates(verdict.by_subject, aliases),
        by_file=_candidates(verdict.by_file, aliases),
        by_trees=trees and replace(trees, candidates=_candidates(trees.candidates, aliases)),
        one_of=tuple(dict.fromkeys(aliases.get(name, name) for name in verdict.one_of)),
        nearness=_nearness(verdict.nearness, aliases),
    )


def renamed_predictions(predictions: OutOfFold, aliases: Aliases) -> OutOfFold:
    """Out-of-fold predictions with current names."""
    names, sums = _merging(predictions.names, aliases)
    if names == predictions.names:
        return predictions
    return OutOfFold(names, {id_: sums @ probabilities for id_, probabilities in predictions.rows.items()})


def renamed_space(space: PhotographerSpace, aliases: Aliases) -> PhotographerSpace:
    """A space with current names; a merged photographer is the mean of those before, weighted by their photos."""
    names, sums = _merging(space.names, aliases)
    if names == space.names:
        return space
    weights = sums * np.fmax(space.photos, 1)
    shares = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    current = sums.argmax(axis=0)
    return PhotographerSpace(
        names,
        space.report,
        {
            "vectors": shares @ space.vectors,
            "photos": (sums @ space.photos).astype(space.photos.dtype),
            "frames": shares @ space.frames,
            "steps": space.steps,
        },
        {
            "ids": np.array(space.ids),
            "codes": space.codes,
            "owners": np.where(space.owners < 0, -1, current[space.owners]),
            "clusters": space.clusters,
        },
        folded_in=len(names) - len({aliases.get(name, name) for name in space.trained}),
    )


def _candidates(candidates: Iterable[Candidate], aliases: Aliases) -> tuple[Candidate, ...]:
    """Candidates with current names, the most probable first."""
    found: dict[str, float] = {}
    for one in candidates:
        name = aliases.get(one.photographer, one.photographer)
        found[name] = found.get(name, 0.0) + one.probability
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(Candidate(name, probability, photographer_id(name)) for name, probability in ordered)


def _nearness(nearness: Mapping[str, float], aliases: Aliases) -> Mapping[str, float]:
    """Nearness to photographers with current names."""
    found: dict[str, float] = {}
    for name, cosine in nearness.items():
        current = aliases.get(name, name)
        found[current] = max(found.get(current, cosine), cosine)
    return found


def _merging(names: tuple[str, ...], aliases: Aliases) -> tuple[tuple[str, ...], Array]:
    """Current names in order of their first, and float32 ``(current, names)``: 1 where a name has that current name."""
    current = [aliases.get(name, name) for name in names]
    found = tuple(dict.fromkeys(current))
    sums = np.zeros((len(found), len(names)), np.float32)
    sums[[found.index(name) for name in current], np.arange(len(names))] = 1
    return found, sums
