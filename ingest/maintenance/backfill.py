"""Add missing style, appearance, concepts, meaning and features to records of the current collections.

Queries are answered meanwhile, and use each record as soon as it is written. After a kill, the next run continues with
the records that still lack something.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.maintenance.fill import KEPT, FillRun
from search.media import Kind
from search.store.base import StoredPoint
from search.store.filters import Filter
from workers.batch.backfill import FEATURES, addable, is_complete
from workers.batch.report import BatchReport

PICTURED = "visual"
"""Space of every record that has a picture."""


class BackfillRun(FillRun):
    """One run of a job that adds the spaces of ``workers.batch.backfill.addable``, and the features of photos, to the
    current collections."""

    def summary(self) -> str:
        """Message of the job at its end."""
        if not self._job.goes_on():
            return KEPT
        schemas = [self._store.schema(name) for name in self._generations]
        each = [addable(schema) for schema in schemas]
        spaces = list(dict.fromkeys(name for found in each for name in found))
        if self._given_up:
            *most, last = [*spaces, FEATURES]
            lacked = f"{', '.join(most)} or {last}" if most else last
            return self._with_examples(f"{len(self._given_up):,} could not be embedded and lack their {lacked}")
        shared = [name for name in spaces if all(name in found for found in each)]
        own = [*(name for name in spaces if name not in shared), FEATURES]
        features = f"every picture its {_listed(own)}" if any(s.kind is Kind.IMAGE for s in schemas) else ""
        filled = f"every picture and video has its {_listed(shared)}" if shared else ""
        return ", and ".join(filter(None, (filled, features))).capitalize() + "."

    def _begin(self) -> None:
        self._given_up: set[str] = set()
        self._uncounted: set[str] = set()  # records that lack something but were counted as done
        # No store counts records without features, or without one of two spaces, unless it reads them all, which this
        # job does anyway (see _held). Until then, records with the space that fewest have count as done.
        self._counted_by: dict[str, str] = {}
        held: list[int] = []
        for name in self._generations:
            counts = {space: self._count(name, space) for space in addable(self._store.schema(name))}
            self._counted_by[name] = min(counts, key=counts.__getitem__) if counts else PICTURED
            held.append(counts[self._counted_by[name]] if counts else self._count(name, PICTURED))
        self._job.begin(sum(self._count(name, PICTURED) for name in self._generations), done=sum(held))

    def _count(self, collection: str, space: str) -> int:
        return self._store.count(collection, Filter(include_missing=True, has_space=space))

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        schema = self._store.schema(generation)
        points = self._pictured(generation, ids)
        held = {id_ for id_, point in points.items() if is_complete(schema, point)}
        counted = {id_ for id_, point in points.items() if self._counted_by[generation] in point.vectors}
        found = counted - held - self._uncounted
        if found:
            self._job.count(done=-len(found))
            self._uncounted |= found
        # A record without a picture, a video of sound alone for example, has none of these.
        return held | (set(ids) - points.keys()) | self._given_up

    def _pictured(self, generation: str, ids: Sequence[str]) -> dict[str, StoredPoint]:
        spaces = (PICTURED, *addable(self._store.schema(generation)))
        points = self._store.retrieve(generation, ids, vectors=spaces, payload=(FEATURES,))
        return {point.id: point for point in points if PICTURED in point.vectors}

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        self._given_up.update(ids)
        self._job.count(failed=len(ids))

    def _take(self, report: BatchReport) -> None:
        batch = self._batches[report.batch]
        super()._take(report)
        done = [outcome.media_id for outcome in report.outcomes if outcome.media_id is not None]
        assert batch.into is not None
        schema = self._store.schema(batch.into)
        points = self._pictured(batch.into, done)
        still_lacking = {id_ for id_, point in points.items() if not is_complete(schema, point)}
        if still_lacking:  # a model that gives no vector of this picture would be called for ever
            self._job.count(done=-len(still_lacking))
            self._uncounted |= still_lacking
            self._unembeddable |= still_lacking


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
