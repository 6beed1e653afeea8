"""A library, a ledger, a backup and trained models that the version before left open, answer and train on.

``make.py`` made them, at commit b151dd9 (version 0.1.0).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.maintenance.backup import snapshots
from ingest.maintenance.backup.manifest import load_manifest
from ingest.maintenance.backup.verify import find_damage
from search.errors import LikewiseError
from search.settings import Settings
from web.client import Client, connect_inside
from web.commands.library.restore import command as restore

HERE = Path(__file__).parent
MADE_IN = "/tmp/likewise-version-before"
RUNNING = ("queued", "scanning", "running", "paused")


@pytest.fixture(scope="module")
def answers() -> Any:
    """What the version before answered."""
    return json.loads((HERE / "answers.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory and the backup that it left, in the folders ``home`` and ``backup``."""
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-xJf", HERE / "library.tar.xz"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def client(unpacked: Path) -> Iterator[Client]:
    with connect_inside(Settings(home=unpacked / "home", device="cpu", decode_workers=1)) as (client, _):
        yield client


def test_what_is_stored_is_there(client: Client, answers: Any) -> None:
    assert paths(client) == answers["records"]


def paths(client: Client) -> dict[str, str]:
    """Id to path, without the folder that the library was made in."""
    return {
        record["id"]: record["paths"][0].removeprefix(MADE_IN)
        for collection in ("images", "videos", "audio")
        for record in client.get("/browse", {"collection": collection, "limit": 100})["records"]
    }


def test_similar_media_are_the_same_in_the_same_order(client: Client, answers: Any) -> None:
    for id_, before in answers["similar"].items():
        hits = client.post("/similar", {"like": [id_]})["hits"]
        assert [[hit["id"], hit["band"]] for hit in hits] == [[one, band] for one, band, _ in before]
        assert [hit["likeness"] for hit in hits] == pytest.approx([likeness for *_, likeness in before], abs=1e-6)


def test_words_find_the_same(client: Client, answers: Any) -> None:
    assert [hit["id"] for hit in client.get("/search", {"q": "red"})["hits"]] == answers["red"]


def test_its_classifier_went_by_facts_of_the_file_and_says_to_train_anew(client: Client, answers: Any) -> None:
    for id_ in list(answers["predictions"])[:1]:
        with pytest.raises(LikewiseError, match="earlier version") as refused:
            client.post("/photographers/predict", {"like": id_})
        assert "likewise photographers train" in refused.value.hint


def test_its_report_and_the_photographer_space_are_read(client: Client, answers: Any) -> None:
    report = client.get("/photographers/report")
    assert {name: report[name] for name in answers["report"]} == answers["report"]
    charts = {chart["by"]: chart for chart in client.get("/photographers/map")["charts"]}
    for before in answers["map"]["charts"]:
        assert [spot["name"] for spot in charts[before["by"]]["spots"]] == [spot["name"] for spot in before["spots"]]


def test_training_goes_on_from_there(client: Client) -> None:
    job = client.post("/photographers/train", {"seconds": 0.0})
    while (now := client.get(f"/jobs/{job['id']}"))["state"] in RUNNING:
        time.sleep(0.05)
    assert now["state"] == "done", now["message"]


def test_its_jobs_are_listed_with_their_tasks(client: Client) -> None:
    tasks = [job["task"] for job in client.get("/jobs")]
    assert set(tasks) >= {"ingest", "label", "train_photographers", "train_joint", "backup"}


def test_its_backup_is_restored(
    unpacked: Path, tmp_path: Path, make_settings: Callable[..., Settings], answers: Any
) -> None:
    home = tmp_path / "restored"
    assert not restore.main([str(unpacked / "backup"), "--home", str(home)], standalone_mode=False)
    with connect_inside(make_settings(home=home)) as (client, _):
        assert paths(client) == answers["records"]


def test_the_next_backup_goes_into_the_folder_of_its_own_which_stays_whole(
    client: Client, unpacked: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    shutil.copytree(unpacked / "backup", folder)
    before = load_manifest(folder)
    job = client.post("/backups", {"to": str(folder)})
    while (now := client.get(f"/jobs/{job['id']}"))["state"] in RUNNING:
        time.sleep(0.05)
    assert now["state"] == "done", now["message"]
    latest, older = snapshots.names(folder)
    assert snapshots.load(folder, older).head.id == before.head.id
    for name in (latest, older):
        manifest, damaged = snapshots.load(folder, name), []
        assert not any(complaint for _, complaint in find_damage(folder, manifest, damaged))
        assert damaged == []
