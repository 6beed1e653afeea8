"""Decoders and models that need neither media nor weights, for what happens between them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery import Celery

from search.errors import MediaError
from search.media import Kind
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store import open_store
from search.store.base import Store
from workers.batch.report import FileRef
from workers.cluster.app import make_app
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.opened import ExpectedFile
from workers.decode.sound import Sound
from workers.embedders.models import Embedded

DIM = 8


def space(name: str, distance: Distance = Distance.COSINE) -> Space:
    return Space(name, "fake", "1", "first bytes", DIM, distance)


SOUNDS = (VectorField(space("sound")), VectorField(space("sound_raw", Distance.DOT), indexed=False))
SCHEMAS = (
    CollectionSchema(Kind.IMAGE, (VectorField(space("visual")),)),
    CollectionSchema(Kind.VIDEO, (VectorField(space("visual"), multi=True), VectorField(space("motion")), *SOUNDS)),
    CollectionSchema(Kind.AUDIO, SOUNDS),
)


@dataclass
class FakePool:
    """Decodes at once, in the calling thread: what a file becomes follows from its suffix.

    Attributes:
        errors: file name to what its decoding raises.
        before: called with each path before it is decoded.
        asked: every path submitted, in order.
    """

    errors: dict[str, Exception] = field(default_factory=dict)
    before: Callable[[str], object] = lambda path: None
    asked: list[str] = field(default_factory=list)

    def submit(self, path: str, kind: Kind | None = None, expected: ExpectedFile | None = None) -> Future[Decoded]:
        future: Future[Decoded] = Future()
        self.asked.append(path)
        self.before(path)
        error = self.errors.get(Path(path).name)
        if error is not None:
            future.set_exception(error)
            return future
        data = Path(path).read_bytes()
        seed = np.random.default_rng(list(data))
        crops = seed.integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
        sound = Sound.of(seed.normal(size=1600).astype(np.float32) * 0.1)
        made = {
            ".jpg": Decoded(Kind.IMAGE, "image/jpeg", MediaFacts(width=40, height=30), crops, preview=b"webp"),
            ".mp4": Decoded(
                Kind.VIDEO,
                "video/mp4",
                MediaFacts(duration=2.0, has_sound=True),
                np.repeat(crops, 2, axis=0),
                moments=(0.0, 1.0),
                sound=sound,
                preview=b"webp",
            ),
            ".wav": Decoded(Kind.AUDIO, "audio/wav", MediaFacts(duration=0.1, has_sound=True), sound=sound),
            ".only-sound": Decoded(Kind.AUDIO, "audio/mp4", MediaFacts(has_sound=True), sound=sound),
            ".nothing": Decoded(Kind.VIDEO, "video/mp4", MediaFacts()),
            ".silent": Decoded(Kind.AUDIO, "audio/wav", MediaFacts(has_sound=True), preview=b"webp"),
        }
        future.set_result(made[Path(path).suffix])
        return future


@dataclass
class FakeModels:
    """The first pixels and samples are the vectors.

    Attributes:
        fail_on: embedding an item for which this is true fails, alone or in company.
        groups: how many items each call embedded.
    """

    fail_on: Callable[[Decoded], bool] = lambda item: False
    error: Exception = field(default_factory=lambda: MediaError("set an error"))
    groups: list[int] = field(default_factory=list)
    schemas: tuple[CollectionSchema, ...] = SCHEMAS

    def load(self) -> None:
        pass

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        self.groups.append(len(items))
        if any(self.fail_on(item) for item in items):
            raise self.error
        return [self._one(item) for item in items]

    @staticmethod
    def _one(item: Decoded) -> Embedded:
        vectors = {}
        if len(item.crops):
            rows = item.crops.reshape(len(item.crops), -1)[:, :DIM].astype(np.float32) + 1
            vectors["visual"] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        if item.kind is Kind.VIDEO and len(item.crops):
            vectors["motion"] = vectors["visual"].mean(0, keepdims=True)
        if item.sound is not None:
            raw = item.sound.samples()[None, :DIM]
            vectors |= {"sound_raw": raw, "sound": raw / np.linalg.norm(raw)}
        return Embedded(vectors, ("tabby",) if len(item.crops) else ())


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def models() -> FakeModels:
    return FakeModels()


@pytest.fixture
def brokered(make_settings: Callable[..., Settings], broker: Any) -> Settings:
    """With a real broker."""
    return make_settings(broker_url=broker.url)


@pytest.fixture
def app(brokered: Settings) -> Iterator[Celery]:
    made = make_app(brokered)
    yield made
    made.close()


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(batch_size=4)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """An embedded store with the fake models' collections, empty."""
    opened = open_store(settings)
    for schema in SCHEMAS:
        opened.ensure(schema)
    yield opened
    opened.close()


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., FileRef]:
    """Write a file and describe it as the planner would."""

    def make(name: str, content: str = "", *, library: str = "lib", other_paths: tuple[str, ...] = ()) -> FileRef:
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content or name)
        return describe(path, library, other_paths)

    return make


def describe(path: Path, library: str = "lib", other_paths: tuple[str, ...] = ()) -> FileRef:
    facts = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return FileRef(str(path), library, facts.st_size, facts.st_mtime, digest, other_paths)
