"""For whatever watches the process: is it alive, can it answer?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from web.api.operation import current_node

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process serves requests."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """The store answers; otherwise its error and that error's HTTP status."""
    collections = current_node().store.collections()
    return jsonify({"status": "ok", "points": sum(info.points for info in collections.values())})
