"""Job task ``overlaps``: find which span of which film or sound is in which other.

What was compared before is compared with new contents only. After a kill, the next run goes on with what is not
compared yet. Which contents have fingerprints over time: those decoded by revision 4 or later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingest.jobs.kinds import OverlapsOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.database import Ledger
from ingest.ledger.overlaps import (
    compared_contents,
    forget_overlaps,
    list_overlaps,
    overlap_count,
    overlaps_of,
    store_overlaps,
)
from search.media import FOOTPRINTS_SINCE, Kind
from search.settings import Settings
from search.similar.reuse.overlaps import Overlap
from search.similar.reuse.search import find_overlaps
from search.store.base import Store
from search.store.filters import Filter
from workers.storage.previews import Previews

GROUP, GROUP_SECONDS = 4000, 360_000.0
"""Contents, and seconds of them, that are compared, and whose overlaps are stored, at a time. For each group all others
are read again."""

_CACHED = 64
"""Contents whose fingerprints stay in memory while all parts of a library are read: an hour takes a megabyte."""


class FindOverlaps:
    """Compares recordings that were not compared yet with all."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger

    def check(self, options: OverlapsOptions) -> str:
        """No title: there is one such job for all recordings."""
        return ""

    def run(self, options: OverlapsOptions, job: TaskRun) -> str:
        """
        Raises:
            StoreError, LedgerError: what is stored cannot be read, or what was found cannot be written.
        """
        present = {one.id: one for one in recordings(self._store)}
        fit = {id_: one.decoding for id_, one in present.items() if one.decoding >= FOOTPRINTS_SINCE}
        with self._ledger.write() as connection:
            before = compared_contents(connection)
            stale = [id_ for id_, revision in before.items() if options.anew or fit.get(id_) != revision]
            forget_overlaps(connection, stale)
        done = [id_ for id_ in before if id_ not in set(stale)]
        wanted = [id_ for id_ in fit if id_ not in set(done)]
        job.begin(len(wanted))
        load = lru_cache(_CACHED)(Previews(self._settings).footprints)
        for group in _groups([present[id_] for id_ in wanted]):
            going = True

            def each(_: str) -> bool:
                nonlocal going
                going = job.goes_on()
                return going

            found: list[Overlap] = list(find_overlaps(group, [*done, *group], load, each=each))
            if not going:
                return "What has been compared is kept; the same command goes on from there."
            with self._ledger.write() as connection:
                store_overlaps(connection, found, {id_: fit[id_] for id_ in group})
            done += group
            job.count(done=len(group))
        with self._ledger.read() as connection:
            spans = overlap_count(connection)
        without = len(present) - len(fit)
        lacking = (
            f" {without:,} were decoded by an older version and are not among them; `likewise reembed --decoding` "
            "makes their fingerprints."
            if without
            else ""
        )
        return f"{len(wanted):,} of {len(fit):,} recordings were new; {spans:,} spans of all are in others.{lacking}"


class FoundOverlaps:
    """What the jobs have found so far.

    Raises:
        StoreError, LedgerError: it cannot be read (any method).
    """

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def of(self, ids: Sequence[str]) -> list[Overlap]:
        """Spans that these contents share with any, longest first; some may have been deleted since."""
        with self._ledger.read() as connection:
            return overlaps_of(connection, ids)

    def page(self, limit: int, after: int = 0) -> list[tuple[int, Overlap]]:
        """Spans behind the one with the number ``after``, each with its number."""
        with self._ledger.read() as connection:
            return list_overlaps(connection, limit, after)

    def count(self) -> int:
        with self._ledger.read() as connection:
            return overlap_count(connection)

    def uncompared(self) -> int:
        """How many recordings are not compared yet, or have no fingerprints over time yet."""
        with self._ledger.read() as connection:
            before = compared_contents(connection)
        return sum(before.get(one.id) != one.decoding for one in recordings(self._store))


@dataclass(frozen=True, slots=True)
class Recording:
    """A video or sound: its id, the revision that decoded it, and its seconds, 0 where they are not known."""

    id: str
    decoding: int
    seconds: float


def recordings(store: Store) -> Iterator[Recording]:
    """All videos and sounds, except those whose files have gone."""
    collections = store.collections()
    for collection in (Kind.VIDEO.collection, Kind.AUDIO.collection):
        if collection in collections:
            for point in store.scroll(collection, where=Filter(), payload=("decoding", "duration")):
                told = point.payload
                yield Recording(point.id, int(told.get("decoding") or 1), float(told.get("duration") or 0.0))


def _groups(wanted: Sequence[Recording]) -> Iterator[list[str]]:
    group: list[str] = []
    seconds = 0.0
    for one in wanted:
        if group and (len(group) == GROUP or seconds + one.seconds > GROUP_SECONDS):
            yield group
            group, seconds = [], 0.0
        group.append(one.id)
        seconds += one.seconds
    if group:
        yield group
