"""``/openapi.json`` tells the truth: every route, every parameter, every answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ingest.jobs.progress import JobProgress, JobState
from search.records.cursors import write_cursor
from web.api.description.document import OPERATIONS
from web.api.description.property_docs import PROPERTIES, TABLES
from web.api.params import adapter
from web.api.problem import CONTENT_TYPE

PAGES = {"/", "/look", "/jobs", "/failures", "/duplicates", "/status", "/login", "/logout"}


@pytest.fixture
def document(client: FlaskClient) -> Any:
    return client.get("/openapi.json").json


def served(app: Flask) -> set[tuple[str, str]]:
    """Method and path of every route that is no page."""
    found = set()
    for rule in app.url_map.iter_rules():
        page = rule.rule in PAGES or rule.rule.startswith(
            ("/static/", "/item/", "/jobs/", "/failures/", "/photographers")
        )
        if not page:
            path = re.sub(r"<(?:[^>]*:)?(\w+)>", r"{\1}", rule.rule)
            found |= {(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


def test_it_lists_exactly_the_routes(app: Flask, document: Any) -> None:
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == served(app)


def test_every_reference_leads_somewhere(document: Any) -> None:
    references = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert references
    assert references <= document["components"]["schemas"].keys()


def test_every_call_is_described_and_named_once(document: Any) -> None:
    described = [item for path in document["paths"].values() for item in path.values() if "operationId" in item]
    assert len({item["operationId"] for item in described}) == len(described) == len(OPERATIONS)
    assert all(item["summary"].endswith(".") for item in described)


def test_every_property_and_parameter_says_what_it_means_and_looks_like(document: Any) -> None:
    found = {
        f"{name}.{field}": schema
        for name, component in document["components"]["schemas"].items()
        for field, schema in component.get("properties", {}).items()
    }
    assert len(found) > 300
    assert not [name for name, schema in found.items() if not schema.get("description") or "examples" not in schema]
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    parameters = [parameter for operation in operations for parameter in operation.get("parameters", ())]
    assert not [one["name"] for one in parameters if not one["description"] or "examples" not in one["schema"]]


def test_every_row_of_the_documentation_is_used(document: Any) -> None:
    text = str(document)
    assert not [name for name in PROPERTIES if f"'{name.rpartition('.')[2]}'" not in text]
    assert len(PROPERTIES) == sum(map(len, TABLES)), "the later of two rows would describe both properties"


def test_an_error_is_a_problem_of_rfc_9457(client: FlaskClient, document: Any) -> None:
    answer = client.get("/api/v1/jobs/99", headers={"Accept": "text/html"})
    assert answer.content_type == CONTENT_TYPE
    assert answer.json == {
        "type": "urn:likewise:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no job '99'.",
        "instance": "/api/v1/jobs/99",
        "code": "not_found",
        "hint": answer.json["error"]["hint"],
        "error": {"code": "not_found", "message": "There is no job '99'.", "hint": answer.json["hint"]},
    }
    described = document["paths"]["/api/v1/jobs/{job_id}"]["get"]["responses"]["404"]["content"]
    assert described == {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.mark.parametrize(("accept", "is_json"), [("*/*", True), ("text/html,*/*;q=0.8", False), ("", True)])
def test_only_who_asks_for_a_page_is_answered_with_one(client: FlaskClient, accept: str, is_json: bool) -> None:
    nobody = f"/media/{'0' * 8}-0000-4000-8000-{'0' * 12}/file"
    answer = client.get(nobody, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.is_json) == (404, is_json)


def test_a_405_names_the_methods_that_are_described_for_the_path(client: FlaskClient, document: Any) -> None:
    methods = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    for path, item in document["paths"].items():
        described = {method.upper() for method in item}
        for method in methods - described:
            refused = client.open(re.sub(r"\{\w+\}", "7", path), method=method)
            assert refused.status_code == 405, (method, path)
            assert refused.allow & methods == described, (method, path)


def test_texts_are_described_as_not_empty_where_they_must_not_be(
    client: FlaskClient, node: Any, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.ingest.known["7"] = JobProgress("7", JobState.DONE, "", ())
    monkeypatch.setattr(node, "start_task", lambda *_, **__: "7", raising=False)
    needed = {"paths": ["/"], "to": "x", "name": "x", "photographer": "x", "into": "x", "folders": ["/"]}
    needed |= {"scope": "read", "from": "exif", "edit": "x", "id": "x", "table": "path,place\n"}
    needed |= {"credits": [{"id": "x", "photographer": "x"}]}
    may_be, must_not_be = 0, 0
    for path, item in document["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {})
        for part in content.get("application/json", {}).get("schema", {}).get("allOf", ()):
            component = document["components"]["schemas"][part["$ref"].rpartition("/")[2]]
            asked = {one: needed[one] for one in component.get("required", ())}
            usual = client.post(path, json=asked).status_code
            for name, schema in component["properties"].items():
                text = schema.get("items", schema)
                if text.get("type") != "string" or "enum" in text or name == "near":
                    continue
                answer = client.post(path, json=asked | {name: [""] if "items" in schema else ""})
                if "minLength" in text:
                    must_not_be += 1
                    assert (answer.status_code, "is empty" in answer.json["detail"]) == (400, True), (path, name)
                else:
                    may_be += 1
                    assert answer.status_code in (usual, 202), (path, name, answer.text)
    assert (may_be > 12, must_not_be > 12) == (True, True)
    parameters = document["paths"]["/api/v1/search"]["get"]["parameters"]
    assert [one["schema"]["minLength"] for one in parameters if one["name"] == "q"] == [1]


def test_path_variables_are_declared(document: Any) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))


@pytest.fixture
def samples(library: Any) -> dict[str, str]:
    """A value that makes sense of every parameter whose schema does not say enough."""
    beach, night = library.ids["beach_1.jpg"], library.ids["night_1.jpg"]
    return {
        **dict.fromkeys(("media_id", "like", "ids", "exclude_ids", "after"), beach),
        **dict.fromkeys(("spaces", "space", "has_space"), "visual"),
        "unlike": night,
        "film": library.ids["clip_0.webm"],
        "in": "images",
        "collection": "images",
        "kinds": "image",
        "orientations": "landscape",
        "near": "52.52,13.405,1000",
        "order": "name",
    }


CURSORS = {
    "/api/v1/jobs": write_cursor({"job": 7}),
    "/api/v1/overlaps": write_cursor({"overlap": 7}),
    "/api/v1/duplicates": write_cursor({"group": [0, -1, -2, "x"]}),
}
"""Where a page of a listing ended, where that is no id."""


def sample(schema: Any) -> str:
    types = str(schema)
    return next(
        (text for part, text in (("date-time", "2024-01-01"), ("boolean", "true"), ("'array'", "x")) if part in types),
        "1",
    )


def test_every_query_parameter_is_accepted(client: FlaskClient, document: Any, samples: dict[str, str]) -> None:
    tried = 0
    for path, item in document["paths"].items():
        parameters = [p for p in item.get("get", {}).get("parameters", ()) if p["in"] == "query"]
        known = samples | ({"after": CURSORS[path]} if path in CURSORS else {})
        given = {p["name"]: known.get(p["name"]) or sample(p["schema"]) for p in parameters}
        required = {p["name"]: given[p["name"]] for p in parameters if p["required"]}
        for name, value in given.items():
            also = {"order": "id"} if path.endswith("/browse") and name == "after" else {}  # an id is a cursor there
            of_film = {"media_id": samples["film"]} if name in ("start", "end") else {}  # pictures have no parts
            answer = client.get(path.format(**samples | of_film), query_string=required | also | {name: value})
            assert answer.status_code == 200, (path, name, answer.text)
            tried += 1
    assert tried > 50


def test_answers_are_of_the_type_they_declare(client: FlaskClient, library: Any) -> None:
    media = library.ids["beach_1.jpg"]
    asked = {"/browse": "?collection=images", "/search": "?q=beach", "/vectors": "?collection=images&space=visual"}
    checked = 0
    for operation in OPERATIONS:
        if operation.method != "GET" or re.search("<job_id>|<who>|/report", operation.rule):
            continue  # which need a job, a photographer or a model, and have tests of their own
        path = f"/api/v1{operation.rule.replace('<media_id>', media)}"
        answer = client.get(path + asked.get(operation.rule, ""))
        adapter(operation.answer).validate_python(answer.json)
        checked += 1
    assert checked >= 9
