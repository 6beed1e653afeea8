"""Backup, restore and migration killed with -9 in the midst of their work, and gone on with by the next process."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from qdrant_client import QdrantClient

from ingest.jobs.service import JobState
from ingest.maintenance.backup.completeness import unfinished_restore
from ingest.maintenance.backup.manifest import JOURNAL, load_manifest
from ingest.maintenance.backup.verify import find_damage
from search.errors import BackupError
from search.settings import Settings
from search.store.base import Store
from search.store.edge.store import EdgeStore
from search.store.server.store import ServerStore
from search.transfer import COPYING, unfinished_copies


@pytest.fixture
def desk(make_desk: Callable[..., Any]) -> Any:
    """The library, on disk."""
    made = make_desk("home", "edge")
    made.fill()
    return made


class Killer:
    """Runs ``library.py`` and kills it."""

    def __init__(self, script: str, repository: Path) -> None:
        self._script = script
        self._environment = os.environ | {"PYTHONPATH": str(repository)}
        self._random = random.Random(0)

    def __call__(self, action: str, settings: Settings, other: Path | str, steps: int) -> None:
        """Kill it once so many steps have been told of, at some point of the next one."""
        database = settings.database_url.get_secret_value() if settings.database_url else ""
        command = [sys.executable, self._script, action, str(settings.home), str(other), database]
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == "begun"
            for _ in range(steps):
                assert child.stdout.readline(), "it ended before it could be killed"
            time.sleep(self._random.uniform(0, 0.01))
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL, "it ended before it could be killed"


@pytest.fixture
def kill(moving: ModuleType, repository: Path) -> Killer:
    return Killer(str(moving.__file__), repository)


def test_backup(desk: Any, make_desk: Callable[..., Any], folder: Path, kill: Killer) -> None:
    desk.close()
    there: list[int] = []
    for _ in range(2):
        kill("backup", desk.settings, folder, 8)
        there.append(len((folder / JOURNAL).read_text("utf-8").splitlines()))
        with pytest.raises(BackupError, match="never finished"):
            load_manifest(folder)
    assert 8 < there[0] < there[1], "the second went on where the first was"

    again = make_desk("home", "edge")
    journal = (folder / JOURNAL).read_text("utf-8")
    again.back_up(folder)
    manifest = load_manifest(folder)
    for line in journal.splitlines()[1:-1]:
        assert any(f'"{part.path}"' in line and part.sha256 in line for part in manifest.parts), "it began anew"
    assert [complaint for _, complaint in find_damage(folder, manifest) if complaint] == []
    assert list(folder.rglob("*.partial")) == []
    restored = make_desk("restored")
    restored.restore(folder)
    restored.check_equals(again)


def test_restore(desk: Any, make_desk: Callable[..., Any], folder: Path, kill: Killer) -> None:
    desk.back_up(folder)
    restored = make_desk("restored", "edge")
    restored.close()
    for _ in range(2):
        kill("restore", restored.settings, folder, 9)
    restored = make_desk("restored", "edge")
    assert unfinished_restore(restored.ledger) == str(folder)
    done = sum(info.points for info in restored.store.collections().values())
    assert 0 < done < 470
    restored.restore(folder)
    restored.check_equals(desk)


@pytest.mark.parametrize("to", ["edge", "server"])
def test_migration(
    desk: Any, make_desk: Callable[..., Any], moving: ModuleType, qdrant: Any, tmp_path: Path, kill: Killer, to: str
) -> None:
    target = tmp_path / "moved"
    address = f"edge:{target}" if to == "edge" else qdrant.url

    def opened() -> Store:
        return EdgeStore(target) if to == "edge" else ServerStore(QdrantClient(url=address, check_compatibility=False))

    before = desk.rows(), desk.files()
    desk.close()
    for _ in range(2):
        kill("migrate", desk.settings, address, 12)
    half = opened()
    assert unfinished_copies(half)
    assert 0 < sum(info.points for info in half.collections().values()) < 470
    half.close()

    again = make_desk("home", "edge")
    progress = again.ingest.run(again.begin("migrate", address))
    assert progress.state is JobState.DONE, progress.message
    assert (again.rows(), again.files()) == before, "the source is untouched"
    moved = opened()
    try:
        moving.check_same_points(again.store, moved)
        assert not any(COPYING in moved.metadata(name) for name in moved.collections())
        assert not any(map(moved.is_indexing_held, moved.collections()))
    finally:
        moved.close()
