"""The questions of the JSON API, asked of a real store."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from search.errors import (
    DecodeTimeoutError,
    DiskFullError,
    MediaTooLargeError,
    ModelError,
    SpaceMismatchError,
    StoreLockedError,
    StoreUnavailableError,
)


def names(hits: list[dict[str, Any]]) -> list[str]:
    return [Path(hit["paths"][0]).name for hit in hits]


def picture(colour: str) -> io.BytesIO:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(data, "PNG")
    data.seek(0)
    return data


def test_similar_by_id_finds_the_subject_first(client: FlaskClient, library: Any) -> None:
    answer = client.post("/api/v1/similar", json={"like": [library.ids["beach_1.jpg"]], "limit": 7})
    assert answer.status_code == 200
    images = names(answer.json["by_collection"]["images"])
    assert len(images) == 7
    assert all(name.startswith("beach") for name in images)
    assert "beach_1.jpg" not in images


def test_the_same_answer_by_get(client: FlaskClient, library: Any) -> None:
    media = library.ids["beach_1.jpg"]
    by_get = client.get(f"/api/v1/media/{media}/similar?in=images&limit=5").json
    by_post = client.post("/api/v1/similar", json={"like": [media], "in": ["images"], "limit": 5}).json
    assert by_get["hits"] == by_post["hits"]
    assert set(by_get["by_collection"]) == {"images"}


def test_a_video_hit_says_its_moment(client: FlaskClient, library: Any) -> None:
    answer = client.post("/api/v1/similar", json={"like": [library.ids["night_1.jpg"]], "in": ["videos"]}).json
    moments = {Path(hit["paths"][0]).name: hit["moment"] for hit in answer["hits"]}
    assert moments["clip_0.webm"] == 2.0  # its second key frame is the night
    assert moments["clip_2.webm"] == 0.0


def test_unlike_pushes_a_subject_away(client: FlaskClient, library: Any) -> None:
    like = [library.ids["beach_1.jpg"], library.ids["night_1.jpg"]]
    both = client.post("/api/v1/similar", json={"like": like, "in": ["images"], "limit": 14}).json
    assert {name.split("_")[0] for name in names(both["hits"])} >= {"beach", "night"}
    unlike = [library.ids["night_2.jpg"]]
    one = client.post("/api/v1/similar", json={"like": like, "unlike": unlike, "in": ["images"], "limit": 6}).json
    assert all(name.startswith("beach") for name in names(one["hits"]))


def test_an_edited_copy_is_called_so(client: FlaskClient, library: Any) -> None:
    answer = client.post("/api/v1/similar", json={"like": [library.ids["forest_0.jpg"]], "in": ["images"]}).json
    relations = dict(zip(names(answer["hits"]), [hit["relation"] for hit in answer["hits"]], strict=True))
    assert relations["forest_1.jpg"] == "edited_copy"
    assert relations["forest_2.jpg"] == "similar"


def test_filters_apply_in_json_and_in_the_query(client: FlaskClient, library: Any) -> None:
    media = library.ids["beach_1.jpg"]
    where = {"photographers": ["Ada"], "taken_from": "2013-01-01", "taken_to": "2015-06-15"}
    answer = client.post("/api/v1/similar", json={"like": [media], "in": ["images"], "limit": 4, **where}).json
    assert set(names(answer["hits"])[:2]) == {"beach_3.jpg", "beach_5.jpg"}  # the last day counts as a whole
    query = (
        f"/api/v1/media/{media}/similar?in=images&limit=4&photographers=Ada&taken_from=2013-01-01&taken_to=2015-06-15"
    )
    assert client.get(query).json["hits"] == answer["hits"]


def test_an_upload_is_an_example_and_leaves_nothing_behind(client: FlaskClient, library: Any) -> None:
    form = {"file": (picture("rgb(22,26,58)"), "evening.png"), "in": "images", "limit": "3"}
    answer = client.post("/api/v1/similar", data=form)
    assert answer.status_code == 200
    assert all(name.startswith("night") for name in names(answer.json["hits"]))
    assert list((library.home / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (b"broken jpeg", "a.jpg", 422, "corrupt"),
        (b"#!/bin/sh\nrm -rf", "a.sh", 415, "unsupported"),
        (b"", "a.jpg", 422, "empty"),
    ],
)
def test_uploads_that_cannot_be_used(
    client: FlaskClient, library: Any, content: bytes, name: str, status: int, code: str
) -> None:
    answer = client.post("/api/v1/similar", data={"file": (io.BytesIO(content), name)})
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert name in answer.json["error"]["message"]
    assert list((library.home / "uploads").iterdir()) == []


@pytest.mark.parametrize("extra", [1, 200_000])  # just past the cap, and past what is read at all
def test_an_upload_over_the_cap(make_node: Any, extra: int) -> None:
    from web.app import create_app

    client = create_app(make_node(max_upload_mb=1)).test_client()
    answer = client.post("/api/v1/similar", data={"file": (io.BytesIO(b"x" * ((1 << 20) + extra)), "big.jpg")})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    assert "LIKEWISE_MAX_UPLOAD_MB" in answer.json["error"]["hint"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "nothing to compare with"),
        ({"like": ["nothing"]}, 404, "'nothing'"),
        ({"like": ["00000000-0000-0000-0000-000000000000"]}, 404, "00000000"),
        ({"like": ["x"], "limit": 0}, 400, "'limit'"),
        ({"like": ["x"], "limit": "many"}, 400, "'limit' cannot be 'many'"),
        ({"like": ["x"], "in": ["paintings"]}, 400, "'in.0' cannot be 'paintings'"),
        ({"like": ["x"], "colour": "red"}, 400, "no parameter 'colour'"),
        ({"like": ["x"], "kinds": ["painting"]}, 400, "'kinds' cannot be 'painting'"),
        ({"like": ["x"], "orientations": ["round"]}, 400, "'orientations' cannot be 'round'"),
        ({"like": ["x"], "taken_from": "yesterday"}, 400, "'taken_from'"),
        ({"like": ["x"], "taken_to": "0.5"}, 400, "'taken_to'"),
        ({"like": ["x"], "taken_to": 1_600_000_000}, 400, "'taken_to'"),
        (["x"], 400, "JSON object"),
    ],
)
def test_questions_that_cannot_be_asked(client: FlaskClient, body: Any, status: int, said: str) -> None:
    answer = client.post("/api/v1/similar", json=body)
    assert answer.status_code == status
    assert said in answer.json["error"]["message"]


def test_broken_json_is_named_as_such(client: FlaskClient) -> None:
    answer = client.post("/api/v1/similar", data="{like", content_type="application/json")
    assert answer.status_code == 400
    assert "JSON" in answer.json["error"]["message"]


def test_a_parameter_given_twice(client: FlaskClient) -> None:
    answer = client.get("/api/v1/search?q=a&q=b")
    assert answer.status_code == 400
    assert "given 2 times" in answer.json["error"]["message"]


def test_an_unknown_space(client: FlaskClient, library: Any) -> None:
    answer = client.post("/api/v1/similar", json={"like": [library.ids["beach_1.jpg"]], "spaces": ["taste"]})
    assert answer.status_code == 400
    assert "taste" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreLockedError("In use."), 409),
        (SpaceMismatchError("Another model."), 409),
        (StoreUnavailableError("Away."), 503),
        (ModelError("No weights."), 503),
        (DecodeTimeoutError("Too slow."), 422),
        (MediaTooLargeError("Too many pixels."), 413),
        (DiskFullError("Full."), 507),
        (OSError(errno.ENOSPC, "No space left on device"), 507),
        (OSError(errno.EIO, "secret detail"), 500),
        (ValueError("secret detail"), 500),
    ],
)
def test_every_failure_has_its_status(client: FlaskClient, node: Any, error: Exception, status: int) -> None:
    def probe(path: str, name: str = "") -> None:
        raise error

    node.encoder.probe = probe
    answer = client.post("/api/v1/similar", data={"file": (picture("red"), "a.png")})
    assert answer.status_code == status
    assert answer.json["error"]["message"]
    assert "secret" not in answer.text
    assert ("Retry-After" in answer.headers) == getattr(error, "retryable", False)


def test_words(client: FlaskClient) -> None:
    answer = client.get("/api/v1/search?q=beach&in=images&limit=500").json
    assert len(answer["hits"]) == 8
    assert all("beach" in hit["tags"] for hit in answer["hits"])
    assert client.get("/api/v1/search?q=beach&in=images&cameras=Leica+M6").json["hits"] == []
    assert client.get("/api/v1/search").status_code == 400


def test_browsing_page_by_page_meets_everything_once(client: FlaskClient, library: Any) -> None:
    met, after = [], ""
    while True:
        page = client.get(f"/api/v1/browse?collection=images&limit=10{after}").json
        met += [record["id"] for record in page["records"]]
        assert page["total"] == 32
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert len(met) == len(set(met)) == 32


def test_facets_count(client: FlaskClient) -> None:
    facets = client.get("/api/v1/facets?kinds=image").json["facets"]
    assert facets["camera"] == [{"value": "Nikon F3", "count": 24}, {"value": "Leica M6", "count": 8}]


def test_one_record(client: FlaskClient, library: Any) -> None:
    media = library.ids["night_1.jpg"]
    record = client.get(f"/api/v1/media/{media}").json
    assert record["camera"] == "Leica M6"
    assert record["thumbnail"] == f"/media/{media}/preview"
    assert client.get("/api/v1/media/nothing").json["error"]["code"] == "not_found"


def test_duplicates(client: FlaskClient) -> None:
    answer = client.get("/api/v1/duplicates").json
    relations = {group["relation"]: names(group["members"]) for group in answer["groups"]}
    assert relations == {"exact_copy": ["night_0.jpg"], "edited_copy": ["forest_0.jpg", "forest_1.jpg"]}
    assert answer["total"] == 2


def test_status(client: FlaskClient, library: Any) -> None:
    status = client.get("/api/v1/status").json
    assert status["collections"]["images"]["points"] == 32
    assert status["collections"]["images"]["spaces"]["visual"]["model"] == "fake"
    assert status["home"] == str(library.home)


def test_health(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json["points"] == 39


def test_what_is_not_there_is_said_in_json(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").json["error"]["code"] == "not_found"
    answer = client.get("/api/v1/similar")
    assert (answer.status_code, answer.json["error"]["code"]) == (405, "method")
