"""Embed the records that a collection lacks; the common part of ``reembed`` and ``backfill``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import case, select

from ingest.jobs.tasks import TaskRun
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import FileState, files, libraries
from ingest.plan.batches import batch_sizes
from ingest.scan.sidecars import names_of_sidecars
from search.media import MediaRecord, media_id
from search.settings import Settings
from search.store.base import Store
from search.store.filters import Filter
from workers.batch.backfill import carry_over, renamed
from workers.batch.records import payload_changes, renewed
from workers.batch.report import Batch, BatchReport, BatchRunner, FileRef

PAGE = 256

ANOTHER_PATH = frozenset({"gone", "changed", "unreadable"})
"""Codes of outcomes that concern the path and not the content, so that another path of it may succeed."""

CHANGED = "(changed)"
RETAKE = " Files that have changed or been touched since are imported anew by `likewise ingest`."

NAMED_FAILURES = 5

KEPT = "What has been embedded is kept; the same command goes on from there."
"""Message of a job that was stopped."""


class FillRun:
    """One run of a job over its generations; iterating gives its batches, as of a ``BatchSource``.

    Args:
        generations: names of the collections to fill; one of the current generation is named without a number.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        job: TaskRun,
        runner: BatchRunner,
        generations: Sequence[str],
    ) -> None:
        self._sizes = batch_sizes(settings)
        self._store, self._ledger, self._job, self._runner = store, ledger, job, runner
        self._generations = generations
        self._batches: dict[str, Batch] = {}
        self._in_progress: set[str] = set()
        self._all_given = False
        self._numbered = 0
        self._paths_tried: Counter[str] = Counter()
        self._unembeddable: set[str] = set()
        self._failed: dict[str, str] = {}  # media id → path and code

    def fill(self) -> None:
        """Embed missing records, and carry over those that cannot be embedded; returns early when the job stops."""
        self._begin()
        another_pass = True
        while another_pass and self._job.goes_on():  # another pass tries other paths of what failed
            another_pass = False
            for report in self._runner.run(self):
                self._take(report)
                another_pass = True
            another_pass |= not self._all_given or bool(self._batches)
            self._batches.clear()  # batches given up in a pause are found missing again
            self._in_progress.clear()

    def _begin(self) -> None:
        collections = [self._store.schema(name).collection for name in self._generations]
        held = sum(self._store.count(name) for name in self._generations)
        self._job.begin(sum(self._store.count(name) for name in collections), done=held)

    def bring_up_to_date(self, generation: str) -> None:
        """Delete records from a kept generation that have gone since, and update those whose files have moved."""
        collection = self._store.schema(generation).collection
        for page in chunked(self._store.scroll(generation, page=PAGE), PAGE):
            current = {point.id: point for point in self._store.retrieve(collection, [point.id for point in page])}
            gone = [point.id for point in page if point.id not in current]
            if gone:
                self._store.delete(generation, gone)
            patches = {}
            for point in page:
                if point.id in current:
                    kept = MediaRecord.from_payload(point.payload)
                    wanted = renewed(MediaRecord.from_payload(current[point.id].payload), kept)
                    if changes := payload_changes(kept, wanted):
                        patches[point.id] = changes
            if patches:
                self._store.patch_payload(generation, patches)

    def shortfall(self) -> str:
        """Count as failed the records that have a space in the old generation and not in the new one, and name some."""
        lacking = sum(map(self._lacking_vectors, self._generations))
        if not lacking:
            return ""
        self._job.count(failed=lacking, done=-lacking)
        return self._with_examples(f"{lacking:,} could not be embedded anew and keep their other spaces")

    def _with_examples(self, failed: str) -> str:
        """Message about files that could not be embedded: some paths, and what to do if they have changed."""
        examples = list(self._failed.values())
        shown = f", for example {', '.join(examples[:NAMED_FAILURES])}" if examples else ""
        changed = any(example.endswith(CHANGED) for example in examples)
        return f"{failed}{shown}.{RETAKE if changed else ''}"

    def _lacking_vectors(self, generation: str) -> int:
        target = self._store.schema(generation)
        current = self._store.schema(target.collection)
        # A film in which nothing moves has no vector of its movement, though its key frames had one under that name.
        of_scene = renamed(target, current).values()
        changed = [
            field.space.name
            for field in target.fields
            if current.space(field.space.name) not in (None, field.space) and field.space.name not in of_scene
        ]

        def held(collection: str, space: str) -> int:
            return self._store.count(collection, Filter(has_space=space, include_missing=True))

        # A record that lost several spaces is one record.
        lost = max((held(target.collection, name) - held(generation, name) for name in changed), default=0)
        return max(lost, len(self._failed)) if of_scene else lost

    @property
    def stopped(self) -> bool:
        return self._job.stopped

    def say(self, message: str) -> None:
        self._job.say(message)

    def __iter__(self) -> Iterator[Batch]:
        """Batches of the missing records, until the job is paused or cancelled."""
        self._all_given = False
        for generation in self._generations:
            schema = self._store.schema(generation)
            size = self._sizes[schema.kind]
            waiting: list[FileRef] = []
            for ids in chunked(self._ids(schema.collection), PAGE):
                waiting += self._lacking(generation, ids)
                while len(waiting) >= size:
                    if self.stopped:
                        return
                    yield self._batch(generation, waiting[:size])
                    del waiting[:size]
            if self.stopped:
                return
            if waiting:
                yield self._batch(generation, waiting)
        self._all_given = True

    def _ids(self, collection: str) -> Iterator[str]:
        """Ids of the records that are looked at."""
        return (point.id for point in self._store.scroll(collection, payload=False, page=PAGE))

    def _batch(self, generation: str, refs: Sequence[FileRef]) -> Batch:
        self._numbered += 1
        batch = Batch(
            id=f"{self._job.id}-{self._numbered}",
            job=self._job.id,
            kind=self._store.schema(generation).kind,
            files=tuple(refs),
            priority=self._job.priority,
            into=generation,
        )
        self._batches[batch.id] = batch
        self._in_progress.update(media_id(ref.sha256) for ref in refs)
        return batch

    def _lacking(self, generation: str, ids: Sequence[str]) -> list[FileRef]:
        """A file for each record that ``generation`` lacks; a record with no path left to try is given up."""
        held = self._held(generation, ids)
        lacking = [id_ for id_ in ids if id_ not in held and id_ not in self._in_progress]
        known = self._files(lacking)
        to_try: list[FileRef] = []
        without: list[str] = []
        for id_ in lacking:
            paths = [] if id_ in self._unembeddable else known.get(id_, [])[self._paths_tried[id_] :]
            if paths:
                to_try.append(paths[0])
            else:
                without.append(id_)
        if without:
            self._give_up(generation, without)
        return to_try

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        """Ids of the records that need no work."""
        return {point.id for point in self._store.retrieve(generation, ids, payload=False)}

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        """Carry over records that have no file that can be embedded."""
        carry_over(self._store, generation, ids)
        self._job.count(done=len(ids))

    def _files(self, ids: Sequence[str]) -> dict[str, list[FileRef]]:
        """The embedded files of some records, by record."""
        columns = (files.c.path, files.c.size, files.c.mtime_ns, files.c.sha256, files.c.media_id, files.c.state)
        query = select(*columns, files.c.ctime_ns, files.c.sidecars, libraries.c.name).join(libraries)
        facts_first = (case((files.c.sidecars == "", 1), else_=0), files.c.path)  # see ``ingest.plan.sidecars``
        found: dict[str, list[FileRef]] = {}
        with self._ledger.read() as connection:
            for chunk in chunked(ids):
                rows = connection.execute(query.where(files.c.media_id.in_(chunk)).order_by(*facts_first))
                for path, size, mtime_ns, sha256, id_, state, ctime_ns, sidecars, library in rows:
                    if state != FileState.EMBEDDED:  # see ingest.ledger.entries.locations_of
                        continue
                    names = names_of_sidecars(sidecars)
                    mtime = mtime_ns / 1e9
                    ref = FileRef(path, library, size, mtime, sha256, sidecars=names, ctime_ns=ctime_ns)
                    found.setdefault(id_, []).append(ref)
        return found

    def _take(self, report: BatchReport) -> None:
        """Count the outcomes of a batch; the next pass tries failed records again."""
        batch = self._batches.pop(report.batch)
        done = 0
        for file, outcome in zip(batch.files, report.outcomes, strict=True):
            id_ = media_id(file.sha256)
            self._in_progress.discard(id_)
            if outcome.media_id is not None:
                done += 1
                self._failed.pop(id_, None)
                continue
            self._failed[id_] = f"{file.path} ({outcome.code})"
            self._paths_tried[id_] += 1
            if outcome.code not in ANOTHER_PATH:
                self._unembeddable.add(id_)
        self._job.count(done=done)
