"""Giving records the vectors of a space that did not exist when they were taken in, where they are.

Questions go on being answered; each record that has been done is found at once. Killed anywhere, the next run goes on
with the records that lack the space.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.reembed import NAMED_FAILURES, Filling
from search.store.filters import Filter
from workers.renew import STYLE
from workers.report import BatchReport


class Completion(Filling):
    """One run of a job that fills ``style`` into collections, named plainly."""

    def told(self) -> str:
        """What to tell people at the end."""
        if not self._job.goes_on():
            return "What has been embedded is kept; the same command goes on from there."
        if not self._given_up:
            return "Every picture and video has its style."
        examples = list(self._failed.values())[:NAMED_FAILURES]
        shown = f", for example {', '.join(examples)}" if examples else ""
        return f"{len(self._given_up):,} could not be embedded and have no style{shown}."

    def _begin(self) -> None:
        self._given_up: set[str] = set()
        everything = Filter(include_missing=True, has_space="visual")
        with_style = Filter(include_missing=True, has_space=STYLE)
        self._job.begin(
            sum(self._store.count(name, everything) for name in self._generations),
            done=sum(self._store.count(name, with_style) for name in self._generations),
        )

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        points = self._store.retrieve(generation, ids, vectors=("visual", STYLE), payload=False)
        # Without a picture (a video of sound alone, say) there is no style to be had.
        return {p.id for p in points if STYLE in p.vectors or "visual" not in p.vectors} | self._given_up

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        self._given_up.update(ids)
        self._job.count(failed=len(ids))

    def _take(self, report: BatchReport) -> None:
        batch = self._batches[report.batch]
        super()._take(report)
        done = [outcome.media_id for outcome in report.outcomes if outcome.media_id is not None]
        assert batch.into is not None
        still_without = set(done) - self._held(batch.into, done)
        if still_without:  # a model that makes none of this picture would be asked for ever
            self._job.count(done=-len(still_without))
            self._hopeless |= still_without
