"""A cluster of one test: a real broker, real workers, a real coordinator, a folder of pictures; and what must be true
of it afterwards, whatever went wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.jobs.progress import JobProgress, JobState
from search.media import media_id
from search.settings import Settings

HERE = Path(__file__).parent
COLOURS = ("maroon", "navy", "olive", "teal", "purple", "gray", "brown", "coral")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def parts() -> ModuleType:
    """The module of the coordinator, which is a script too."""
    return load(HERE / "cluster.py")


@pytest.fixture
def qdrant() -> Iterator[Any]:
    """A running double of a Qdrant server, empty."""
    rest = load(HERE.parent / "search" / "store" / "qdrant_rest.py").QdrantRest()
    server = load(HERE.parent / "qdrant_double.py").QdrantServer(rest._answer)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cluster_settings(
    make_settings: Callable[..., Settings], broker: Any, quick_models: Any, parts: ModuleType
) -> Callable[..., Settings]:
    """Settings of coordinator and workers, with the collections made: ``cluster_settings(qdrant)`` for a server's."""

    def make(server: Any = None, **overrides: object) -> Settings:
        place = {} if server is None else {"store": "server", "qdrant_url": server.url}
        settings = make_settings(
            **{"broker_url": broker.url, "in_flight": 4, "batch_files": parts.BATCH} | place | overrides
        )
        parts.make_collections(settings, quick_models.schemas)
        return settings

    return make


@pytest.fixture
def make_cluster(parts: ModuleType) -> Iterator[Callable[..., Any]]:
    made = []

    def make(settings: Settings, **options: Any) -> Any:
        made.append(parts.Cluster(settings, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.close()


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Path]:
    """A folder of pictures no two of which are the same file; keywords are further files and their colours."""

    def make(count: int = 64, **further: str) -> Path:
        folder = tmp_path / "media"
        folder.mkdir()
        for number in range(count):
            picture(folder / f"{number:04}.png", COLOURS[number % len(COLOURS)], number)
        for number, (name, colour) in enumerate(further.items()):
            picture(folder / f"{name.replace('_', '-')}.png", colour, count + number)
        return folder

    return make


def picture(path: Path, colour: str, number: int) -> None:
    made = Image.new("RGB", (64, 48), colour)
    made.putpixel((number % 64, number // 64), (255, 255, 255))
    made.save(path)


@pytest.fixture
def check() -> Callable[..., None]:
    return check_whole


def check_whole(cluster: Any, ended: JobProgress, media: Path, failures: Mapping[str, str] | None = None) -> None:
    """Nothing is lost, nothing doubled, the guilty are named, nothing is left behind.

    Args:
        failures: name of each file that cannot be embedded to its failure code.
    """
    failures = failures or {}
    paths = sorted(media.iterdir())
    good = {
        media_id(hashlib.sha256(path.read_bytes()).hexdigest()): path for path in paths if path.name not in failures
    }
    assert len(good) == len(paths) - len(failures)
    assert (ended.total, ended.done) == (len(paths), len(paths))
    assert (ended.embedded, ended.failed) == (len(good), len(failures)), ended
    assert ended.state is (JobState.DONE_WITH_FAILURES if failures else JobState.DONE)
    stored = cluster.stored()
    assert {id_: at for id_, (at, _) in stored.items()} == {id_: (str(path),) for id_, path in good.items()}
    for id_, path in good.items():
        colour = np.asarray(Image.open(path).getpixel((63, 47)), np.float32) + 1
        assert float(stored[id_][1] @ colour) / np.linalg.norm(colour) > 0.999
    rows = cluster.rows()
    wanted = {str(path): ("embedded", id_, "") for id_, path in good.items()}
    wanted |= {str(media / name): ("failed", None, code) for name, code in failures.items()}
    assert rows == wanted
    assert {Path(failure.path).name: failure.code for failure in cluster.ingest.failures()} == dict(failures)
    assert cluster.waiting() == []


def wait_for(reached: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[..., None]:
    return wait_for


@pytest.fixture
def environment_of(repository: Path) -> Callable[[Settings], dict[str, str]]:
    """The environment of a process with these settings."""
    as_environment = load(HERE.parent / "plugins" / "processes.py").as_environment

    def make(settings: Settings) -> dict[str, str]:
        return dict(os.environ) | {"PYTHONPATH": str(repository)} | as_environment(settings)

    return make
