"""A runner that embeds nothing and stores everything; as a script, an ingest that a test may kill.

What a file's bytes start with decides its outcome: ``broken`` fails, ``dull`` is skipped, all else is embedded with a
vector made from its hash. What its first sidecar holds is its artist.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from ingest.jobs.service import JobService
from ingest.ledger.database import Ledger
from search.media import DECODING_REVISION, Kind, MediaRecord, media_id
from search.settings import load_settings
from search.sidecars import sidecar_names
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Point, Store
from workers.batch.report import Batch, BatchReport, FileRef, Outcome, Status

DIM = 8
SPACE = Space("visual", "fake", "1", "bytes", DIM)
SCHEMAS = tuple(CollectionSchema(kind, (VectorField(SPACE),)) for kind in Kind)


class FakeRunner:
    """Works like the real one as far as ingest can tell: real points in a real store, one outcome a file.

    Attributes:
        seen: paths of every file it was given, in order.
        before: called with every batch before anything is stored; may raise what a store raises.
        kind_of: which kind is found in bytes whose file has a name of that kind.
        decoding: the revision of its decoders.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[str] = []
        self.batches: list[Batch] = []
        self.before: Callable[[Batch], None] | None = None
        self.kind_of: Callable[[bytes, Kind], Kind] = lambda content, named: named
        self.decoding = DECODING_REVISION
        for schema in SCHEMAS:
            store.ensure(schema)

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        for batch in batches:
            self.batches.append(batch)
            if self.before:
                self.before(batch)
            yield BatchReport(batch.id, tuple(self._outcome(batch, file) for file in batch.files))

    def artist_of(self, path: Path) -> str | None:
        beside = (path.with_name(name) for name in sidecar_names(path.name))
        return next((each.read_text() for each in beside if each.is_file()), None)

    def _outcome(self, batch: Batch, file: FileRef) -> Outcome:
        self.seen.append(file.path)
        content = Path(file.path).read_bytes()
        if content.startswith(b"broken"):
            return Outcome(file.path, Status.FAILED, code="corrupt", detail="It is broken.")
        if content.startswith(b"dull"):
            return Outcome(file.path, Status.SKIPPED, code="unsupported", detail="It is dull.")
        assert hashlib.sha256(content).hexdigest() == file.sha256
        identity = media_id(file.sha256)
        kind = self.kind_of(content, batch.kind)
        if self.store.retrieve(kind.collection, [identity]) and not file.anew:
            return Outcome(file.path, Status.DUPLICATE, media_id=identity, kind=kind)
        record = MediaRecord(
            id=identity,
            kind=kind,
            paths=tuple(sorted({file.path, *file.other_paths})),
            libraries=(file.library,),
            size=file.size,
            mtime=file.mtime,
            job=batch.job,
            artist=self.artist_of(Path(file.path)),
            decoding=self.decoding,
        )
        vector = np.frombuffer(bytes.fromhex(file.sha256), np.uint8)[:DIM].astype(np.float32)[None] + 1
        self.store.upsert(kind.collection, [Point(identity, {"visual": vector}, record.to_payload())])
        return Outcome(file.path, Status.EMBEDDED, media_id=identity, kind=kind)


class TalkingRunner(FakeRunner):
    """Says a word after each file, so that a test can kill it in the midst of its work however slow the machine."""

    def _outcome(self, batch: Batch, file: FileRef) -> Outcome:
        outcome = super()._outcome(batch, file)
        print("file", flush=True)
        return outcome


def ingest_until_killed(home: str, media: str) -> None:
    """Ingest ``media`` into ``home``, taking up what an earlier process left."""
    settings = load_settings({"home": home, "device": "cpu"})
    store = open_store(settings)
    ledger = Ledger(settings.ledger_url)
    ingest = JobService(settings, store, ledger, TalkingRunner(store))
    for job in ingest.unfinished() or [ingest.start([Path(media)])]:
        print(job, flush=True)
        ingest.run(job)
    store.close()
    ledger.close()


if __name__ == "__main__":
    ingest_until_killed(*sys.argv[1:])
