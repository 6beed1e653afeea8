"""API call that judges several photos at once: all by one of ours, by nobody we know, or mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from ingest.ledger.access import Scope
from search.photographers.answers import PhotoEvidence, SetPrediction
from search.records.lookup import probe_of
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort
from web.api.questions import check_id

MOST_STORED = 200
"""Stored photos in a set; each is predicted while the caller waits."""

MOST_PREDICTED = 20_000

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Cosine = Annotated[float, Field(ge=-1.001, le=1.001, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class PredictedPhoto:
    """What the prediction for one photo said.

    Attributes:
        probabilities: photographer to the probability of the candidate.
        nearness: the prediction's.
    """

    probabilities: Annotated[Mapping[NonEmpty, Probability], Field(min_length=1)]
    nearness: Mapping[NonEmpty, Cosine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PredictingSet:
    """A set of at least two photos: ``like`` are ids of stored ones; ``photos`` is what the predictions for others
    said, so that each is uploaded once, by itself."""

    like: Annotated[tuple[NonEmpty, ...], Field(max_length=MOST_STORED)] = ()
    photos: Annotated[tuple[PredictedPhoto, ...], Field(max_length=MOST_PREDICTED)] = ()


def predict_set(node: NodePort, asked: PredictingSet) -> SetPrediction:
    """Whether several photos are all by one known photographer, by nobody who is known, or mixed: each with a
    probability, and whose they are if they are all by one. Ten photos tell strangers far better than one does."""
    ids = dict.fromkeys(check_id(media_id) for media_id in asked.like)
    stored = [PhotoEvidence.of(node.photographers.predict(probe_of(node.store, media_id))) for media_id in ids]
    others = [PhotoEvidence(photo.probabilities, photo.nearness) for photo in asked.photos]
    return node.photographers.predict_set([*stored, *others])


OPERATIONS = (
    Operation(
        "POST",
        "/photographers/predict/set",
        predict_set,
        SetPrediction,
        scope=Scope.READ,
        takes=(PredictingSet,),
        long_text=True,
        errors=(400, 404, 409, 503),
    ),
)
