"""API call that predicts the photographers of several stored photos, or of a folder, and judges them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ingest.ledger.access import Scope
from search import addresses
from search.errors import NotFoundError, UsageError
from search.media import Kind
from search.photographers.answers import PhotoEvidence, Prediction, SetPrediction
from search.records.browse import browse
from search.records.lookup import find_record, probe_of, thumbnail_address
from search.similar.questions import Probe
from search.store.filters import Filter
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort
from web.api.prediction.sets import MOST_STORED
from web.api.questions import check_id


@dataclass(frozen=True, slots=True)
class PredictingMany:
    """``like`` are ids of stored photos; ``folder`` adds all pictures of the library that lie at or below it, in order
    of their names, up to :data:`MOST_STORED` altogether."""

    like: Annotated[tuple[NonEmpty, ...], Field(max_length=MOST_STORED)] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class PredictedExample:
    """A photo and its prediction.

    Attributes:
        file: its first path, or the name of an upload.
        id: of the record; empty of an upload.
        credited: its photographer in the library.
        thumbnail: address of its preview.
        error: why there is no prediction.
    """

    file: str
    prediction: Prediction | None
    error: str | None = None
    id: str = ""
    credited: str | None = None
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True)
class PredictedMany:
    """Predictions for several photos.

    Attributes:
        set: the verdict on all of them together; None for fewer than two that could be predicted.
        total: how many were meant, those beyond the most that are answered at once included.
    """

    photos: tuple[PredictedExample, ...]
    set: SetPrediction | None
    total: int


def predict_many(node: NodePort, asked: PredictingMany) -> PredictedMany:
    """Whose photos several stored ones are, or all in a folder of the library: a prediction for each, with its record's
    credit, and the verdict on all of them together. 'total' says how many were meant where there are more than 200."""
    ids, total = asked_ids(node, asked)
    return judged(node, [predict_stored(node, media_id) for media_id in ids], total)


def asked_ids(node: NodePort, asked: PredictingMany) -> tuple[list[str], int]:
    """Ids of the photos that are to be answered, and how many were meant.

    Raises:
        UsageError: none was meant.
        NotFoundError: there is none in the folder.
    """
    ids = list(dict.fromkeys(check_id(media_id) for media_id in asked.like))
    total = len(ids)
    if asked.folder:
        found, in_folder = folder_photos(node, asked.folder)
        total += in_folder - len(set(ids) & set(found))
        ids = list(dict.fromkeys([*ids, *found]))[:MOST_STORED]
    if not ids:
        raise UsageError("It does not say which photos.", "Give ids in 'like', or a 'folder'.")
    return ids, total


def folder_photos(node: NodePort, folder: str) -> tuple[list[str], int]:
    """Ids of the first pictures at or below a folder, in order of their names, and how many there are.

    Raises:
        NotFoundError: there is none.
    """
    path = addresses.absolute(folder)
    page = browse(node.store, Kind.IMAGE.collection, Filter(path_prefix=path), MOST_STORED, order="name")
    if not page.records:
        raise NotFoundError(f"No picture in '{path}' has been imported.", "`likewise ingest` does that first.")
    return [record.id for record in page.records], page.total


def predict_stored(node: NodePort, media_id: str, *, nearest: bool = False) -> PredictedExample:
    """The prediction for a stored photo.

    Raises:
        NotFoundError: nothing is stored under the id, or no classifier has been trained.
    """
    record = find_record(node.store, media_id, ("id", "kind", "paths", "photographer", "thumbnail"))
    prediction, error = _told(node, probe_of(node.store, media_id), nearest)
    name = record.paths[0] if record.paths else ""
    return PredictedExample(name, prediction, error, record.id, record.photographer, thumbnail_address(record))


def predict_probe(node: NodePort, probe: Probe, *, nearest: bool = False) -> PredictedExample:
    """The prediction for an uploaded photo."""
    return PredictedExample(probe.name, *_told(node, probe, nearest))


def judged(node: NodePort, photos: Sequence[PredictedExample], total: int) -> PredictedMany:
    """Photos with the verdict on all of them together."""
    told = [photo.prediction for photo in photos if photo.prediction is not None and photo.prediction.candidates]
    verdict = node.photographers.predict_set([PhotoEvidence.of(one) for one in told]) if len(told) > 1 else None
    return PredictedMany(tuple(photos), verdict, total)


def _told(node: NodePort, probe: Probe, nearest: bool) -> tuple[Prediction | None, str | None]:
    """The prediction, or why this photo has none; what fails for every photo is raised."""
    try:
        return node.photographers.predict(probe, nearest=nearest), None
    except UsageError as error:
        return None, str(error)


OPERATIONS = (
    Operation(
        "POST",
        "/photographers/predict/many",
        predict_many,
        PredictedMany,
        scope=Scope.READ,
        takes=(PredictingMany,),
        errors=(400, 404, 409, 503),
    ),
)
