"""Page that predicts the photographer of an uploaded file or of a stored photo."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from search.errors import LikewiseError, UsageError
from search.photographers.answers import Prediction, PredictionReason
from search.records.lookup import find_record
from web.api.operation import current_node
from web.api.params import read_query
from web.api.photographers import Predicting, predict_photographer
from web.api.ports import NodePort
from web.api.questions import check_id
from web.api.uploads import probe_upload
from web.bodies import takes_file
from web.errors import STATUS_OF
from web.pages.photographers.shared import active_jobs, blueprint
from web.pages.recent_uploads import PREFIX, recent_uploads
from web.pages.tiles import Tile, record_tile, upload_tile

REASONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction on the page.

    Attributes:
        example: tile of the photo.
        credited: its photographer in the library, empty where it has none.
        reasons: strongest first.
        heaviest: the weight that fills a bar.
    """

    example: Tile
    credited: str
    prediction: Prediction
    reasons: tuple[PredictionReason, ...]
    heaviest: float


@blueprint.get("/predict")
def predict() -> Response:
    node = current_node()
    answer, problem = None, None
    try:
        (question,) = read_query(request.args, (Predicting,))
        answer = _answer(node, question) if question.like else None
    except LikewiseError as error:
        problem = error
    body = render_template(
        "photographers/predict.html",
        answer=answer,
        problem=problem,
        trained=node.photographers.trained,
        jobs=active_jobs(node),
    )
    return make_response(body, STATUS_OF.get(problem.code, 500) if problem else 200)


@blueprint.post("/predict")
@takes_file
def upload() -> AnyResponse:
    """Store an upload for a while and redirect to the address of the question about it."""
    probe = probe_upload(current_node(), request)
    if probe is None:
        raise UsageError("No photo came with the form.", "Choose a photo first.")
    return redirect(url_for("photographers.predict", like=recent_uploads().put(probe)), 303)


def _answer(node: NodePort, question: Predicting) -> Answer:
    if question.like.startswith(PREFIX):
        probe = recent_uploads().get(question.like)
        example, credited = upload_tile(question.like, probe), ""
        prediction = predict_photographer(node, Predicting(), probe)
    else:
        record = find_record(node.store, check_id(question.like))
        example, credited = record_tile(record), record.photographer or ""
        prediction = predict_photographer(node, question)
    reasons = sorted(prediction.reasons, key=lambda reason: -abs(reason.weight))[:REASONS_SHOWN]
    heaviest = max((abs(reason.weight) for reason in reasons), default=1.0)
    return Answer(example, credited, prediction, tuple(reasons), heaviest)
