"""An API call declared once: its route, what it takes and what it answers.

Serving and ``/openapi.json`` read the same declaration, so that the description cannot differ from what is served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.routing import BaseConverter, Map

from ingest.ledger.access import Scope
from web.api.conventions.idempotency import answer_once
from web.api.conventions.next_page import ListPage, add_link
from web.api.params import adapter, read_body, read_query
from web.api.ports import NodePort
from web.api.uploads import probe_upload
from web.bodies import takes_file, takes_long_text
from web.server.held_threads import HeldThreads

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call.

    Attributes:
        rule: Flask rule below ``/api/v1``.
        view: called with the node, the rule's variables by name, and one positional instance of each of ``takes``;
            with ``uploads`` also with ``example``, the probe of an uploaded file or None. Its docstring is the
            call's description.
        answer: type of what it returns, serialised as JSON.
        paged: it returns a :class:`ListPage`, whose items are the answer.
        scope: what the caller's token has to allow: ``read`` to ask, ``ingest`` for jobs over media and credits,
            ``admin`` for backups, migrations and what deletes or replaces vectors.
        takes: dataclasses filled from the query string (GET) or the JSON body (POST).
        uploads: a POST that may instead be ``multipart/form-data`` with a part ``file``.
        long_text: its JSON body may be as large as an upload, not 1 MiB at most.
        status: HTTP status of success.
        errors: HTTP statuses of the failures peculiar to it (``web.errors.STATUS_OF``).
        answer_of_job: of a call that starts a job: what it answers, from the node and the job's id. The request may
            carry an idempotency key (``web.api.conventions.idempotency``).
    """

    method: str
    rule: str
    view: Callable[..., object]
    answer: Any
    scope: Scope = field(kw_only=True)
    takes: tuple[Any, ...] = ()
    uploads: bool = False
    long_text: bool = False
    paged: bool = False
    status: int = 200
    errors: tuple[int, ...] = ()
    answer_of_job: Callable[[NodePort, str], object] | None = None

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def description(self) -> str:
        return " ".join((self.view.__doc__ or "").split())


class OtherThan(BaseConverter):
    """A part of a path that is none of the words by which other calls are known."""

    def __init__(self, url_map: Map, *words: str) -> None:
        super().__init__(url_map)
        self.regex = rf"(?!(?:{'|'.join(map(re.escape, words))})\Z)[^/]+"


def register(app: Flask, operations: tuple[Operation, ...]) -> None:
    """Serve the calls below :data:`PREFIX`."""
    app.url_map.converters["other_than"] = OtherThan
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    rules = [operation.rule for operation in operations]
    for operation in operations:
        blueprint.add_url_rule(
            _routed(operation.rule, rules),
            endpoint=operation.name,
            view_func=_serve(operation),
            methods=[operation.method],
        )
    app.register_blueprint(blueprint)


def _routed(rule: str, rules: Sequence[str]) -> str:
    """A rule whose last part, if it is a variable, takes no path that another rule spells out: so what is said of a
    path's methods (405, ``Allow``) is said of the call that the path is described for."""
    stem, _, last = rule.rpartition("/")
    if not last.startswith("<"):
        return rule
    words = sorted({word for other, _, word in (one.rpartition("/") for one in rules) if other == stem} - {last})
    return f"{stem}/<other_than({', '.join(map(repr, words))}):{last[1:]}" if words else rule


def current_node() -> NodePort:
    node: NodePort = current_app.extensions["node"]
    return node


def held_threads() -> HeldThreads:
    """Threads of this process that are kept by answers which are made bit by bit."""
    held: HeldThreads = current_app.extensions["held_threads"]
    return held


def json_answer(type_: Any, value: object, status: int = 200) -> Response:
    response = jsonify(adapter(type_).dump_python(value, mode="json", by_alias=True))
    response.status_code = status
    return response


def _serve(operation: Operation) -> Callable[..., Response]:
    def serve(**variables: str) -> Response:
        node = current_node()
        extra: dict[str, object] = {}
        if operation.uploads and request.mimetype == "multipart/form-data":
            values = read_query(request.form, operation.takes)
            extra["example"] = probe_upload(node, request)
        elif operation.method == "GET":
            values = read_query(request.args, operation.takes)
        else:
            values = read_body(request, operation.takes)

        def answer() -> Response:
            made = operation.view(node, *values, **variables, **extra)
            if isinstance(made, Response):
                return made
            if isinstance(made, ListPage):
                return add_link(json_answer(operation.answer, made.items, operation.status), made.after)
            return json_answer(operation.answer, made, operation.status)

        if (answer_of_job := operation.answer_of_job) is None:
            return answer()
        return answer_once(
            node.request_keys,
            answer,
            lambda job: json_answer(operation.answer, answer_of_job(node, job), operation.status),
        )

    if operation.long_text:
        takes_long_text(serve)
    return takes_file(serve) if operation.uploads else serve
