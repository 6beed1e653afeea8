"""Page that predicts the photographers of uploaded files, of stored photos, or of a folder of the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from flask import Response, make_response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as AnyResponse

from search import addresses
from search.errors import LikewiseError, MediaError, NotFoundError, UsageError
from search.photographers.answers import Basis, Prediction, PredictionReason
from search.records.lookup import find_record
from web.api.operation import current_node
from web.api.params import NonEmpty
from web.api.photographers import Predicting, predict_photographer
from web.api.ports import NodePort
from web.api.prediction.evidence import MOST_PHOTOS, evidence_of
from web.api.prediction.many import PredictedMany, PredictingMany, asked_ids, judged, predict_probe, predict_stored
from web.api.prediction.sets import MOST_STORED
from web.api.prediction.table import predictions_csv
from web.api.questions import check_id
from web.api.uploads import probe_file, uploaded_files, uploaded_name
from web.bodies import takes_file
from web.errors import STATUS_OF
from web.pages.forms import read_address
from web.pages.photographers.shared import active_jobs, blueprint
from web.pages.recent_uploads import PREFIX, recent_uploads, remember_upload
from web.pages.tiles import Tile, record_tile, upload_tile
from web.plain import dump

REASONS_SHOWN = 12

MOST_FILES = 40
"""Files of one form; each is embedded while the browser waits, and remembered for a while."""


@dataclass(frozen=True, slots=True)
class PredictQuery:
    """Parameters of the page.

    Attributes:
        like: ids of stored photos, and names of uploads.
        folder: a folder of the library.
        edit: what was credited by hand just now, and can be undone.
        evidence: of one photo: what the answer goes by.
    """

    like: Annotated[tuple[NonEmpty, ...], Field(max_length=MOST_STORED)] = ()
    folder: str = ""
    edit: str = ""
    evidence: Basis = Basis.PICTURE


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction on the page.

    Attributes:
        example: tile of the photo.
        stored: the photo is in the library.
        credited: its photographer in the library, empty where it has none.
        folder: the folder of its first path, empty of an upload.
        borders: of the photo, see ``search.media.MediaRecord``.
        reasons: strongest first.
        heaviest: the weight that fills a bar.
    """

    example: Tile
    stored: bool
    credited: str
    folder: str
    borders: tuple[float, ...]
    prediction: Prediction
    reasons: tuple[PredictionReason, ...]
    heaviest: float


@blueprint.get("/predict")
def predict() -> Response:
    query, problem = PredictQuery(), None
    try:
        query = read_address((PredictQuery,))[0]
    except LikewiseError as error:
        problem = error
    return _page(query, problem)


@blueprint.post("/predict")
@takes_file
def upload() -> AnyResponse:
    """Store uploads for a while and redirect to the address of the question about them. Of several, those that cannot
    be read are said on the page."""
    node, files = current_node(), uploaded_files(request)
    if len(files) < 2:
        return redirect(url_for("photographers.predict", like=remember_upload()), 303)
    if len(files) > MOST_FILES:
        raise UsageError(f"{len(files)} files came at once.", f"Send {MOST_FILES} at most, or ingest their folder.")
    names: list[str] = []
    unread: list[str] = []
    for file in files:
        try:
            names.append(recent_uploads().put(probe_file(node, file)))
        except MediaError as error:
            unread.append(f"{uploaded_name(file)}: {error}")
    if unread:
        return _page(PredictQuery(tuple(names)), None, unread)
    return redirect(url_for("photographers.predict", like=names), 303)


@blueprint.get("/predict/<any(csv, evidence):what>")
def predicted_file(what: str) -> Response:
    """The predictions as a table, or as evidence, one HTML file."""
    node, query = current_node(), read_address((PredictQuery,))[0]
    if what == "evidence":
        uploads, ids, total = _asked(node, query)
        made = evidence_of(node, ids, [recent_uploads().get(name) for name in uploads], total)
        response, name = Response(made.html, mimetype="text/html"), made.name
    else:
        table = predictions_csv(dump(predicted(node, query).photos))  # type: ignore[arg-type]
        response, name = Response(table, mimetype="text/csv"), "predictions.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def predicted(node: NodePort, query: PredictQuery) -> PredictedMany:
    """The predictions for all photos that are asked about, uploads first."""
    uploads, ids, total = _asked(node, query)
    photos = [predict_probe(node, recent_uploads().get(name)) for name in uploads]
    return judged(node, [*photos, *(predict_stored(node, media_id) for media_id in ids)], total)


def _asked(node: NodePort, query: PredictQuery) -> tuple[list[str], list[str], int]:
    """Names of uploads, ids of stored photos, and how many photos were meant."""
    uploads = [name for name in dict.fromkeys(query.like) if name.startswith(PREFIX)]
    stored = tuple(name for name in query.like if not name.startswith(PREFIX))
    if not uploads or stored or query.folder:
        ids, total = asked_ids(node, PredictingMany(stored, query.folder))
        return uploads, ids, total + len(uploads)
    return uploads, [], len(uploads)


def _page(query: PredictQuery, problem: LikewiseError | None, unread: Sequence[str] = ()) -> Response:
    node = current_node()
    answer, many, edit = None, None, None
    try:
        if len(query.like) == 1 and not query.folder:
            answer = _answer(node, query.like[0], query.evidence)
        elif query.like or query.folder:
            many = predicted(node, query)
        if query.edit:
            edit = node.desk.edit(query.edit)
    except NotFoundError as error:
        problem = None if (answer or many) and query.edit else error  # undone meanwhile
    except LikewiseError as error:
        problem = error
    body = render_template(
        "photographers/predict.html",
        query=query,
        answer=answer,
        many=many,
        uploads=[name for name in dict.fromkeys(query.like) if name.startswith(PREFIX)],
        edit=edit,
        unread=unread,
        problem=problem,
        people=node.photographers.list() if answer or many else (),
        most_files=MOST_FILES,
        most_evidence=MOST_PHOTOS,
        trained=node.photographers.trained,
        jobs=active_jobs(node),
    )
    return make_response(body, STATUS_OF.get(problem.code, 500) if problem else 200)


def _answer(node: NodePort, name: str, evidence: Basis) -> Answer:
    if name.startswith(PREFIX):
        probe = recent_uploads().get(name)
        example, stored, credited, folder = upload_tile(name, probe), False, "", ""
        borders = probe.borders
        prediction = predict_photographer(node, Predicting(evidence=evidence), probe)
    else:
        record = find_record(node.store, check_id(name))
        example, stored, credited = record_tile(record), True, record.photographer or ""
        borders = record.borders
        folder = (addresses.parent(record.paths[0]) or "") if record.paths else ""
        prediction = predict_photographer(node, Predicting(name, evidence))
    reasons = sorted(prediction.reasons, key=lambda reason: -abs(reason.weight))[:REASONS_SHOWN]
    heaviest = max((abs(reason.weight) for reason in reasons), default=1.0)
    return Answer(example, stored, credited, folder, borders, prediction, tuple(reasons), heaviest)
