"""What trained models say of people who are called otherwise since: renamed, or made one with somebody.

A model knows everybody by the name of its training. The next training takes the new names up; until then what is said
of several who are one now is added up here.
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
"""What everybody who was renamed is called now."""


def renamed_verdict(verdict: Verdict, called: Aliases) -> Verdict:
    """The reasons are those of the candidate who was first; they go where that is another one now."""
    if not verdict.candidates or not any(candidate.photographer in called for candidate in verdict.candidates):
        return verdict
    candidates = _candidates(verdict.candidates, called)
    first = verdict.candidates[0].photographer
    return replace(
        verdict,
        candidates=candidates,
        unknown=verdict.unknown and candidates[0].probability < verdict.threshold,
        reasons=verdict.reasons if called.get(first, first) == candidates[0].photographer else (),
        by_style=_candidates(verdict.by_style, called),
        by_subject=_candidates(verdict.by_subject, called),
    )


def renamed_predictions(said: OutOfFold, called: Aliases) -> OutOfFold:
    names, sums = _merging(said.names, called)
    if names == said.names:
        return said
    return OutOfFold(names, {id_: sums @ probabilities for id_, probabilities in said.rows.items()})


def renamed_space(space: PhotographerSpace, called: Aliases) -> PhotographerSpace:
    """Who is one now stands in the middle of those they were, by their photos."""
    names, sums = _merging(space.names, called)
    if names == space.names:
        return space
    weights = sums * np.fmax(space.photos, 1)
    shares = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    now = sums.argmax(axis=0)
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
            "owners": np.where(space.owners < 0, -1, now[space.owners]),
            "clusters": space.clusters,
        },
        placed=len(names) - len({called.get(name, name) for name in space.learnt}),
    )


def _candidates(candidates: Iterable[Candidate], called: Aliases) -> tuple[Candidate, ...]:
    """By their names of now, the most probable first."""
    found: dict[str, float] = {}
    for one in candidates:
        name = called.get(one.photographer, one.photographer)
        found[name] = found.get(name, 0.0) + one.probability
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(Candidate(name, probability, photographer_id(name)) for name, probability in ordered)


def _merging(names: tuple[str, ...], called: Aliases) -> tuple[tuple[str, ...], Array]:
    """The names of now, in the order of their first, and which of ``names`` each of them stands for, float32 0 or 1."""
    now = [called.get(name, name) for name in names]
    found = tuple(dict.fromkeys(now))
    sums = np.zeros((len(found), len(names)), np.float32)
    sums[[found.index(name) for name in now], np.arange(len(names))] = 1
    return found, sums
