"""Questions are answered while a backup is written; what would change the store waits until it is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.maintenance.backup import write
from ingest.maintenance.backup.manifest import load_manifest
from ingest.maintenance.backup.verify import find_damage
from search.errors import UsageError
from search.settings import Settings
from web.client import Client, connect_inside

PATIENCE = 60.0


@pytest.fixture
def client(make_settings: Callable[..., Settings], quick_models: Any) -> Iterator[Client]:
    with connect_inside(make_settings()) as (client, _):
        yield client


def wait(client: Client, job: str, until: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not until(found := client.get(f"/jobs/{job}")):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def finished(job: Any) -> bool:
    return job["state"] in {"done", "done_with_failures", "failed", "cancelled"}


def test_beside_a_backup(
    client: Client, make_media: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.post("/jobs", {"paths": [str(make_media())]})
    wait(client, first["id"], finished)
    held, let_go = threading.Event(), threading.Event()
    write_part = write.write_part

    def slow(*arguments: Any) -> Any:
        held.set()
        assert let_go.wait(PATIENCE)
        return write_part(*arguments)

    monkeypatch.setattr(write, "write_part", slow)
    folder = tmp_path / "backup"
    backup = client.post("/backups", {"to": str(folder)})
    assert (backup["task"], backup["library"]) == ("backup", str(folder))
    assert held.wait(PATIENCE)

    picture = client.get("/vectors", {"collection": "images", "space": "visual"})["items"][0]["id"]
    assert len(client.post("/similar", {"like": [picture]})["hits"]) == 8
    second = client.post("/jobs", {"paths": [str(make_media("more", colours=("yellow",)))]})
    time.sleep(1.5)  # thrice as long as it takes a job to see that its turn has come
    assert client.get(f"/jobs/{second['id']}")["state"] == "queued"
    assert client.get(f"/jobs/{backup['id']}")["state"] == "running"

    let_go.set()
    done = wait(client, backup["id"], finished)
    assert (done["state"], done["embedded"], done["total"]) == ("done", 9, 9)
    assert wait(client, second["id"], finished)["embedded"] == 3
    manifest = load_manifest(folder)
    assert manifest.collections["images"].points == 9
    assert [complaint for _, complaint in find_damage(folder, manifest) if complaint] == []


def test_what_the_api_refuses(client: Client) -> None:
    for path, to, complaint in (
        ("/backups", "relative", "not an absolute path"),
        ("/migrations", "nowhere", "names no store"),
        ("/migrations", "edge", "the store in use"),
    ):
        with pytest.raises(UsageError, match=complaint):
            client.post(path, {"to": to})
    assert client.get("/jobs") == []
