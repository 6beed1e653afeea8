"""Serves ``/openapi.json`` (OpenAPI 3.1), derived from the operations and their dataclasses."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

from flask import Blueprint, Response, jsonify
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from web.access import operations
from web.api import cluster, generations, jobs, maintenance, photographers, questions, vectors
from web.api.conventions import idempotency, next_page
from web.api.crediting import by_hand, facts, shoots
from web.api.description.property_docs import documented
from web.api.operation import PREFIX, Operation
from web.api.params import adapter, properties
from web.api.prediction import evidence, many, sets
from web.api.problem import CONTENT_TYPE, Problem
from web.api.reuse import overlaps

Json: TypeAlias = dict[str, Any]

OPERATIONS = (
    *questions.OPERATIONS,
    *jobs.OPERATIONS,
    *photographers.OPERATIONS,
    *sets.OPERATIONS,
    *many.OPERATIONS,
    *evidence.OPERATIONS,
    *by_hand.OPERATIONS,
    *facts.OPERATIONS,
    *shoots.OPERATIONS,
    *generations.OPERATIONS,
    *maintenance.OPERATIONS,
    *overlaps.OPERATIONS,
    *vectors.OPERATIONS,
    *cluster.OPERATIONS,
    *operations.OPERATIONS,
)
"""Every call of the API."""

REFERENCE = "#/components/schemas/{model}"

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def serve() -> Response:
    return jsonify(document())


@functools.cache
def document() -> Json:
    """The whole description."""
    schemas, components = _schemas()
    paths: Json = {}
    for operation in OPERATIONS:
        path = re.sub(r"<(\w+)>", r"{\1}", PREFIX + operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation, schemas)
    for path, (summary, media_type, statuses) in _PLAIN_ROUTES.items():
        variables = [_variable(name) for name in re.findall(r"\{(\w+)\}", path)]
        content = {media_type: {"schema": {"type": "object"} if media_type == "application/json" else {}}}
        bare = {str(status): {"description": HTTPStatus(status).phrase} for status in statuses if status == 304}
        whole = {
            str(status): {"description": summary, "content": content}
            for status in (200, *statuses)
            if status in (200, 206)
        }
        failures = _failures(tuple(status for status in statuses if status >= 400))
        paths[path] = {"get": {"summary": summary, "parameters": variables, "responses": whole | bare | failures}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Likewise", "version": likewise_version(), "description": "Find media that is like this."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


_MEDIA_STATUSES = (206, 304, 400, 401, 403, 404, 405, 416, 429, 503)

_PLAIN_ROUTES = {
    "/media/{media_id}/preview": ("A preview picture; the waveform of a sound", "image/webp", _MEDIA_STATUSES),
    "/media/{media_id}/file": ("The file itself; answers a request for one range of it", "*/*", _MEDIA_STATUSES),
    "/healthz": ("The process serves requests", "application/json", (403, 405)),
    "/readyz": ("The store, the ledger and the broker answer", "application/json", (403, 405, 503)),
    "/metrics": ("Counts for Prometheus", "text/plain", (401, 403, 405, 429)),
    "/openapi.json": ("This document", "application/json", (401, 403, 405, 429)),
}
"""Path to what it answers, its media type, and further statuses."""

_ALWAYS = (400, 401, 403, 405, 429, 500, 503)
"""Statuses that every operation may answer with; one with a body also :data:`_WITH_BODY`."""

_WITH_BODY = (413, 415)

_WITH_KEY = (409, 422)
"""Statuses of a call that takes an idempotency key: the first request is in work, or it was another one."""


def _schemas() -> tuple[Mapping[tuple[Any, JsonSchemaMode], Json], Json]:
    """Schema of every type used, as reference, and the shared components they refer to."""
    answers = {operation.answer for operation in OPERATIONS if operation.answer is not None} | {Problem}
    bodies = {type_ for operation in OPERATIONS if operation.method == "POST" for type_ in operation.takes}
    ordered = sorted(answers, key=str), sorted(bodies, key=str)
    inputs: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((type_, "serialization", adapter(type_)) for type_ in ordered[0]),
        *((type_, "validation", adapter(type_)) for type_ in ordered[1]),
    ]
    schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)
    components: Json = shared.get("$defs", {})
    for name, component in components.items():
        for field, schema in component.get("properties", {}).items():
            component["properties"][field] = documented(name, field, schema)
    return schemas, components


def _describe(operation: Operation, schemas: Mapping[tuple[Any, JsonSchemaMode], Json]) -> Json:
    parameters = [_variable(name) for name in re.findall(r"<(\w+)>", operation.rule)]
    described: Json = {"operationId": operation.name, "summary": operation.description}
    if operation.method == "GET":
        parameters += [parameter for type_ in operation.takes for parameter in _query_parameters(type_)]
    elif operation.takes:
        required = any(adapter(type_).json_schema().get("required") for type_ in operation.takes)
        described["requestBody"] = {"required": required, "content": _bodies(operation, schemas)}
    if operation.answer_of_job is not None:
        parameters.append(_parameter(idempotency.HEADER, "header", False, idempotency.SCHEMA))
    media_type = "application/json" if operation.answer is not None else "text/event-stream"
    content = {
        media_type: {"schema": schemas[operation.answer, "serialization"]} if operation.answer is not None else {}
    }
    answered = {"description": HTTPStatus(operation.status).phrase, "content": content}
    success = {str(operation.status): answered | ({"headers": next_page.HEADERS} if operation.paged else {})}
    failures = {*_ALWAYS, *operation.errors, *(_WITH_BODY if operation.method == "POST" else ())}
    failures |= {*(_WITH_KEY if operation.answer_of_job is not None else ())}
    return described | {"parameters": parameters, "responses": success | _failures(tuple(sorted(failures)))}


def _bodies(operation: Operation, schemas: Mapping[tuple[Any, JsonSchemaMode], Json]) -> Json:
    parts = [schemas[type_, "validation"] for type_ in operation.takes]
    body = {"allOf": parts, "unevaluatedProperties": False}
    bodies: Json = {"application/json": {"schema": body}}
    if operation.uploads:
        file = documented("", "file", {"type": "string", "contentMediaType": "*/*"})
        upload = {"type": "object", "required": ["file"], "properties": {"file": file}}
        bodies["multipart/form-data"] = {"schema": {"allOf": [upload, *parts], "unevaluatedProperties": False}}
    return bodies


def _query_parameters(type_: Any) -> list[Json]:
    required = set(adapter(type_).json_schema().get("required", ()))
    return [_parameter(name, "query", name in required, schema) for name, schema in properties(type_).items()]


def _variable(name: str) -> Json:
    return _parameter(name, "path", True, {"type": "string", "minLength": 1})


def _parameter(name: str, where: str, required: bool, schema: Mapping[str, Any]) -> Json:
    shown = documented("", name, schema)
    return {
        "name": name,
        "in": where,
        "required": required,
        "description": shown["description"],
        "schema": {"examples": shown["examples"]} | dict(schema),
    }


def _failures(statuses: tuple[int, ...]) -> Json:
    content = {CONTENT_TYPE: {"schema": {"$ref": REFERENCE.format(model=Problem.__name__)}}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def likewise_version() -> str:
    try:
        return version("likewise")
    except PackageNotFoundError:
        return "0"
