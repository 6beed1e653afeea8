"""``likewise backup``, ``restore`` and ``migrate``, with the real store on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search.store.edge import EdgeStore
from search.transfer import COPYING


@pytest.fixture
def taken_in(cli: Any, media: Path) -> Any:
    """The command line of a data directory that holds the media."""
    cli.json("ingest", media, status=1)
    return cli


def test_backup_and_restore(taken_in: Any, media: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    done = taken_in.json("backup", folder)
    assert (done["state"], done["task"], done["path"]) == ("done", "backup", str(folder))
    assert done["done"] == done["total"] == 9
    checked = taken_in.json("backup", folder, "--verify")
    assert checked["whole"] is True
    assert checked["damaged"] == []
    assert checked["collections"]["images"] == 9
    assert checked["files"] == 11

    other = type(taken_in)(tmp_path / "restored")
    restored = other.json("restore", folder)
    assert restored["collections"]["images"] == 9
    assert restored["files"] == 11
    assert restored["home"] == str(tmp_path / "restored")
    again = other.json("ingest", media)
    assert (again["unchanged"], again["embedded"]) == (11, 0), "the restored ledger knows every file"
    question = ("similar", media / "red" / "red-0.png", "--limit", "9")
    ours, theirs = taken_in.json(*question), other.json(*question)
    assert [(hit["id"], hit["score"], hit["match"]) for hit in ours["hits"]] == [
        (hit["id"], hit["score"], hit["match"]) for hit in theirs["hits"]
    ]
    for hit in theirs["hits"]:
        key = f"{hit['id'][:2]}/{hit['id']}.webp"
        assert (other.home / "previews" / key).read_bytes() == (taken_in.home / "previews" / key).read_bytes()


def test_it_is_told_in_words(taken_in: Any, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert "9 records in" in taken_in("backup", folder).stdout
    shown = taken_in("backup", folder, "--verify").stdout
    assert "9 images" in shown
    assert "parts are as they were written" in shown
    other = type(taken_in)(tmp_path / "restored")
    assert "9 records and 11 files known are back, each compared" in other("restore", folder).stdout


def test_damage(taken_in: Any, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    taken_in.json("backup", folder)
    part = folder / "collections" / "images" / "000001.parquet"
    part.write_bytes(part.read_bytes()[:-3] + b"xxx")
    checked = taken_in.json("backup", folder, "--verify", status=1)
    assert checked["whole"] is False
    assert "collections/images/000001.parquet" in checked["damaged"]
    assert "collections/images/000001.parquet" in taken_in("backup", folder, "--verify").stdout
    other = type(taken_in)(tmp_path / "restored")
    refused = other.json("restore", folder, status=3)["error"]
    assert refused["code"] == "backup"
    assert "000001.parquet" in refused["message"]
    part.unlink()
    assert other.json("ingest", tmp_path / "media", status=1)["embedded"] == 9, "nothing had been restored"


def test_what_is_no_backup(cli: Any, tmp_path: Path) -> None:
    assert "has no manifest.json" in cli.json("backup", tmp_path, "--verify", status=3)["error"]["message"]
    assert cli.json("restore", tmp_path / "nowhere", status=3)["error"]["code"] == "backup"
    (tmp_path / "unfinished.jsonl").write_text("")
    assert "was never finished" in cli.json("restore", tmp_path, status=3)["error"]["message"]


def test_restore_wants_an_empty_home(taken_in: Any, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    taken_in.json("backup", folder)
    assert "not empty" in taken_in.json("restore", folder, status=2)["error"]["message"]
    assert "a backup in" in taken_in.json("backup", folder, status=2)["error"]["message"]


def test_half_a_restore_is_not_opened(taken_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backup"
    taken_in.json("backup", folder)
    other = type(taken_in)(tmp_path / "restored")
    with monkeypatch.context() as patched:
        patched.setattr("ingest.backup.restoring.Restore.finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        assert other("restore", folder).exit_code == 130
    refused = other.json("status", status=3)["error"]
    assert "was cut off" in refused["message"]
    assert f"likewise restore {folder}" in refused["hint"]
    other.json("restore", folder)
    assert other.json("status")["collections"]["images"]["points"] == 9


def test_migrate(taken_in: Any, tmp_path: Path) -> None:
    target = tmp_path / "moved"
    done = taken_in.json("migrate", "--to", "edge:moved")
    assert done["to"] == f"edge:{target}"
    assert done["done"] == done["total"] == 18
    assert done["settings"] == {
        "LIKEWISE_STORE": "edge",
        "LIKEWISE_HOME": str(target),
        "LIKEWISE_DATABASE_URL": f"sqlite:///{taken_in.home / 'ledger.sqlite'}",
        "LIKEWISE_SHARED": str(taken_in.home),
    }
    assert "did not come from here" in taken_in.json("migrate", "--to", "edge:moved", status=2)["error"]["message"]
    assert "names no store" in taken_in.json("migrate", "--to", "there", status=2)["error"]["message"]


def test_the_moved_store_is_used_as_was_said(
    taken_in: Any, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in taken_in.json("migrate", "--to", "edge:moved")["settings"].items():
        monkeypatch.setenv(name, value)
    assert json.loads(taken_in("status", "--json", home=False).stdout)["collections"]["images"]["points"] == 9
    again = json.loads(taken_in("ingest", str(media), "--json", home=False).stdout)
    assert (again["unchanged"], again["embedded"]) == (11, 0)


def test_half_a_migration_is_not_opened(taken_in: Any, tmp_path: Path) -> None:
    taken_in.json("migrate", "--to", "edge:moved")
    store = EdgeStore(tmp_path / "moved")
    store.set_metadata("images", {COPYING: {"from": "elsewhere", "after": None}})
    store.close()
    moved = type(taken_in)(tmp_path / "moved")
    assert "'images' does not hold everything" in moved.json("status", status=3)["error"]["message"]
