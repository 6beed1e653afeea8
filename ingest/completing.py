"""Giving records the style and the features that they lack, where they are: neither existed when they were taken in, or
they were lost.

Questions go on being answered; each record that has been done is found at once. Killed anywhere, the next run goes on
with the records that lack something.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.reembed import Filling
from search.store.base import StoredPoint
from search.store.filters import Filter
from workers.renew import FEATURES, STYLE, is_complete
from workers.report import BatchReport


class Completion(Filling):
    """One run of a job that fills ``style``, and features of photos, into collections, named plainly."""

    def told(self) -> str:
        """What to tell people at the end."""
        if not self._job.goes_on():
            return "What has been embedded is kept; the same command goes on from there."
        if not self._given_up:
            return "Every picture and video has its style, and every picture its features."
        return self._with_examples(f"{len(self._given_up):,} could not be embedded and lack their style or features")

    def _begin(self) -> None:
        self._given_up: set[str] = set()
        self._uncounted: set[str] = set()  # what has a style and yet is not counted as done
        everything = Filter(include_missing=True, has_space="visual")
        with_style = Filter(include_missing=True, has_space=STYLE)
        # No store counts what lacks features without reading every record, as this job does anyway: see _held.
        self._job.begin(
            sum(self._store.count(name, everything) for name in self._generations),
            done=sum(self._store.count(name, with_style) for name in self._generations),
        )

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        points = self._pictured(generation, ids)
        held = {id_ for id_, point in points.items() if is_complete(generation, point)}
        found = {id_ for id_, point in points.items() if STYLE in point.vectors} - held - self._uncounted
        if found:
            self._job.count(done=-len(found))
            self._uncounted |= found
        # Without a picture (a video of sound alone, say) there is nothing to be had.
        return held | (set(ids) - points.keys()) | self._given_up

    def _pictured(self, generation: str, ids: Sequence[str]) -> dict[str, StoredPoint]:
        points = self._store.retrieve(generation, ids, vectors=("visual", STYLE), payload=(FEATURES,))
        return {point.id: point for point in points if "visual" in point.vectors}

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        self._given_up.update(ids)
        self._job.count(failed=len(ids))

    def _take(self, report: BatchReport) -> None:
        batch = self._batches[report.batch]
        super()._take(report)
        done = [outcome.media_id for outcome in report.outcomes if outcome.media_id is not None]
        assert batch.into is not None
        points = self._pictured(batch.into, done)
        still_lacking = {id_ for id_, point in points.items() if not is_complete(batch.into, point)}
        if still_lacking:  # a model that makes none of this picture would be asked for ever
            self._job.count(done=-len(still_lacking))
            self._uncounted |= still_lacking
            self._hopeless |= still_lacking
