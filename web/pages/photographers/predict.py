"""Whose style is this? Asked of a file that is sent, or of a stored photo."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from search.errors import LikewiseError, UsageError
from search.photographers.answers import Prediction, Reason
from search.records.lookup import find_record, probe_of
from search.similar.questions import Probe
from web.api.operation import current_node
from web.api.ports import Node
from web.api.questions import check_id
from web.api.uploads import probe_upload
from web.errors import STATUS_OF
from web.pages.photographers.shared import blueprint, underway
from web.pages.recent_uploads import PREFIX, shelf
from web.pages.tiles import Tile, record_tile, upload_tile

REASONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction as the page shows it.

    Attributes:
        example: the photo asked about.
        credited: its photographer by the library, empty where it has none.
        reasons: strongest first.
        heaviest: the weight that fills a bar.
    """

    example: Tile
    credited: str
    prediction: Prediction
    reasons: tuple[Reason, ...]
    heaviest: float


@blueprint.get("/predict")
def predict() -> Response:
    node = current_node()
    like = request.args.get("like", "").strip()
    answer, problem = None, None
    try:
        answer = _answer(node, like) if like else None
    except LikewiseError as error:
        problem = error
    body = render_template(
        "photographers/predict.html",
        answer=answer,
        problem=problem,
        trained=node.photographers.trained,
        jobs=underway(node),
    )
    return make_response(body, STATUS_OF.get(problem.code, 500) if problem else 200)


@blueprint.post("/predict")
def look_at() -> AnyResponse:
    """Take an upload and go to the address of the question about it."""
    probe = probe_upload(current_node(), request)
    if probe is None:
        raise UsageError("No photo came with the form.", "Choose a photo first.")
    return redirect(url_for("photographers.predict", like=shelf().put(probe)), 303)


def _answer(node: Node, like: str) -> Answer:
    example, credited, probe = _example(node, like)
    prediction = node.photographers.predict(probe)
    reasons = sorted(prediction.reasons, key=lambda reason: -abs(reason.weight))[:REASONS_SHOWN]
    return Answer(
        example,
        credited,
        prediction,
        tuple(reasons),
        max((abs(reason.weight) for reason in reasons), default=1.0),
    )


def _example(node: Node, like: str) -> tuple[Tile, str, Probe]:
    if like.startswith(PREFIX):
        probe = shelf().get(like)
        return upload_tile(like, probe), "", probe
    record = find_record(node.store, check_id(like))
    return record_tile(record), record.photographer or "", probe_of(node.store, record.id)
