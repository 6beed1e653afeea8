"""The command line without a server: answers, exit statuses, messages."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from ingest.ledger.database import Ledger
from ingest.ledger.tables import jobs
from ingest.node import Node
from search.settings import Settings
from web.cli import COMMANDS, main


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom web.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'numpy', 'flask', 'pydantic', 'sqlalchemy', 'rich', 'httpx'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_json_and_home_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert "--home" in result.output


def test_ingest_tells_what_became_of_every_file(cli: Any, media: Path) -> None:
    answer = cli.json("ingest", media, status=1)
    assert answer["state"] == "done_with_failures"
    counts = {"total": 11, "embedded": 9, "duplicate": 0, "unchanged": 0, "moved": 0, "missing": 0, "skipped": 1}
    assert {name: answer[name] for name in counts} == counts
    assert answer["failed"] == 1
    assert answer["seconds"] > 0
    (failure,) = cli.json("failures")
    assert failure["path"] == str(media / "broken.png")
    assert failure["code"] == "corrupt"
    assert failure["attempts"] == 1
    assert set(failure) == {"path", "code", "detail", "attempts"}


def test_ingest_for_people(cli: Any, media: Path) -> None:
    result = cli("ingest", media)
    assert result.exit_code == 1
    assert "9 embedded, 1 skipped, 1 failed" in result.stdout
    assert "corrupt" in result.stdout
    assert str(media / "broken.png") in result.stdout
    assert "Quick models are in use." in result.stderr
    assert "11 of 11 done, 1 failed, 1 skipped" in result.stderr

    again = cli("ingest", media)
    assert again.exit_code == 0
    assert "unchanged" in again.stdout


def test_failures_are_tried_again_when_asked(cli: Any, media: Path) -> None:
    cli("ingest", media)
    (failure,) = cli.json("failures", "--retry", status=1)
    assert failure["attempts"] == 2
    (media / "broken.png").write_bytes((media / "red" / "red-0.png").read_bytes())
    assert cli.json("failures", "--retry") == []


def test_much_gone_stops_with_a_question(cli: Any, media: Path) -> None:
    cli("ingest", media)
    for path in media.rglob("*.png"):
        path.unlink()
    error = cli.json("ingest", media, status=3)["error"]
    assert error["code"] == "confirmation_required"
    assert "--confirm-missing" in error["message"] + error["hint"]
    assert cli.json("ingest", media, "--confirm-missing")["missing"] == 9


def test_status_names_models_and_fingerprints(cli: Any, media: Path) -> None:
    assert cli.json("status")["collections"] == {}
    cli("ingest", media)
    answer = cli.json("status")
    assert answer["store"] == "edge"
    assert answer["home"] == str(cli.home)
    images = answer["collections"]["images"]
    assert images["points"] == 9
    assert images["spaces"]["visual"]["model"] == "quick"
    assert images["spaces"]["visual"]["dim"] == 3
    assert len(images["spaces"]["visual"]["fingerprint"]) == 16
    assert set(answer["collections"]["audio"]["spaces"]) == {"sound"}
    assert "quick" in cli("status").stdout


def test_similar_to_a_file_and_to_an_id(cli: Any, media: Path) -> None:
    cli("ingest", media)
    answer = cli.json("similar", media / "red" / "red-1.png", "--limit", 3)
    assert set(answer) >= {"query", "hits", "by_collection", "took_ms"}
    first = answer["hits"][0]
    assert first["relation"] == "exact_copy"
    assert first["paths"] == [str(media / "red" / "red-1.png")]
    assert {Path(hit["paths"][0]).parent.name for hit in answer["hits"]} == {"red"}
    by_id = cli.json("similar", first["id"], "--in", "images", "--space", "visual")
    assert first["id"] not in {hit["id"] for hit in by_id["hits"]}
    assert list(by_id["by_collection"]) == ["images"]
    assert "red-1.png" in cli("similar", media / "red" / "red-1.png").stdout


def test_filters_narrow_a_question(cli: Any, media: Path) -> None:
    cli("ingest", media)
    red = media / "red" / "red-0.png"
    under = cli.json("similar", red, "--under", media / "blue")
    assert {Path(hit["paths"][0]).parent.name for hit in under["hits"]} == {"blue"}
    assert cli.json("similar", red, "--orientation", "portrait")["hits"] == []
    assert cli.json("similar", red, "--tag", "nothing-has-this")["hits"] == []
    assert len(cli.json("similar", red, "--max-size", 10**6, "--from", "1990-01-01")["hits"]) == 0
    blue = cli.json("search", "blue")["hits"][0]["id"]
    unlike = cli.json("similar", red, "--unlike", blue, "--limit", 2)
    assert {Path(hit["paths"][0]).parent.name for hit in unlike["hits"]} == {"red"}


def test_search_by_words(cli: Any, media: Path) -> None:
    cli("ingest", media)
    hits = cli.json("search", "green")["hits"]
    assert {Path(hit["paths"][0]).parent.name for hit in hits} == {"green"}
    assert "green-0.png" in cli("search", "green").stdout
    assert cli.json("search", "zebra")["hits"] == []
    assert "Nothing" in cli("search", "zebra").stdout


def test_duplicates_and_jobs(cli: Any, media: Path) -> None:
    (media / "copy.png").write_bytes((media / "red" / "red-0.png").read_bytes())
    cli("ingest", media)
    groups = cli.json("duplicates")["groups"]
    exact = [group for group in groups if group["relation"] == "exact_copy"]
    assert [sorted(exact[0]["members"][0]["paths"])] == [[str(media / "copy.png"), str(media / "red" / "red-0.png")]]
    assert str(media / "copy.png") in cli("duplicates").stdout
    (job,) = cli.json("jobs")
    assert job["state"] == "done_with_failures"
    assert "done with failures" in cli("jobs").stdout


def test_jobs_can_be_resumed_and_cancelled(cli: Any, media: Path, make_settings: Callable[..., Settings]) -> None:
    with Node.open(make_settings(home=cli.home)) as node:
        cut_off, unwanted = node.ingest.start([media]), node.ingest.start([media / "red"])
    assert cli.json("jobs", "cancel", unwanted)["state"] == "cancelled"
    assert cli.json("jobs", "resume", cut_off, status=1)["embedded"] == 9


def test_jobs_tell_what_those_that_wait_wait_for(cli: Any, media: Path, make_settings: Callable[..., Settings]) -> None:
    settings, reason = make_settings(home=cli.home), "It waits for job 7 ('classifier') to end."
    with Node.open(settings) as node:
        ended, waiting = node.ingest.start([media]), node.ingest.start([media])
        node.ingest.cancel(ended)
    ledger = Ledger(settings.ledger_url)
    with ledger.write() as connection:
        connection.execute(update(jobs).values(message=reason))
    ledger.close()
    assert [line for line in cli("jobs").stdout.splitlines() if "waits" in line] == [f"{waiting}: {reason}"]
    assert cli("jobs", waiting).stdout.splitlines()[-1] == reason


def test_failures_are_listed_whole_and_counted_whole(
    cli: Any, make_media: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    media = make_media(colours=())
    media.mkdir()
    names = ["one.png", "two .png", "two\n.png", "x.gif", "y.gif"]
    for number, name in enumerate(names):
        (media / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]))
    monkeypatch.setattr("web.commands.library.failures.PAGE", 2)
    result = cli("ingest", media)
    assert "5 failed" in result.stdout
    assert ["5", "corrupt"] in [line.split()[:2] for line in result.stdout.splitlines()]
    assert sorted(Path(one["path"]).name for one in cli.json("failures")) == sorted(names)
    assert len(cli.json("failures", "--limit", 3)) == 3
    assert cli.json("failures", "--code", "empty") == []


def test_names_are_shown_on_one_line_and_cannot_command_the_terminal(cli: Any, make_media: Callable[..., Path]) -> None:
    media = make_media(colours=("red",))
    (media / "red" / "red-0.png").rename(media / "red" / "a\nb\x1b[31m.png")
    (media / "c\x1b[31m.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    shown = cli("ingest", media).stdout + cli("failures").stdout + cli("search", "red").stdout
    assert "\x1b" not in shown
    assert "c\\x1b[31m.png" in shown
    assert "a\\nb\\x1b[31m.png" in shown


def test_a_missing_path_is_told_before_any_model_is_sought(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("models were sought")

    monkeypatch.setattr("workers.engines.local.choose_models", refuse)
    assert cli("ingest", tmp_path / "nowhere").exit_code == 2
    assert cli("up", tmp_path / "nowhere", "--port", "0").exit_code == 2


def test_interrupting_cancels_after_the_batch_and_says_how_to_go_on(
    cli: Any, make_media: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    media = make_media()
    pressed: list[bool] = []

    def press(_: float) -> None:
        if not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    monkeypatch.setattr("web.commands.job_progress.time.sleep", press)
    result = cli("ingest", media)
    assert result.exit_code == 130
    assert "Run the same command again" in result.stderr
    assert cli.json("ingest", media)["total"] == 9
    assert cli.json("status")["collections"]["images"]["points"] == 9


def test_export_in_every_format(cli: Any, media: Path, tmp_path: Path) -> None:
    import joblib
    import numpy as np
    import pyarrow.parquet as pq

    cli("ingest", media)
    out = {kind: tmp_path / f"vectors.{kind}" for kind in ("npz", "parquet", "joblib")}
    for kind, path in out.items():
        assert cli.json("export", path) | {"path": ""} == {
            "path": "", "format": kind, "collection": "images", "space": "visual", "rows": 9, "dim": 3,
        }  # fmt: skip
    arrays = np.load(out["npz"])
    table = pq.read_table(out["parquet"])
    cache = joblib.load(out["joblib"])
    assert arrays["embeddings"].shape == (9, 3)
    assert arrays["embeddings"].dtype == np.float32
    assert set(cache) == {"embeddings", "filenames"}
    assert list(arrays["filenames"]) == table["filename"].to_pylist() == cache["filenames"]
    assert set(cache["filenames"]) == {str(path) for path in media.glob("*/*.png")}
    np.testing.assert_array_equal(arrays["embeddings"], cache["embeddings"])
    np.testing.assert_array_equal(arrays["embeddings"], np.array(table["embedding"].to_pylist(), np.float32))
    np.testing.assert_allclose(np.linalg.norm(arrays["embeddings"], axis=1), 1, atol=1e-5)
    assert sorted(path.name for path in tmp_path.glob("*vectors*")) == sorted(path.name for path in out.values())


def test_features_are_a_table_aligned_with_the_vectors(cli: Any, media: Path, tmp_path: Path) -> None:
    import csv

    import numpy as np
    import pyarrow.parquet as pq

    from search.photographers.photos.features import FEATURE_NAMES

    cli("ingest", media)
    cli("photographers", "label", "--from", "folder")
    cli("export", tmp_path / "vectors.npz", "--base", media)
    for kind in ("npz", "parquet", "csv"):
        answer = cli.json("export", "--features", tmp_path / f"features.{kind}", "--base", media)
        assert (answer["rows"], answer["columns"], answer["unmeasured"]) == (9, 78, ["faces", "person_present"])
    with (tmp_path / "features.csv").open(newline="", encoding="utf-8") as file:
        header, *lines = list(csv.reader(file))
    assert header == ["filename", "id", "photographer", *FEATURE_NAMES]
    filenames, ids, photographers = ([line[at] for line in lines] for at in range(3))
    assert filenames == np.load(tmp_path / "vectors.npz")["filenames"].tolist()  # row for row
    assert photographers == [Path(name).parent.name for name in filenames]
    values = np.array([[cell or "nan" for cell in line[3:]] for line in lines], np.float32)
    width, faces = FEATURE_NAMES.index("width"), FEATURE_NAMES.index("faces")
    assert (values[:, width] > 0).all()
    assert np.isnan(values[:, faces]).all()
    arrays = np.load(tmp_path / "features.npz")
    np.testing.assert_array_equal(arrays["features"], values)
    assert arrays["columns"].tolist() == list(FEATURE_NAMES)
    assert [arrays[name].tolist() for name in ("filenames", "ids", "photographers")] == [filenames, ids, photographers]
    table = pq.read_table(tmp_path / "features.parquet")
    assert table.column_names == header
    assert [table[name].to_pylist() for name in header[:3]] == [filenames, ids, photographers]
    np.testing.assert_array_equal(np.stack([table[name].to_numpy() for name in FEATURE_NAMES], axis=1), values)
    assert cli("export", tmp_path / "features.joblib", "--features").exit_code == 2
    assert cli("export", tmp_path / "vectors.csv").exit_code == 2


def test_a_failed_export_leaves_the_old_file(
    cli: Any, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("ingest", media)
    target = tmp_path / "vectors.npz"
    target.write_text("the old one")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr("web.export.np.savez", full)
    error = cli.json("export", target, status=3)["error"]
    assert error["code"] == "disk_full"
    assert target.read_text() == "the old one"
    assert [path.name for path in tmp_path.glob("*vectors*")] == ["vectors.npz"]


def test_evaluate_measures_in_a_directory_of_its_own(cli: Any, make_media: Callable[..., Path]) -> None:
    folder = make_media(each=4)
    result = CliRunner().invoke(main, ["evaluate", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["spaces"]["visual"]
    assert figures == {
        "n": 12, "classes": 3, "p_at_1": 1.0, "k": 5, "p_at_k": pytest.approx(0.6), "map": 1.0, "index_recall": 1.0,
        "intervals": {"p_at_1": [1.0, 1.0], "p_at_k": [pytest.approx(0.6)] * 2, "map": [1.0, 1.0]},
    }  # fmt: skip
    assert not cli.home.exists()
    shown = CliRunner().invoke(main, ["evaluate", str(folder), "--k", "3"])
    assert "1.000" in shown.stdout
    assert cli.json("evaluate", folder, "--k", 3)["spaces"]["visual"]["p_at_k"] == 1.0
    assert cli.json("status")["collections"]["images"]["points"] == 12


def test_doctor_lists_settings_with_origins_and_checks(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKEWISE_PROT", "80")
    monkeypatch.setenv("LIKEWISE_TOKEN", "secret of 16 letters")
    monkeypatch.setenv("LIKEWISE_IMAGE_MODEL", "efficientnet_lite0")
    monkeypatch.setenv("LIKEWISE_VIDEO_MODEL", "frames")
    monkeypatch.setenv("LIKEWISE_DEVICE", "cpu")
    answer = cli.json("doctor")
    assert answer["settings"]["home"] == {"value": str(cli.home), "from": "--home"}
    assert answer["settings"]["token"]["from"] == "LIKEWISE_TOKEN"
    assert answer["settings"]["port"]["from"] == "default"
    assert "secret" not in json.dumps(answer).replace("client_secret", "")
    checks = {check["name"]: check for check in answer["checks"]}
    assert {"versions", "data directory", "store", "ledger", "device"} <= set(checks)
    assert "LIKEWISE_PROT" in checks["variables"]["detail"]
    assert all(check["hint"] for check in checks.values() if check["health"] != "ok")


def test_a_cache_is_imported_beside_the_librarys_vectors(cli: Any, media: Path, tmp_path: Path) -> None:
    import joblib
    import numpy as np

    cli("ingest", media)
    cli.json("export", tmp_path / "own.npz")
    cli.json("export", tmp_path / "relative.joblib", "--base", media)
    again = cli.json("import", tmp_path / "relative.joblib", "--base", media)
    assert (again["matched"], again["unmatched"]) == (9, [])
    with np.load(tmp_path / "own.npz") as own:
        rows, names = own["embeddings"], own["filenames"].tolist()
    relative = [str(Path(name).relative_to(media)) for name in names]
    assert joblib.load(tmp_path / "relative.joblib")["filenames"] == relative
    relative[0] = Path(relative[0]).name  # in another folder there, but the only one of this name
    joblib.dump(
        {"embeddings": np.vstack([2 * rows, rows[:1]]), "filenames": [*relative, "lost.jpg"]}, tmp_path / "c.pkl"
    )
    found = cli.json("import", tmp_path / "c.pkl", "--base", media, "--to", tmp_path / "out.npz")
    assert (found["rows"], found["matched"], found["unmatched"], found["dim"]) == (10, 9, ["lost.jpg"], 3)
    assert found["cosine"] == pytest.approx(1, abs=1e-5)
    assert found["neighbours"] is None  # of nine, which is few
    with np.load(tmp_path / "out.npz") as out:
        assert out["filenames"].tolist() == names
        np.testing.assert_allclose(out["embeddings"], 2 * rows, rtol=1e-6)
