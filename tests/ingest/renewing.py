"""A library made with one model and a runner that embeds it anew with another; as a script, for a test to kill.

Vectors are drawn from the bytes of a file and the name of the model, so that anyone can tell what they should be.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest.jobs.service import JobProgress, JobService, JobState
from ingest.ledger.database import Ledger
from ingest.maintenance.reembed import Reembed
from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store import open_store
from search.store.base import Array, Point, Store
from workers.batch.backfill import BackfillStore
from workers.batch.records import mark_current
from workers.batch.report import Batch, BatchReport, FileRef, Outcome, Status
from workers.embedders.sound.standardise import mark_standardised

BEFORE = ModelChoice("resnet18", "frames_resnet18")
AFTER = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0")
FEATURES = (0.5, None) * 39
PICTURES = 150


def vectors_of(content: bytes, schema: CollectionSchema) -> dict[str, Array]:
    """What a model of each space would make of these bytes: unit rows, two for a video's key frames; of sparse spaces
    three components that every engine keeps exactly."""
    made: dict[str, Array] = {}
    for field in schema.fields:
        seed = zlib.crc32(content + field.space.model.encode() + field.space.name.encode())
        if field.sparse:
            row = np.zeros((1, field.space.dim), np.float32)
            row[0, [(seed + step) % field.space.dim for step in (0, 7, 400)]] = 0.5, 0.25, 0.125
            made[field.space.name] = row
            continue
        rows = np.random.default_rng(seed).normal(size=(2 if field.multi else 1, field.space.dim))
        made[field.space.name] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def facts_of(content: bytes, kind: Kind) -> dict[str, Any]:
    """Pictures have features; what begins with ``by Ada:`` says that it is hers."""
    facts: dict[str, Any] = {"features": FEATURES} if kind is Kind.IMAGE else {}
    if content.startswith(b"by "):
        artist = content[3:].partition(b":")[0].decode()
        facts |= {"artist": artist, "photographer": artist, "credit": "exif"}
    return facts


class ModelRunner:
    """Runs batches with the vectors of one choice of models, into the current generation or into new ones.

    Attributes:
        seen: paths in the order in which they were embedded.
        before: called before each batch.
    """

    def __init__(self, store: Store, choice: ModelChoice, into: Sequence[str] = ()) -> None:
        self.store, self.choice = store, choice
        self.intake = BackfillStore(store, into) if into else store
        self.schemas = {schema.kind: schema for schema in schemas_of(choice)}
        self.seen: list[str] = []
        self.before: Callable[[], object] = lambda: None

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        for batch in batches:
            self.before()
            yield BatchReport(batch.id, tuple(self._outcome(batch, file) for file in batch.files))

    def _outcome(self, batch: Batch, file: FileRef) -> Outcome:
        self.seen.append(file.path)
        print("file", flush=True)
        try:
            content = Path(file.path).read_bytes()
        except FileNotFoundError:
            return Outcome(file.path, Status.SKIPPED, code="gone")
        if abs(Path(file.path).stat().st_mtime - file.mtime) > 1:
            return Outcome(file.path, Status.SKIPPED, code="changed")
        if content.startswith(b"broken") and batch.into:
            return Outcome(file.path, Status.FAILED, code="corrupt")
        identity = media_id(hashlib.sha256(content).hexdigest())
        record = MediaRecord(
            identity, batch.kind, (file.path,), (file.library,), tags=(self.choice.image,), job=batch.job
        )
        record = replace(record, **facts_of(content, batch.kind))
        vectors = vectors_of(content, self.schemas[batch.kind])
        self.intake.upsert(batch.kind.collection, [Point(identity, vectors, record.to_payload())])
        return Outcome(file.path, Status.EMBEDDED, identity, batch.kind)


def ingest_of(settings: Settings, store: Store, ledger: Ledger, choice: ModelChoice = BEFORE) -> JobService:
    """An ingest with one choice of models, whose job ``reembed`` brings whatever model it is asked for."""
    runner_for = lambda choice, into: ModelRunner(store, choice, into)  # noqa: E731
    tasks = {"reembed": Reembed(settings, store, ledger, ModelRunner(store, choice), runner_for, lambda: None)}
    return JobService(settings, store, ledger, ModelRunner(store, choice), tasks=tasks, retry_delays=(0.0,))


def fill(media: Path, pictures: int) -> None:
    """Some pictures, two videos and a sound."""
    for number in range(pictures):
        (media / f"{number:04}.jpg").write_bytes(b"picture %d" % number)
    for name in ("one.mp4", "two.mp4", "three.wav"):
        (media / name).write_bytes(name.encode())


def run_until_killed(home: str) -> None:
    settings = Settings(home=Path(home), device="cpu")
    store, ledger = open_store(settings), Ledger(settings.ledger_url)
    ingest = ingest_of(settings, store, ledger)
    for job in ingest.unfinished() or [ingest.start_task("reembed", {"space": "visual", "model": AFTER.image})]:
        print(job, flush=True)
        ingest.run(job)
    print("finished", flush=True)
    store.close()
    ledger.close()


def expected(media: Path, choice: ModelChoice, kind: Kind) -> dict[str, dict[str, Array]]:
    """Vectors that the files of one kind should have, by name of the file."""
    schema = next(schema for schema in schemas_of(choice) if schema.kind is kind)
    suffix = {Kind.IMAGE: ".jpg", Kind.VIDEO: ".mp4", Kind.AUDIO: ".wav"}[kind]
    return {path.name: vectors_of(path.read_bytes(), schema) for path in sorted(media.glob(f"*{suffix}"))}


class Library:
    """A library on disk that was made with ``BEFORE``, or with another choice."""

    def __init__(self, settings: Settings, media: Path, choice: ModelChoice = BEFORE) -> None:
        self.settings, self.media, self.choice = settings, media, choice
        self.open()
        for schema in schemas_of(choice):
            self.store.ensure(schema)
            mark_standardised(self.store, schema.collection)  # its sounds are drawn, and are to stay
            mark_current(self.store, schema.collection)

    def open(self) -> None:
        self.store: Store = open_store(self.settings)
        self.ledger = Ledger(self.settings.ledger_url)
        self.ingest: JobService = ingest_of(self.settings, self.store, self.ledger, self.choice)

    def close(self) -> None:
        self.store.close()
        self.ledger.close()

    def take_in(self) -> None:
        assert self.ingest.run(self.ingest.start([self.media])).state is JobState.DONE

    def reembed(self, model: str, space: str = "visual") -> JobProgress:
        return self.ingest.run(self.ingest.start_task("reembed", {"space": space, "model": model}))

    def forget_style(self, count: int) -> None:
        self.forget(count, "style")

    def forget(self, count: int, *lost: str) -> None:
        """Leave the first pictures by name as they were before there were these spaces."""
        spaces = [field.space.name for field in self.store.schema("images").fields if field.space.name not in lost]
        points = sorted(self.store.scroll("images", vectors=spaces), key=lambda point: point.payload["paths"])
        self.store.upsert("images", [Point(p.id, p.vectors, p.payload) for p in points[:count]])

    def forget_features(self, *names: str) -> None:
        """Leave these pictures as they were before there were features."""
        points = [p for p in self.store.scroll("images") if Path(p.payload["paths"][0]).name in names]
        assert len(points) == len(names)
        self.store.patch_payload("images", {point.id: {"features": None} for point in points})

    def check(self, choice: Any, *, without: tuple[str, ...] = ()) -> None:
        """Every record has the vectors of ``choice``, its paths and its tags; files in ``without`` lack ``visual``."""
        for kind in Kind:
            schema = next(s for s in schemas_of(choice) if s.kind is kind)
            assert self.store.schema(kind.collection) == schema
            wanted = expected(self.media, choice, kind)
            points = list(self.store.scroll(kind.collection, vectors=[f.space.name for f in schema.fields]))
            records = {
                Path(record.paths[0]).name: record for record in (MediaRecord.from_payload(p.payload) for p in points)
            }
            assert records.keys() == wanted.keys()
            for point in points:
                name = Path(point.payload["paths"][0]).name
                vectors = {n: v for n, v in wanted[name].items() if name not in without or n == "sound"}
                assert point.vectors.keys() == vectors.keys(), name
                for space, rows in vectors.items():
                    np.testing.assert_allclose(point.vectors[space], rows, atol=1e-6)
                if kind is Kind.IMAGE and name not in without:
                    assert records[name].tags == (choice.image,)


if __name__ == "__main__":
    run_until_killed(*sys.argv[1:])
