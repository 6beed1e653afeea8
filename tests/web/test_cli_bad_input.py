"""Bad input of every kind: each with a clear message and the documented exit status."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.errors import DiskFullError
from search.settings import Settings
from search.store import open_store
from search.store.edge.store import EdgeStore


def test_unknown_command_and_option(cli: Any) -> None:
    assert cli("photograph").exit_code == 2
    assert cli("status", "--colour").exit_code == 2
    assert cli.json("similar", status=2)["error"]["code"] == "usage"


def test_missing_path(cli: Any, tmp_path: Path) -> None:
    error = cli.json("ingest", tmp_path / "nowhere", status=2)["error"]
    assert error["code"] == "not_found"
    assert "nowhere" in error["message"]
    assert error["hint"]


def test_name_that_is_not_utf8(cli: Any, tmp_path: Path) -> None:
    error = cli.json("ingest", f"{tmp_path}/\udcff.jpg", status=2)["error"]
    assert "UTF-8" in error["message"]


def test_unreadable_folder(cli: Any, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr("ingest.scan.sources.os.scandir", refuse)
    result = cli("ingest", media)
    assert result.exit_code == 3
    assert "cannot be read: Permission denied" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder_for_real(cli: Any, media: Path) -> None:
    media.chmod(0)
    assert cli.json("ingest", media, status=3)["error"]["code"] == "unreadable"
    media.chmod(0o700)


def test_empty_home_is_not_the_working_directory(cli: Any, tmp_path: Path) -> None:
    result = cli("status", "--home", "", home=False)
    assert result.exit_code == 2
    assert "--home" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_home_that_is_a_file(cli: Any) -> None:
    cli.home.write_text("in the way")
    assert cli.json("status", status=3)["error"]["code"] == "store"


def test_example_that_is_not_there(cli: Any, media: Path) -> None:
    assert cli.json("similar", "nowhere.jpg", status=2)["error"]["code"] == "not_found"
    assert "folder" in cli("similar", media).stderr
    unknown = cli.json("similar", "6f3d7c1e-0f0a-5b53-9d0a-3b6f5f9f1c11", status=2)["error"]
    assert unknown["code"] == "not_found"


def test_example_that_is_no_media(cli: Any, media: Path) -> None:
    error = cli.json("similar", media / "note.txt", status=3)["error"]
    assert error["code"] == "unsupported"
    assert "note.txt" in error["message"]


def test_wrong_setting(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKEWISE_BATCH_SIZE", "many")
    result = cli("status")
    assert result.exit_code == 2
    assert "LIKEWISE_BATCH_SIZE" in result.stderr
    assert "many" in result.stderr


def test_wrong_choices(cli: Any, media: Path) -> None:
    assert "images, videos, audio" in cli("search", "x", "--in", "pictures").stderr
    assert cli.json("similar", media / "red" / "red-0.png", "--in", "films", status=2)["error"]["code"] == "usage"
    cli("ingest", media)
    assert "visual" in cli("similar", media / "red" / "red-0.png", "--space", "smell").stderr
    assert cli("export", "out.dat").exit_code == 2
    assert cli("export", "out.npz", "--space", "smell").exit_code == 2


def test_job_that_is_not_there(cli: Any) -> None:
    assert cli.json("jobs", "cancel", "99", status=2)["error"]["code"] == "not_found"
    assert cli("jobs", "pause").exit_code == 2


def test_data_directory_in_use(cli: Any, make_settings: Callable[..., Settings]) -> None:
    store = open_store(make_settings(home=cli.home))
    try:
        error = cli.json("status", status=3)["error"]
    finally:
        store.close()
    assert error["code"] == "store_locked"
    assert "in use by process" in error["message"]


def test_collection_of_another_model(cli: Any, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("ingest", media)
    monkeypatch.undo()
    monkeypatch.setenv("LIKEWISE_IMAGE_MODEL", "resnet18")
    error = cli.json("ingest", media, status=3)["error"]
    assert error["code"] == "space_mismatch"
    assert "resnet18" in error["message"]
    assert "quick" in error["message"]
    assert cli.json("jobs")[0]["state"] in {"cancelled", "failed"}


def test_full_disk(cli: Any, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFullError("No space is left on the device of the store.", "Free some space.")

    monkeypatch.setattr(EdgeStore, "upsert", full)
    result = cli("ingest", media)
    assert result.exit_code == 3
    assert "No space is left" in result.stderr


def test_nothing_labelled(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "label" in cli("evaluate", tmp_path / "empty").stderr
    assert cli.json("evaluate", tmp_path / "nowhere", status=2)["error"]["code"] == "not_found"


def test_public_address_without_token(cli: Any) -> None:
    result = cli("up", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 2
    assert "LIKEWISE_TOKEN" in result.stderr
