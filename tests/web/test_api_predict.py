"""POST /api/v1/photographers/predict: a photo comes as a form's file, or is one that is stored."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

import search.photographers.service as service_module
from search.photographers.answers import Basis, Candidate, PhotoEvidence, PredictionReason, SetPrediction
from search.photographers.classifier.classifier import PhotoVectors, Verdict
from search.photographers.model_registry import ModelKind
from workers.training.shared_models import SharedModels

ADDRESS = "/api/v1/photographers/predict"


class LightClassifier:
    """It was Ada, surely."""

    def predict(self, photo: PhotoVectors, basis: Basis) -> Verdict:
        candidates = (Candidate("Ada", 0.75), Candidate("Grace", 0.25))
        reasons = (PredictionReason("visual", "what it shows is like theirs", None, None, 1.5),)
        return Verdict(candidates, False, 0.5, reasons, candidates, candidates[:1])

    def judge(self, photos: Sequence[PhotoEvidence]) -> SetPrediction:
        assert all(photo.probabilities["Ada"] == 0.75 for photo in photos)
        return SetPrediction(len(photos), "ours", 0.75, {"ours": 0.75}, (Candidate("Ada", 1.0),))


@pytest.fixture
def node(make_node: Callable[..., Any], tmp_path: Path) -> Any:
    """With a shelf of models of its own."""
    return make_node(shared=str(tmp_path / "shared"))


@pytest.fixture
def trained(node: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "manifest.json").write_text("{}")
    SharedModels(node.settings).publish(ModelKind.CLASSIFIER, "20260131T115900-0f1e2d3c", made)
    monkeypatch.setattr(service_module, "_load_classifier", lambda folder, *spaces: LightClassifier())


def photo() -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(data, "JPEG")
    data.seek(0)
    return data, "new.jpg"


@pytest.mark.usefixtures("trained")
def test_an_upload_is_told_and_leaves_nothing_behind(client: FlaskClient, tmp_path: Path) -> None:
    answer = client.post(ADDRESS, data={"file": photo()})
    assert answer.status_code == 200
    told = answer.get_json()
    assert told["candidates"][0] == {"photographer": "Ada", "probability": 0.75, "id": "", "display_name": "Ada"}
    assert (told["unknown"], told["threshold"], told["model"]) == (False, 0.5, "20260131T115900-0f1e2d3c")
    assert {reason["feature"] for reason in told["reasons"]} == {"visual"}
    assert told["nearest"]["Ada"], "photos of the candidate's, to compare"
    assert [path for path in (tmp_path / "shared").rglob("*") if "uploads" in path.parts and path.is_file()] == []


@pytest.mark.usefixtures("trained")
def test_it_takes_one_photo_and_no_other_file(client: FlaskClient) -> None:
    assert client.post(ADDRESS, data={}).status_code == 400
    both = client.post(ADDRESS, data={"file": photo(), "like": "0" * 36})
    assert both.status_code == 400
    assert client.post(ADDRESS, data={"file": (io.BytesIO(b"no picture"), "new.jpg")}).status_code == 415
    assert client.post(ADDRESS, data={"file": (io.BytesIO(b"broken"), "new.jpg")}).status_code == 422


def test_an_untrained_library_says_what_to_do(client: FlaskClient) -> None:
    answer = client.post(ADDRESS, data={"file": photo()})
    assert answer.status_code == 404
    assert "likewise photographers train" in answer.get_json()["error"]["hint"]


@pytest.mark.usefixtures("trained")
def test_a_set_is_judged_by_what_was_said_of_each(client: FlaskClient, node: Any) -> None:
    one = {"probabilities": {"Ada": 0.75, "Grace": 0.25}, "nearness": {"Ada": 0.5}}
    stored = next(point.id for point in node.store.scroll("images"))
    answer = client.post(f"{ADDRESS}/set", json={"photos": [one, one], "like": [stored]})
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["photos"], told["verdict"], told["probability"]) == (3, "ours", 0.75)
    assert told["model"] == "20260131T115900-0f1e2d3c"
    for wrong in (
        {},
        {"photos": [one]},
        {"photos": [one, {"probabilities": {}}]},
        {"photos": [one, one | {"nearness": {"Ada": 1.5}}]},
        {"photos": [one, {"probabilities": {"Ada": float("nan")}}]},
    ):
        assert client.post(f"{ADDRESS}/set", json=wrong).status_code == 400, wrong


@pytest.mark.usefixtures("trained")
def test_a_folder_of_the_library_is_answered_photo_by_photo_and_together(
    client: FlaskClient, node: Any, library: Any
) -> None:
    found = client.post(f"{ADDRESS}/many", json={"folder": str(library.folder)}).get_json()
    pictures = sorted(name for name in library.ids if name.endswith(".jpg"))
    assert sorted(Path(photo["file"]).name for photo in found["photos"]) == pictures
    assert (found["total"], found["set"]["photos"], found["set"]["verdict"]) == (len(pictures), len(pictures), "ours")
    night = next(photo for photo in found["photos"] if photo["id"] == library.ids["night_1.jpg"])
    assert (night["credited"], night["thumbnail"]) == ("Ada", f"/media/{night['id']}/preview")
    assert night["prediction"]["candidates"][0]["photographer"] == "Ada"
    assert night["prediction"]["nearest"] is None
    sound = client.post(f"{ADDRESS}/many", json={"like": [library.ids["sound_0.wav"], night["id"]]}).get_json()
    assert ("sound" in sound["photos"][0]["error"], sound["photos"][1]["error"], sound["set"]) == (True, None, None)
    assert client.post(f"{ADDRESS}/many", json={"folder": "/nowhere"}).status_code == 404
    assert client.post(f"{ADDRESS}/many", json={}).status_code == 400


def test_an_untrained_library_judges_no_set(client: FlaskClient) -> None:
    one = {"probabilities": {"Ada": 1.0}}
    assert client.post(f"{ADDRESS}/set", json={"photos": [one, one]}).status_code == 404
