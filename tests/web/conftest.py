"""A small library with known neighbours, and a node around it whose jobs and encoder are doubles."""

from __future__ import annotations

import json
import os
import threading
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw

from ingest.jobs.progress import Failure, JobProgress, JobState
from ingest.ledger.access import Access
from ingest.ledger.database import Ledger
from ingest.ledger.libraries import register
from ingest.ledger.request_keys import RequestKeys
from ingest.maintenance.overlaps import FoundOverlaps
from ingest.maintenance.verify.findings import Verification
from ingest.photographers.desk import Desk
from ingest.scan.allowed import AllowedFolders
from ingest.scan.stored_files import StoredFiles
from search.errors import CorruptMediaError, NotFoundError, UnsupportedMediaError
from search.media import Kind, MediaRecord, media_id
from search.photographers.library_photos import LibraryState
from search.photographers.service import PhotographerService
from search.settings import Settings
from search.similar.questions import Probe
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Array, Point, Store
from web.access.operations import login_address
from web.api.ports import BrokerPort, DeskPort, OverlapsPort, PhotographersPort
from web.app import create_app
from web.cli import main
from workers.batch.report import Priority
from workers.storage.previews import Previews
from workers.training.shared_models import SharedModels

DIM = 16
VISUAL = Space("visual", "fake", "1", "mean colour", DIM)
SOUND = Space("sound", "fake-sound", "1", "pitch", DIM)
SCHEMAS = (
    CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),)),
    CollectionSchema(Kind.VIDEO, (VectorField(VISUAL, multi=True), VectorField(SOUND))),
    CollectionSchema(Kind.AUDIO, (VectorField(SOUND),)),
)
COLOURS = {"forest": (40, 120, 50), "beach": (230, 200, 140), "night": (20, 25, 60), "rose": (200, 40, 70)}
HOSTILE_NAME = "<img src=x onerror=alert(1)>.jpg"
EACH = 8
"""Pictures of every subject."""


def vector(subject: str, seed: int = 0, spread: float = 0.15) -> Array:
    """A unit vector near the axis of its subject, float32 ``(1, DIM)``."""
    values = np.random.default_rng(seed).normal(0, spread / np.sqrt(DIM), DIM)
    values[list(COLOURS).index(subject)] += 1.0
    return (values / np.linalg.norm(values)).astype(np.float32)[None]


@dataclass(frozen=True)
class Library:
    """What is stored: ids by name of the file, and the folder the files are in."""

    home: Path
    folder: Path
    store: Store
    ids: dict[str, str]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    root = tmp_path_factory.mktemp("library")
    home, folder = root / "home", root / "media"
    folder.mkdir()
    store = open_store(Settings(home=home))
    for schema in SCHEMAS:
        store.ensure(schema)
    points = [*_pictures(home, folder), *_videos(home, folder), *_sounds(home, folder)]
    for schema in SCHEMAS:
        store.upsert(schema.collection, [point for kind, point in points if kind is schema.kind])
    yield Library(home, folder, store, {Path(point.payload["paths"][0]).name: point.id for _, point in points})
    store.close()


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledger") / "ledger.sqlite"


@pytest.fixture(scope="session")
def ledger(ledger_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Of all nodes over doubles. Everything below the tests' folders has been taken in by name."""
    ledger = Ledger(f"sqlite:///{ledger_file}")
    with ledger.write() as connection:
        register(connection, [str(tmp_path_factory.getbasetemp().parent.resolve())], "tests")
    yield ledger
    ledger.close()


class OwnClient(FlaskClient):
    """Sends the token of the node's data directory, as the command line does, unless a test sends another."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.application.extensions['node'].token}"


def stranger(app: Flask) -> FlaskClient:
    """A client without a token."""
    return FlaskClient(app, app.response_class)


@pytest.fixture
def new_stranger() -> Callable[[Flask], FlaskClient]:
    return stranger


@pytest.fixture
def new_browser() -> Callable[[Flask], FlaskClient]:
    """Makes a client that is logged in by a cookie, as a browser is."""

    def enter(app: Flask) -> FlaskClient:
        browser, node = stranger(app), app.extensions["node"]
        assert browser.get(login_address(node, "")).status_code == 303
        return browser

    return enter


@pytest.fixture(autouse=True)
def own_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flask, "test_client_class", OwnClient)


@dataclass
class FakeEncoder:
    """Knows a picture's subject by its mean colour."""

    def probe(self, path: str, name: str = "") -> Probe:
        content = Path(path).read_bytes()
        if content.startswith(b"broken"):
            raise CorruptMediaError(f"'{name}' ends in the middle of the picture.", "Try another copy.")
        try:
            with Image.open(path) as picture:
                mean = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(axis=0)
        except OSError:
            raise UnsupportedMediaError(f"'{name}' is not a picture, video or sound.") from None
        subject = min(COLOURS, key=lambda name: float(np.abs(mean - COLOURS[name]).sum()))
        return Probe(Kind.IMAGE, {"visual": vector(subject)}, {"visual": VISUAL.fingerprint}, name=name)


@dataclass
class FakeIngest:
    """Jobs that stand where a test puts them."""

    known: dict[str, JobProgress] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)

    def set(self, job_id: str, **changes: object) -> None:
        self.known[job_id] = replace(self.progress(job_id), **changes)  # type: ignore[arg-type]

    def pause(self, job_id: str) -> None:
        self.set(job_id, state=JobState.PAUSED)

    def cancel(self, job_id: str) -> None:
        self.set(job_id, state=JobState.CANCELLED)

    def progress(self, job_id: str) -> JobProgress:
        if job_id not in self.known:
            raise NotFoundError(f"There is no job '{job_id}'.")
        return self.known[job_id]

    def jobs(self, limit: int = 50, before: int | None = None) -> list[JobProgress]:
        return [job for job in reversed(self.known.values()) if before is None or int(job.id) < before][:limit]

    def failures(
        self, *, job: str | None = None, code: str | None = None, limit: int | None = None, after: str = ""
    ) -> list[Failure]:
        return [f for f in self.failed if job in {None, f.job} and code in {None, f.code} and f.path > after][:limit]


class _BySize(StoredFiles):
    """Judges files by their size: the ids of the library are made of names, not of content."""

    def _is_content(self, path: str, opened: BufferedReader, record: MediaRecord) -> bool:
        return os.fstat(opened.fileno()).st_size == record.size


@dataclass
class FakeNode:
    settings: Settings
    store: Store
    access: Access
    allowed: AllowedFolders
    stored_files: StoredFiles
    request_keys: RequestKeys
    desk: DeskPort
    overlaps: OverlapsPort
    ingest: FakeIngest = field(default_factory=FakeIngest)
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    token: str = "own-token"
    notes: tuple[str, ...] = ("Pictures are compared by a fake model, because this is a test.",)
    broker: BrokerPort | None = None
    closing: threading.Event = field(default_factory=threading.Event)
    started: list[tuple[tuple[Path, ...], str | None, bool]] = field(default_factory=list)
    photographers: PhotographersPort = field(init=False)

    def __post_init__(self) -> None:
        self.photographers = PhotographerService(self.store, SharedModels(self.settings), lambda: LibraryState((), ()))

    def start_ingest(
        self,
        paths: Sequence[Path],
        *,
        library: str | None = None,
        confirm_missing: bool = False,
        reread: bool = False,
        priority: Priority = Priority.NORMAL,
        anywhere: bool = True,
    ) -> str:
        for path in paths:
            self.allowed.check(str(path), anywhere=anywhere)
            if not path.exists():
                raise NotFoundError(f"'{path}' does not exist.")
        self.started.append((tuple(paths), library, confirm_missing))
        job_id, roots = str(len(self.ingest.known) + 1), tuple(map(str, paths))
        self.ingest.known[job_id] = JobProgress(job_id, JobState.QUEUED, library or paths[0].name, roots)
        return job_id

    def verification(self) -> Verification:
        return Verification(None, None)

    def resume(self, job: str) -> str:
        self.ingest.set(job, state=JobState.RUNNING)
        return job

    def retry_failures(self) -> str | None:
        if not (failed := self.ingest.failed):
            return None
        self.ingest.failed, job_id = [], str(len(self.ingest.known) + 1)
        self.ingest.known[job_id] = JobProgress(job_id, JobState.RUNNING, "retry", (), total=len(failed))
        return job_id


@pytest.fixture
def make_node(library: Library, ledger: Ledger) -> Callable[..., FakeNode]:
    """A node over the library; keywords are settings."""

    def make(**settings: object) -> FakeNode:
        given = Settings.model_validate({"home": library.home, **settings})
        kept = Access(ledger), AllowedFolders(given, ledger), _BySize(given, ledger), RequestKeys(ledger)
        return FakeNode(given, library.store, *kept, Desk(library.store, ledger), FoundOverlaps(library.store, ledger))

    return make


@pytest.fixture
def node(make_node: Callable[..., FakeNode]) -> FakeNode:
    return make_node()


@pytest.fixture
def app(node: FakeNode) -> Flask:
    return create_app(node)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _point(home: Path, record: MediaRecord, vectors: dict[str, Array], preview: Image.Image) -> tuple[Kind, Point]:
    scratch = home / "preview.webp"
    preview.save(scratch)
    key = Previews(Settings(home=home)).save({record.id: scratch.read_bytes()})[record.id]
    scratch.unlink()
    record = replace(record, thumbnail=key, size=Path(record.paths[0]).stat().st_size, libraries=("media",))
    return record.kind, Point(record.id, vectors, record.to_payload())


def _picture(subject: str, number: int, width: int = 240, height: int = 160) -> Image.Image:
    picture = Image.new("RGB", (width, height), COLOURS[subject])
    ImageDraw.Draw(picture).ellipse((20 + 9 * number, 30, 80 + 9 * number, 90), fill=(250, 250, 240))
    return picture


def _pictures(home: Path, folder: Path) -> Iterator[tuple[Kind, Point]]:
    for subject in COLOURS:
        for number in range(EACH):
            name = HOSTILE_NAME if (subject, number) == ("rose", 0) else f"{subject}_{number}.jpg"
            tall = number % 3 == 2
            near = subject == "forest" and number in {0, 1}
            picture = _picture(subject, 0 if near else number, *((160, 240) if tall else (240, 160)))
            path = folder / name
            picture.save(path)
            record = MediaRecord(
                id=media_id(name),
                kind=Kind.IMAGE,
                paths=(str(path), str(folder / "copy" / name)) if (subject, number) == ("night", 0) else (str(path),),
                mime="image/jpeg",
                width=picture.width,
                height=picture.height,
                taken_at=f"20{10 + number}-06-15T12:00:00",
                camera="Leica M6" if subject == "night" else "Nikon F3",
                photographer="Ada" if number % 2 else "Grace",
                tags=(subject, "round thing"),
                latitude=36.0 + number / 100 if subject == "beach" else None,  # some 1.1 km apart
                longitude=-5.6 if subject == "beach" else None,
                fingerprints=(f"{'f' * 63}{number}",) if near else (f"{number:x}" * 64,) if subject == "rose" else (),
            )
            yield _point(home, record, {"visual": vector(subject, number + 1)}, picture)


def _videos(home: Path, folder: Path) -> Iterator[tuple[Kind, Point]]:
    for number, subjects in enumerate((("forest", "night"), ("beach", "rose"), ("night", "beach"))):
        path = folder / f"clip_{number}.webm"
        _save_video(path, [_picture(subject, 0) for subject in subjects])
        record = MediaRecord(
            id=media_id(path.name),
            kind=Kind.VIDEO,
            paths=(str(path),),
            mime="video/webm",
            width=240,
            height=160,
            duration=4.0,
            moments=(0.0, 2.0),
            has_sound=True,
            tags=subjects,
        )
        frames = np.concatenate([vector(subject, 50 + number) for subject in subjects])
        vectors = {"visual": frames, "sound": vector(subjects[0], 90 + number)}
        yield _point(home, record, vectors, _picture(subjects[0], 0))


def _save_video(path: Path, frames: list[Image.Image]) -> None:
    """Two seconds of each frame, which Chromium can play."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 240, 160, "yuv420p"
        for picture in frames:
            for _ in range(20):
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


def _sounds(home: Path, folder: Path) -> Iterator[tuple[Kind, Point]]:
    for number, subject in enumerate(("forest", "forest", "night", "beach")):
        path = folder / f"sound_{number}.wav"
        samples = (np.sin(np.arange(16_000) * (0.05 + 0.02 * number)) * 9000).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        record = MediaRecord(
            id=media_id(path.name), kind=Kind.AUDIO, paths=(str(path),), mime="audio/wav", duration=1.0, tags=(subject,)
        )
        yield _point(home, record, {"sound": vector(subject, 70 + number)}, Image.new("RGB", (480, 240), "teal"))


class Cli:
    """Runs commands in this process on one data directory."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: object, home: bool = True) -> Result:
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(main, [*words, "--home", str(self.home)] if home else words)

    def json(self, *arguments: object, status: int = 0) -> Any:
        """The one object on standard output, of a command that ends with ``status``."""
        result = self(*arguments, "--json")
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)


@pytest.fixture
def cli(tmp_path: Path, quick_models: Any, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("LIKEWISE_DECODE_WORKERS", "1")
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path / "home")


@pytest.fixture
def media(make_media: Callable[..., Path]) -> Path:
    """Nine pictures in three colours, a broken one, and a note."""
    root = make_media()
    (root / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand then nothing")
    (root / "note.txt").write_text("no media")
    return root
