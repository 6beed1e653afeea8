"""`likewise photographers`, from labels to answers, with quick models and a light training."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import search.photographers.service as service_module
import workers.training.local
from search.errors import SpaceMismatchError
from search.photographers.answers import Basis, Candidate, PhotoEvidence, PredictionReason, SetPrediction, TreesAnswer
from search.photographers.classifier.classifier import PhotoVectors, Verdict
from search.photographers.photos.names import photographer_id
from search.settings import Settings
from web.cli import main
from web.commands.context import stdout
from web.commands.photographers.group import COMMANDS
from web.commands.photographers.show import _show
from web.commands.photographers.tables import write_predictions
from workers.training.shared_models import SharedModels

LIGHT_CHILD = Path(__file__).parents[1] / "workers" / "training" / "light_child.py"
COLOURS = ("red", "green", "blue")
HOSTILE = "\x1b[31m[bold]<script>../../x"
"""Would colour a terminal, be markup, a page's script and a path."""


@pytest.fixture
def library(cli: Any, media: Path) -> Path:
    """Nine pictures in three folders, taken in."""
    cli("ingest", media)
    return media


@pytest.fixture
def labelled(cli: Any, library: Path) -> Path:
    """They are by Red, Green and Blue, as their folders say."""
    assert cli("photographers", "label", "--from", "folder").exit_code == 0
    return library


class LightClassifier:
    """Red is who takes red pictures."""

    def predict(self, photo: PhotoVectors, basis: Basis) -> Verdict:
        likely = ("red", "green", "blue")[int(photo.visual.argmax())]
        sure = float(photo.visual.max()) > 0.9
        candidates = (Candidate(likely, 0.75), Candidate("somebody", 0.25))
        reasons = (
            PredictionReason("visual", "what it shows is like theirs", None, None, 1.5),
            PredictionReason("noise", "noisier than most photos", 3.0, 1.0, -0.5),
        )
        verdict = Verdict(candidates, not sure, 0.5, reasons, candidates, candidates[:1], ("A light one.",))
        trees = TreesAnswer(candidates[::-1], "Absent tags count.", True) if basis is Basis.EVERYTHING else None
        return replace(verdict, one_of=(likely,), coverage=0.9, nearness={likely: 0.5}, by_trees=trees)

    def judge(self, photos: Sequence[PhotoEvidence]) -> SetPrediction:
        names = {name: 0.5 for photo in photos for name in photo.nearness}
        kinds = {"ours": 0.2, "nobody": 0.1, "mixed": 0.7} if len(names) > 1 else {"ours": 0.8, "nobody": 0.2}
        verdict = max(kinds, key=lambda kind: kinds[kind])
        return SetPrediction(
            len(photos), verdict, kinds[verdict], kinds, tuple(Candidate(*one) for one in names.items())
        )


@pytest.fixture
def light_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings run a light child, and what it leaves is read as a light classifier."""
    monkeypatch.setattr(workers.training.local, "COMMAND", (sys.executable, str(LIGHT_CHILD)))
    monkeypatch.setattr(service_module, "_load_classifier", lambda folder, *spaces: LightClassifier())


@pytest.fixture
def trained(cli: Any, labelled: Path, light_training: None) -> Path:
    answer = cli.json("photographers", "train", "--seconds", "1")
    assert answer["state"] == "done"
    return labelled


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_json_and_home_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, ["photographers", name, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert "--home" in result.output


def test_nobody_is_known_at_first(cli: Any) -> None:
    assert cli.json("photographers", "list") == []
    assert "likewise photographers label" in cli("photographers", "list").stdout
    for command in (["show", "Ada"], ["similar", "Ada"], ["rename", "Ada", "Bo"], ["merge", "Ada", "Bo"]):
        assert cli.json("photographers", *command, status=2)["error"]["code"] == "not_found"
    assert "no pictures" in cli.json("photographers", "train", status=2)["error"]["message"]


def test_folders_name_photographers(cli: Any, labelled: Path) -> None:
    listed = cli.json("photographers", "list")
    assert {one["name"]: one["photos"] for one in listed} == dict.fromkeys(COLOURS, 3)
    assert [one["credits"] for one in listed] == [{"folder": 3}] * 3
    assert [one["id"] for one in listed] == [photographer_id(one["name"]) for one in listed]
    told = cli("photographers", "list").stdout
    assert "folder 3" in told
    assert photographer_id("red") in told


def test_a_table_names_photographers_and_lines_that_mean_nothing_are_told(
    cli: Any, library: Path, tmp_path: Path
) -> None:
    table = tmp_path / "media" / "names.csv"
    table.write_text("path,photographer\nred,Ada\ngreen/*.png,Bo\nnowhere.png,Cy\n", "utf-8")
    answer = cli.json("photographers", "label", "--from", "csv", table, status=1)
    assert answer["state"] == "done_with_failures"
    assert "nowhere.png" in answer["message"]
    assert {one["name"]: one["photos"] for one in cli.json("photographers", "list")} == {"Ada": 3, "Bo": 3}
    assert "table" in cli.json("photographers", "label", "--from", "csv", status=2)["error"]["message"]


def test_groups_of_alike_photos_stand_for_photographers(cli: Any, library: Path) -> None:
    answer = cli.json("photographers", "label", "--from", "kmeans", "--groups", 3)
    assert "only seems to be right" in answer["message"]
    assert {one["credits"].get("kmeans") for one in cli.json("photographers", "list")} == {3}
    cli("photographers", "label", "--from", "none", "--undo", answer["job"])
    assert cli.json("photographers", "list") == []
    cli("photographers", "label", "--from", "kmeans", "--groups", 3)
    cli("photographers", "label", "--from", "none", "--of", "kmeans")
    assert cli.json("photographers", "list") == []


def test_renames_and_merges(cli: Any, labelled: Path) -> None:
    renamed = cli.json("photographers", "rename", "RED", "Ada Rot")
    assert renamed == {"name": "Ada Rot", "records": 3}
    assert cli.json("photographers", "show", "ada rot")["photos"] == 3
    merged = cli("photographers", "merge", photographer_id("green"), "Ada Rot")
    assert "Ada Rot" in merged.stdout
    assert {one["name"]: one["photos"] for one in cli.json("photographers", "list")} == {"Ada Rot": 6, "blue": 3}
    assert cli.json("photographers", "merge", "blue", "Nobody Known", status=2)["error"]["code"] == "not_found"
    assert cli.json("photographers", "rename", "blue", "  Azul\n ") == {"name": "Azul", "records": 3}
    for command in (["rename", "azull", "Bo"], ["similar", "azull"], ["show", "azull"], ["merge", "azull", "Ada Rot"]):
        error = cli.json("photographers", *command, status=2)["error"]
        assert error["message"] == "There is no photographer 'azull'. Did you mean 'Azul'?"
        assert "photographers list" in error["hint"]


def test_shoots_are_listed_named_and_shown_over_time(cli: Any, labelled: Path) -> None:
    shoots = cli.json("photographers", "shoots", "red")
    assert [shoot["photos"] for shoot in shoots] == [3]
    named = cli.json("photographers", "shoots", "red", "--name", shoots[0]["id"], "The red  one")
    assert named == {"name": "The red one", "photos": 3}
    assert [one["name"] for one in cli.json("photographers", "show", "red")["sessions"]] == ["The red one"]
    assert "The red one" in cli("photographers", "shoots", "red").stdout
    cli("photographers", "shoots", "red", "--name", shoots[0]["id"], "")
    assert cli.json("photographers", "shoots", "red")[0] == shoots[0]
    found = cli.json("photographers", "timeline", "red")
    assert (found["shoots"], found["change"]) == ([], None)
    assert "without a date are left out: 1." in " ".join(found["notes"])
    assert "20 shoots on" in cli("photographers", "timeline", "red").stdout
    assert cli.json("photographers", "shoots", "red", "--name", "0" * 36, "x", status=2)["error"]["code"] == "not_found"


def test_hostile_names_are_spelt_out(cli: Any, library: Path, tmp_path: Path) -> None:
    cli("photographers", "label", "--from", "folder")
    cli("photographers", "rename", "red", HOSTILE)
    (hostile,) = [one for one in cli.json("photographers", "list") if "script" in one["name"]]
    for command in (["list"], ["show", hostile["id"]], ["similar", hostile["id"]], ["similar", "blue"]):
        told = cli("photographers", *command)
        assert told.exit_code == 0
        assert "\x1b" not in told.stdout
    assert "[bold]<script>../../x" in cli("photographers", "list").stdout
    assert cli.json("photographers", "show", hostile["name"])["id"] == hostile["id"]


def test_each_way_to_be_alike_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    alike = [
        {"by": by, "name": "-", "display_name": f"{by} {n}", "id": f"{n:016}", "similarity": 1 - n / 10}
        for by in ("style", "subject", "joint")
        for n in range(6)
    ]
    nothing: dict[str, Any] = dict.fromkeys(("notes", "traits", "styles", "sessions", "miscredits"), ())
    called = {"id": "0" * 16, "name": "Ada", "display_name": "Ada"}
    named = called | {"photos": 3, "first": None, "last": None, "cameras": {}, "lenses": {}}
    _show(nothing | named | {"alike": alike}, stdout())
    told = capsys.readouterr().out
    for by in ("style", "subject", "joint"):
        assert f"{by} 3" in told
        assert f"{by} 4" not in told


def test_one_photographer_and_who_works_alike(cli: Any, labelled: Path) -> None:
    shown = cli.json("photographers", "show", "red")
    assert (shown["name"], shown["photos"], shown["credits"]) == ("red", 3, {"folder": 3})
    assert "red: 3 photos" in cli("photographers", "show", "red").stdout
    alike = cli.json("photographers", "similar", "red")
    assert {one["name"] for one in alike} <= {"green", "blue"}
    assert cli("photographers", "similar", "red").exit_code == 0


def test_training_makes_a_model_that_is_asked(cli: Any, trained: Path) -> None:
    picture = trained / "red" / "red-0.png"
    answer = cli.json("photographers", "predict", picture)
    assert set(answer) >= {"unknown", "candidates", "threshold", "reasons", "by_style", "by_subject", "nearest"}
    assert answer["unknown"] is False
    assert answer["candidates"][0]["photographer"] == "red"
    assert answer["threshold"] == 0.5
    assert {Path(photo["path"]).parent.name for photo in answer["nearest"]["red"]} == {"red"}
    assert any("credited to red" in note for note in answer["notes"])
    told = cli("photographers", "predict", picture).stdout
    assert "red, 75%" in told
    assert "What spoke for and against red:\nfor: what it shows is like theirs (+1.50)\n" in told
    assert "against: noisier than most photos (-0.50)" in told
    assert (answer["by_trees"], "trees" in told) == (None, False)
    with_file = cli("photographers", "predict", picture, "--with-file").stdout
    assert "By trees (CatBoost over features and embedding): somebody, 25%. Absent tags count." in with_file

    (id_,) = {hit["id"] for hit in cli.json("similar", picture)["hits"] if hit["relation"] == "exact_copy"}
    by_id = cli.json("photographers", "predict", id_)
    assert by_id["candidates"] == answer["candidates"]
    assert id_ not in {photo["id"] for photos in by_id["nearest"].values() for photo in photos}


def test_of_a_folder_each_photo_is_told_and_all_together(cli: Any, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "red", tmp_path / "sent" / "deeper")
    (tmp_path / "sent" / "=broken.jpg").write_bytes(b"no picture")
    (tmp_path / "sent" / "notes.txt").write_text("no picture either")
    table = tmp_path / "table.csv"
    answer = cli.json("photographers", "predict", tmp_path / "sent", "--csv", table, status=1)
    pictures = sorted(str(path) for path in (tmp_path / "sent").rglob("*.*g"))
    assert [photo["file"] for photo in answer["photos"]] == pictures
    assert [bool(photo["error"]) for photo in answer["photos"]] == [path.endswith("broken.jpg") for path in pictures]
    assert answer["set"]["verdict"] == "ours"
    assert answer["set"]["photos"] == len(pictures) - 1
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == pictures
    good = [row for row in rows if not row["error"]]
    assert {(row["unknown"], row["photographer"], row["one_of"], row["coverage"]) for row in good} == {
        ("no", "red", "red", "0.9")
    }
    assert table.read_bytes().count(b"\r\n") == 1 + len(rows)

    told = cli("photographers", "predict", *(trained / color / f"{color}-0.png" for color in ("red", "green"))).stdout
    assert "All 2 photos together: mixed: by several photographers" in told
    assert "One of: for 90% of the photos" in told
    error = cli.json("photographers", "predict", tmp_path / "sent" / "nowhere", status=2)["error"]
    assert error["code"] == "not_found"


def test_the_desk_credits_undoes_displays_and_compares(cli: Any, labelled: Path) -> None:
    photo = cli.json("photographers", "show", "red")["samples"][0]["id"]
    made = cli.json("photographers", "credit", "ada_b_lovelace", photo)
    assert made["credited"] == {photo: "ada_b_lovelace"}
    assert "Ada B. Lovelace" in cli("photographers", "list").stdout
    assert (
        "Ada B. Lovelace, credited as ada_b_lovelace: 1 photo" in cli("photographers", "show", "ada b. lovelace").stdout
    )
    cli("photographers", "display", "ada_b_lovelace", "Countess")
    (ada,) = [one for one in cli.json("photographers", "list") if one["name"] == "ada_b_lovelace"]
    assert ada["display_name"] == "Countess"
    told = cli("photographers", "compare", "Countess", "green").stdout
    assert "Countess (1 photos) and green (3)" in told
    assert "there are few photos" in told
    assert "as before" in cli("photographers", "undo", made["edit"]).stdout
    assert cli.json("photographers", "undo", made["edit"], status=2)["error"]["code"] == "not_found"
    assert {one["name"]: one["photos"] for one in cli.json("photographers", "list")} == dict.fromkeys(COLOURS, 3)


def test_dates_and_places_are_previewed_and_noted(cli: Any, labelled: Path) -> None:
    table = labelled / "facts.csv"
    table.write_text("path,taken,place\nred,1942-06-15,Tulsa\nnowhere.png,1942,\n")
    preview = cli.json("photographers", "facts", table, "--preview", status=1)
    assert (preview["changed"], preview["wrong_lines"]) == (3, 1)
    told = cli("photographers", "facts", table, "--preview").stdout
    assert "3 photos would change" in told
    assert "1942-06-15, Tulsa" in told
    assert "Line 3: '1942' is no date" in told
    assert "3 photos are noted" in cli("photographers", "facts", table).stdout
    assert cli.json("photographers", "show", "red")["first"] == "1942-06-15"
    cli("photographers", "facts", "--forget")
    assert cli.json("photographers", "show", "red")["first"] is None
    assert cli("photographers", "facts").exit_code == 2


def test_evidence_is_written_of_stored_photos_and_of_a_file(cli: Any, trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "evidence.html"
    cli("photographers", "evidence", "--folder", trained, "--to", target)
    page = target.read_text("utf-8")
    assert page.count('<section class="photo">') == 9
    assert "All 9 together" in page
    cli("photographers", "evidence", trained / "red" / "red-0.png", "--to", target)
    page = target.read_text("utf-8")
    assert page.count("not in the library") == page.count('<section class="photo">') == 1
    assert 'alt="The photo red-0.png"' in page  # its preview


def test_cells_of_the_table_are_no_formulas(tmp_path: Path) -> None:
    best = {"photographer": "@SUM(A1)", "probability": 0.5}
    prediction = {"candidates": [best], "unknown": False, "threshold": 0.4, "one_of": ["+1", "b"], "coverage": None}
    names = ["=cmd|' /C calc'!A0", '-2, "quoted"', "plain.jpg", "\tx", "line\nbreak.jpg"]
    target = tmp_path / "out.csv"
    write_predictions(target, [{"file": n, "prediction": prediction | {"model": "m"}, "error": None} for n in names])
    with target.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == ["'=cmd|' /C calc'!A0", '\'-2, "quoted"', "plain.jpg", "'\tx", names[-1]]
    assert {(row["photographer"], row["one_of"]) for row in rows} == {("'@SUM(A1)", "'+1; b")}


def test_whoever_was_renamed_after_the_training_is_answered_by_the_new_name(cli: Any, trained: Path) -> None:
    cli("photographers", "rename", "red", "Ada Rot")
    answer = cli.json("photographers", "predict", trained / "red" / "red-0.png")
    assert answer["candidates"][0]["photographer"] == "Ada Rot"
    assert answer["candidates"][0]["id"] == photographer_id("Ada Rot")
    assert {Path(photo["path"]).parent.name for photo in answer["nearest"]["Ada Rot"]} == {"red"}


def test_training_is_followed_and_told(cli: Any, labelled: Path, light_training: None) -> None:
    result = cli("photographers", "train")
    assert result.exit_code == 0
    assert "It learnt nothing." in result.stdout
    (job,) = [job for job in cli.json("jobs") if job["task"] == "train_photographers"]
    assert (job["total"], job["embedded"]) == (9, 9)


def test_an_untrained_library_says_what_to_do(cli: Any, labelled: Path) -> None:
    for command in (["predict", labelled / "red" / "red-0.png"], ["report"]):
        error = cli.json("photographers", *command, status=2)["error"]
        assert error["code"] == "not_found"
        assert "likewise photographers train" in error["hint"]


def test_a_training_that_cannot_go_on_fails(
    cli: Any, labelled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dying = tmp_path / "dying.py"
    dying.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setattr(workers.training.local, "COMMAND", (sys.executable, str(dying)))
    error = cli.json("photographers", "train", status=3)["error"]
    assert "out of memory, or was killed" in error["message"]
    assert (
        cli.json("photographers", "predict", labelled / "red" / "red-0.png", status=2)["error"]["code"] == "not_found"
    )


def test_a_model_of_other_vectors_is_refused(cli: Any, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise SpaceMismatchError("The classifier was trained on other vectors.", "Train again.")

    monkeypatch.setattr(service_module, "_load_classifier", refuse)
    error = cli.json("photographers", "predict", trained / "red" / "red-0.png", status=3)["error"]
    assert error["code"] == "space_mismatch"
    assert "rain again" in error["hint"]


def test_sounds_are_not_asked_about(cli: Any, trained: Path, shared_data: Path, tmp_path: Path) -> None:
    sound = next((shared_data / "audio_digits_fsdd").rglob("*.wav"), None) or next(shared_data.rglob("*.wav"))
    shutil.copy(sound, tmp_path / "sound.wav")
    error = cli.json("photographers", "predict", tmp_path / "sound.wav", status=2)["error"]
    assert "this is a sound" in error["message"]


def test_the_report_is_what_was_saved(
    cli: Any, trained: Path, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    made = tmp_path / "made"
    made.mkdir()
    assert "without a report" in cli.json("photographers", "report", status=2)["error"]["message"]
    (made / "report.json").write_text(json.dumps({"accuracy": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 90}}))
    from search.photographers.model_registry import ModelKind

    version = SharedModels(make_settings(home=cli.home)).publish(ModelKind.CLASSIFIER, "20990131T115900-0f1e2d3c", made)
    report = cli.json("photographers", "report")
    assert report["accuracy"]["n"] == 90
    assert report["version"] == version.name
