"""A library of every kind of thing that a backup holds; as a script, a backup, restore or migration that may be killed.

The script says a word after each part or page, so that a test can kill it in the midst of its work.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select

from ingest.jobs.service import JobProgress, JobService, JobState
from ingest.ledger.database import Ledger
from ingest.ledger.tables import credited, files, jobs, libraries, renames, roots, unsettled
from ingest.maintenance.backup import ledger_rows, write
from ingest.maintenance.backup.completeness import unfinished_restore
from ingest.maintenance.backup.manifest import Journal, load_manifest
from ingest.maintenance.backup.restore import Restore
from ingest.maintenance.backup.task import Backup
from ingest.maintenance.migrate import Migrate
from search import transfer
from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store import open_store
from search.store.base import Array, Point, Store
from search.store.edge.store import EdgeStore
from search.transfer import differing, pages, unfinished_copies
from workers.batch.report import Batch, BatchReport
from workers.storage.previews import Previews

VISUAL = Space("visual", "hand", "1", "none", 16)
SOUND = Space("sound", "hand", "1", "none", 8)
SOUND_RAW = Space("sound_raw", "hand", "1", "none", 8, Distance.DOT)
HEARD = (VectorField(SOUND), VectorField(SOUND_RAW, indexed=False))
SCHEMAS = (
    CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),)),
    CollectionSchema(Kind.VIDEO, (VectorField(VISUAL, multi=True), *HEARD)),
    CollectionSchema(Kind.AUDIO, HEARD),
)
IMAGES, VIDEOS, SOUNDS = 400, 40, 30
PART_BYTES, PAGE_POINTS = 8_000, 8
"""So small that the library has dozens of parts, and more pages."""


def webp(text: str) -> bytes:
    """What looks like a WebP picture from outside, of each text another one."""
    data = text.encode()
    return b"RIFF" + (len(data) + 8).to_bytes(4, "little") + b"WEBPVP8 " + data


class Nobody:
    """The runner of a process that embeds nothing."""

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        raise AssertionError("nothing is to be embedded here")


class Desk:
    """Store and ledger of one data directory."""

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        self.settings = settings
        settings.home.mkdir(parents=True, exist_ok=True)
        self.store = store or open_store(settings)
        self.ledger = Ledger(settings.ledger_url)
        self.tasks = {
            "backup": Backup(settings, self.store, self.ledger),
            "migrate": Migrate(settings, self.store, self.ledger),
        }
        self.ingest = JobService(settings, self.store, self.ledger, Nobody(), tasks=self.tasks, retry_delays=())
        self.previews = Previews(settings)

    def fill(self) -> None:
        rng = np.random.default_rng(7)
        for schema in SCHEMAS:
            self.store.ensure(schema)
        points = {
            "images": [self._point(Kind.IMAGE, n, {"visual": _rows(rng, 1, 16)}) for n in range(IMAGES)],
            "videos": [
                self._point(Kind.VIDEO, n, {"visual": _rows(rng, 1 + n % 5, 16), **(_sounds(rng) if n % 2 else {})})
                for n in range(VIDEOS)
            ],
            "audio": [self._point(Kind.AUDIO, n, _sounds(rng)) for n in range(SOUNDS)],
        }
        for collection, group in points.items():
            self.store.upsert(collection, group)
        self.store.set_metadata("audio", {"sound_standardisation": {"version": 2, "mean": [0.1, 1e-9]}})
        self.store.set_metadata("images", {"calibration": {"visual": [0.25, 1]}})
        models = self.settings.home / "models" / "photographers"
        models.mkdir(parents=True)
        (models / "classifier.cbm").write_bytes(bytes(range(256)) * 10)
        (models.parent / "empty.json").write_bytes(b"")
        self._fill_ledger([point for group in points.values() for point in group])

    def _point(self, kind: Kind, n: int, vectors: dict[str, Array]) -> Point:
        id_ = media_id(f"{kind} {n}")
        key = self.previews.save({id_: webp(id_)})[id_] if n % 8 == 1 else None
        record = MediaRecord(
            id=id_,
            kind=kind,
            paths=(f"/pictures/Ünï/{kind}-{n}.jpg",),
            libraries=("pictures",),
            size=n,
            mtime=1_700_000_000 + n / 7,
            tags=("a b", "日本") if n % 2 else (),
            iso=0.1 * n if n % 4 else None,
            thumbnail=key,
            missing=n % 10 == 9,
            features=(0.1, None, 3.0),
        )
        return Point(id_, vectors, record.to_payload())

    def _fill_ledger(self, points: list[Point]) -> None:
        job = {"library": "pictures", "roots": "[]", "confirm_missing": False, "retry_failed": True, "seconds": 1.5}
        with self.ledger.write() as connection:
            connection.execute(insert(libraries), [{"id": 3, "name": "pictures"}, {"id": 7, "name": "Ünï"}])
            connection.execute(insert(roots), [{"path": "/pictures", "library": 3}])
            said = {"media_id": points[0].id, "first": False}
            names = [{"source": "person", "name": "Ünï Ó'Neil"}, {"source": "csv", "name": "", "first": True}]
            connection.execute(insert(credited), [said | each for each in names])
            connection.execute(insert(renames), [{"old": "../../x", "new": "<script>"}])
            connection.execute(insert(unsettled), [{"media_id": points[0].id, "job": 4}])
            connection.execute(insert(jobs), [{"id": 4, "state": "done", "created": 0.1 + 0.2, "embedded": 470, **job}])
            connection.execute(insert(jobs), [{"id": 5, "state": "queued", "created": 1e9, "wanted": "pause", **job}])
            row = {"folder": "/pictures/Ünï", "library": 3, "state": "embedded", "job": 4}
            connection.execute(
                insert(files),
                [
                    {
                        "path": point.payload["paths"][0],
                        "size": 2**40 + at,
                        "mtime_ns": 1_700_000_000_123_456_789 + at,
                        "media_id": point.id,
                        "kind": point.payload["kind"],
                        "missing_since": 0.1 * at if at % 5 else None,
                        **row,
                    }
                    for at, point in enumerate(points)
                ],
            )

    def begin(self, task: str, to: str) -> str:
        """The job that does it: the one that an earlier process left, or a new one."""
        left = [job for job in self.ingest.unfinished() if self.ingest.progress(job).task == task]
        return left[0] if left else self.ingest.start_task(task, {"to": to})

    def rows(self) -> dict[str, list[Any]]:
        """The ledger as a backup sees it, without the jobs that back up and move."""
        with self.ledger.read() as connection:
            found = {
                table.name: [row for page in ledger_rows.read_rows(connection, table) for row in page]
                for table in ledger_rows.TABLES
            }
        found["jobs"] = [row for row in found["jobs"] if row["task"] not in ledger_rows.READ_ONLY_TASKS]
        return found

    def files(self) -> dict[str, bytes]:
        """Models and previews. One that a killed process was writing ends in that process's number; nobody reads it."""
        home = self.settings.home
        return {
            path.relative_to(home).as_posix(): path.read_bytes()
            for folder in ("models", "previews")
            for path in (home / folder).rglob("*")
            if path.is_file() and not path.suffix[1:].isdecimal()
        }

    def numbered_after(self) -> int:
        """The number that the next job gets."""
        with self.ledger.write() as connection:
            job = {"state": "done", "library": "", "roots": "[]", "confirm_missing": False, "retry_failed": False}
            connection.execute(insert(jobs).values(**job, created=time.time()))
            return int(connection.execute(select(jobs.c.id).order_by(jobs.c.id.desc())).scalars().first() or 0)

    def back_up(self, folder: Path) -> JobProgress:
        progress = self.ingest.run(self.begin("backup", str(folder)))
        assert progress.state is JobState.DONE, progress.message
        assert progress.done == progress.total == sum(info.points for info in self.store.collections().values())
        return progress

    def restoring(self, folder: Path) -> Restore:
        return Restore(self.settings, self.store, self.ledger, folder, load_manifest(folder))

    def restore(self, folder: Path) -> None:
        work = self.restoring(folder)
        work.check()
        for steps in (work.restore(), work.compare()):
            for _ in steps:
                pass
        work.finish()

    def check_equals(self, source: Desk) -> None:
        """Every point, row and file is that of ``source``, and nothing says that more is to come."""
        check_same_points(source.store, self.store)
        assert self.rows() == source.rows()
        assert self.files() == source.files()
        assert unfinished_restore(self.ledger) is None
        assert unfinished_copies(self.store) == []
        assert not any(map(self.store.is_indexing_held, self.store.collections()))

    def close(self) -> None:
        self.store.close()
        self.ledger.close()


def check_same_points(one: Store, other: Store) -> None:
    """Point by point, in both directions."""
    assert one.collections().keys() == other.collections().keys()
    for name in one.collections():
        assert other.schema(name) == one.schema(name)
        assert other.metadata(name) == one.metadata(name)
        assert other.count(name) == one.count(name)
        for page in pages(one, name):
            assert differing(other, name, page) == []


def _rows(rng: np.random.Generator, count: int, dim: int) -> Array:
    return rng.normal(size=(count, dim)).astype(np.float32)


def _sounds(rng: np.random.Generator) -> dict[str, Array]:
    return {"sound": _rows(rng, 1, 8), "sound_raw": _rows(rng, 1, 8) * 1000}


def _talks(of: type, method: str) -> None:
    """Say a word after every call."""
    original: Callable[..., Any] = getattr(of, method)

    def talking(*arguments: Any) -> Any:
        answer = original(*arguments)
        print(method, flush=True)
        return answer

    setattr(of, method, talking)


def main(action: str, home: str, other: str, database: str) -> None:
    write.PART_BYTES, transfer.MOST_POINTS = PART_BYTES, PAGE_POINTS
    desk = Desk(Settings(home=Path(home), device="cpu", database_url=database or None))
    print("begun", flush=True)
    if action == "restore":
        _talks(Restore, "_restore_part")
        desk.restore(Path(other))
    else:
        if action == "backup":
            _talks(Journal, "add")
        elif other.startswith("http"):
            from search.store.server.store import ServerStore  # takes a second to import

            _talks(ServerStore, "upsert")
        else:
            _talks(EdgeStore, "upsert")
        desk.ingest.run(desk.begin(action, other))
    desk.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
