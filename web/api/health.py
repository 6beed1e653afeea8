"""Health checks and metrics: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from search.errors import LikewiseError
from search.scrape import CONTENT_TYPE, QueueDepths, exposition, registry
from web.api import problem
from web.api.operation import current_node
from web.api.ports import NodePort

blueprint = Blueprint("health", __name__)

NOT_READY = 503


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process serves requests."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Store, ledger and broker answer; otherwise 503 with the first error. ``parts`` names how each of them is."""
    node = current_node()
    errors = {name: _error_of(ask) for name, ask in _dependencies(node).items()}
    parts = {name: error.code if error else "ok" for name, error in errors.items()}
    for name, error in errors.items():
        if error is not None:
            message = f"The {name} is not ready: {error.message}"
            said = problem.problem(NOT_READY, error.code, message, error.hint, "/readyz")
            answer = jsonify(said | {"parts": parts})
            answer.status_code, answer.content_type = NOT_READY, problem.CONTENT_TYPE
            return answer
    points = sum(info.points for info in node.store.collections().values())
    return jsonify({"status": "ok", "points": points, "parts": parts})


@blueprint.get("/metrics")
def metrics() -> Response:
    """Metrics for Prometheus. Guarded like every page: a scrape sends the token where one is set."""
    broker = current_node().broker
    collectors = [QueueDepths(broker.depths)] if broker is not None else []
    return Response(exposition(registry(*collectors)), content_type=CONTENT_TYPE)


def _dependencies(node: NodePort) -> dict[str, Callable[[], object]]:
    """Call by which each service that the node depends on is checked."""
    dependencies: dict[str, Callable[[], object]] = {
        "store": node.store.collections,
        "ledger": lambda: node.ingest.jobs(1),
    }
    if node.broker is not None:
        dependencies["broker"] = node.broker.check
    return dependencies


def _error_of(ask: Callable[[], object]) -> LikewiseError | None:
    try:
        ask()
    except LikewiseError as error:
        return error
    return None
