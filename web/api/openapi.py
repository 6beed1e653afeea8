"""Serves ``/openapi.json`` (OpenAPI 3.1), derived from the operations and their dataclasses."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeAlias

from flask import Blueprint, Response, jsonify
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from web.access import operations
from web.api import cluster, generations, jobs, maintenance, photographers, questions, vectors
from web.api.operation import PREFIX, Operation
from web.api.params import adapter, properties

Json: TypeAlias = dict[str, Any]

OPERATIONS = (
    *questions.OPERATIONS,
    *jobs.OPERATIONS,
    *photographers.OPERATIONS,
    *generations.OPERATIONS,
    *maintenance.OPERATIONS,
    *vectors.OPERATIONS,
    *cluster.OPERATIONS,
    *operations.OPERATIONS,
)
"""Every call of the API."""

REFERENCE = "#/components/schemas/{model}"

blueprint = Blueprint("openapi", __name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """``code`` is stable; ``hint`` says what to do, and is empty when there is nothing to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    error: Problem


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
    for path, (summary, media_type) in _PLAIN_ROUTES.items():
        variables = [_variable(name) for name in re.findall(r"\{(\w+)\}", path)]
        paths[path] = {
            "get": {
                "summary": summary,
                "parameters": variables,
                "responses": {"200": {"description": summary, "content": {media_type: {}}}} | _failures((404, 503)),
            }
        }
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


_PLAIN_ROUTES = {
    "/media/{media_id}/preview": ("A preview picture; the waveform of a sound", "image/webp"),
    "/media/{media_id}/file": ("The file itself; answers Range requests", "application/octet-stream"),
    "/healthz": ("The process serves requests", "application/json"),
    "/readyz": ("The store, the ledger and the broker answer", "application/json"),
    "/metrics": ("Counts for Prometheus", "text/plain"),
    "/openapi.json": ("This document", "application/json"),
}


def _schemas() -> tuple[Mapping[tuple[Any, JsonSchemaMode], Json], Json]:
    """Schema of every type used, as reference, and the shared components they refer to."""
    answers = {operation.answer for operation in OPERATIONS if operation.answer is not None} | {ErrorAnswer}
    bodies = {type_ for operation in OPERATIONS if operation.method == "POST" for type_ in operation.takes}
    ordered = sorted(answers, key=str), sorted(bodies, key=str)
    inputs: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((type_, "serialization", adapter(type_)) for type_ in ordered[0]),
        *((type_, "validation", adapter(type_)) for type_ in ordered[1]),
    ]
    schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)
    components: Json = shared.get("$defs", {})
    return schemas, components


def _describe(operation: Operation, schemas: Mapping[tuple[Any, JsonSchemaMode], Json]) -> Json:
    parameters = [_variable(name) for name in re.findall(r"<(\w+)>", operation.rule)]
    described: Json = {"operationId": operation.name, "summary": operation.description}
    if operation.method == "GET":
        parameters += [parameter for type_ in operation.takes for parameter in _query_parameters(type_)]
    elif operation.takes:
        described["requestBody"] = {"content": _bodies(operation, schemas)}
    media_type = "application/json" if operation.answer is not None else "text/event-stream"
    content = {
        media_type: {"schema": schemas[operation.answer, "serialization"]} if operation.answer is not None else {}
    }
    success = {str(operation.status): {"description": HTTPStatus(operation.status).phrase, "content": content}}
    failures = {400, 401, 403, *operation.errors}
    return described | {"parameters": parameters, "responses": success | _failures(tuple(sorted(failures)))}


def _bodies(operation: Operation, schemas: Mapping[tuple[Any, JsonSchemaMode], Json]) -> Json:
    parts = [schemas[type_, "validation"] for type_ in operation.takes]
    bodies: Json = {"application/json": {"schema": parts[0] if len(parts) == 1 else {"allOf": parts}}}
    if operation.uploads:
        upload = {"type": "object", "properties": {"file": {"type": "string", "contentMediaType": "*/*"}}}
        bodies["multipart/form-data"] = {"schema": {"allOf": [upload, *parts]}}
    return bodies


def _query_parameters(type_: Any) -> list[Json]:
    required = set(adapter(type_).json_schema().get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": dict(schema)}
        for name, schema in properties(type_).items()
    ]


def _variable(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _failures(statuses: tuple[int, ...]) -> Json:
    content = {"application/json": {"schema": {"$ref": REFERENCE.format(model=ErrorAnswer.__name__)}}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def likewise_version() -> str:
    try:
        return version("likewise")
    except PackageNotFoundError:
        return "0"
