"""Giving records what they lack of style, concepts and features, where they are: these did not exist when they were
taken in, or were lost.

Questions go on being answered; each record that has been done is found at once. Killed anywhere, the next run goes on
with the records that lack something.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.maintenance.fill import KEPT, FillRun
from search.media import Kind
from search.store.base import StoredPoint
from search.store.filters import Filter
from workers.batch.backfill import FEATURES, addable, is_complete
from workers.batch.report import BatchReport

SEEN = "visual"
"""Space of everything that has a picture."""


class BackfillRun(FillRun):
    """One run of a job that fills the spaces of ``workers.batch.backfill.addable``, and features of photos, into
    collections, named plainly."""

    def told(self) -> str:
        """What to tell people at the end."""
        if not self._job.goes_on():
            return KEPT
        schemas = [self._store.schema(name) for name in self._generations]
        spaces = list(dict.fromkeys(name for schema in schemas for name in addable(schema)))
        if self._given_up:
            *most, last = [*spaces, FEATURES]
            lacked = f"{', '.join(most)} or {last}" if most else last
            return self._with_examples(f"{len(self._given_up):,} could not be embedded and lack their {lacked}")
        features = "every picture its features" if any(s.kind is Kind.IMAGE for s in schemas) else ""
        listed = " and ".join(filter(None, (", ".join(spaces[:-1]), *spaces[-1:])))
        filled = f"every picture and video has its {listed}" if spaces else ""
        return ", and ".join(filter(None, (filled, features))).capitalize() + "."

    def _begin(self) -> None:
        self._given_up: set[str] = set()
        self._uncounted: set[str] = set()  # what lacks something and yet was counted as done
        # No store counts what lacks features, or one of two spaces, without reading every record, as this job does
        # anyway (see _held): what has the space that fewest have counts as done until it is looked at.
        self._counted_by: dict[str, str] = {}
        held: list[int] = []
        for name in self._generations:
            counts = {space: self._count(name, space) for space in addable(self._store.schema(name))}
            self._counted_by[name] = min(counts, key=counts.__getitem__) if counts else SEEN
            held.append(counts[self._counted_by[name]] if counts else self._count(name, SEEN))
        self._job.begin(sum(self._count(name, SEEN) for name in self._generations), done=sum(held))

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
        # Without a picture (a video of sound alone, say) there is nothing to be had.
        return held | (set(ids) - points.keys()) | self._given_up

    def _pictured(self, generation: str, ids: Sequence[str]) -> dict[str, StoredPoint]:
        spaces = (SEEN, *addable(self._store.schema(generation)))
        points = self._store.retrieve(generation, ids, vectors=spaces, payload=(FEATURES,))
        return {point.id: point for point in points if SEEN in point.vectors}

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
        if still_lacking:  # a model that makes none of this picture would be asked for ever
            self._job.count(done=-len(still_lacking))
            self._uncounted |= still_lacking
            self._hopeless |= still_lacking
