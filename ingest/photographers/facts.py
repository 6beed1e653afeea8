"""Job task ``facts``: note when and where photos were taken by a table; and what that would change.

Running it again changes nothing that is done. What the file says stays what counts, unless it says nothing or the table
is told to overwrite; it is kept, and comes back when what was told is forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.jobs.kinds import FactsOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.credits import PAGE, Credits
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.told_facts import TELLABLE, ToldFact, delete_told, store_told, told_ids, told_of, told_record
from ingest.photographers.facts_table import FactsMatch, match_facts, read_facts
from search.media import MediaRecord
from search.store.base import Store

SHOWN_CHANGES = 500
"""Changes that a preview lists; all are counted."""

SHOWN_LINES = 5
"""So many unusable lines of a table are reported one by one by the job; a preview lists up to :data:`SHOWN_CHANGES`."""


@dataclass(frozen=True, slots=True)
class FactsOfPhoto:
    """When and where; absent facts are None. ``taken_at`` is ISO 8601, degrees are WGS 84."""

    taken_at: str | None
    place: str | None
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, record: MediaRecord) -> FactsOfPhoto:
        return cls(record.taken_at, record.place, record.latitude, record.longitude)


@dataclass(frozen=True, slots=True)
class FactsChange:
    """What a table changes of one photo; ``lines`` are the numbers of the lines that mean it."""

    id: str
    path: str
    lines: tuple[int, ...]
    before: FactsOfPhoto
    after: FactsOfPhoto


@dataclass(frozen=True, slots=True)
class FactsPreview:
    """What a table would change.

    Attributes:
        changes: the first of them, in order of the paths.
        changed: how many photos would change.
        same: how many have it already.
        kept: how many have another date or place in the file, which stays.
        wrong: sentences about lines that cannot be used, in the order of the table.
        wrong_lines: how many.
    """

    changes: tuple[FactsChange, ...]
    changed: int
    same: int
    kept: int
    wrong: tuple[str, ...]
    wrong_lines: int


def preview_facts(store: Store, ledger: Ledger, table: str, base: str, *, overwrite: bool = False) -> FactsPreview:
    """What a table would change; nothing is written.

    Raises:
        UsageError: it is no such table.
    """
    match = match_facts(ledger, read_facts(table.encode()), base)
    assert match is not None  # nothing stops it
    changes: list[FactsChange] = []
    counted: Counter[str] = Counter()
    for ids in chunked(match.lines, PAGE):
        with ledger.read() as connection:
            known = told_of(connection, ids)
        for record in _records(store, ids):
            told = {fact: ToldFact(value, overwrite) for fact, value in _merged(match, record.id).items()}
            after = told_record(record, {**known.get(record.id, {}), **told})
            before, then = FactsOfPhoto.of(record), FactsOfPhoto.of(after)
            if before != then:
                lines = tuple(line.number for line in match.lines[record.id])
                changes.append(FactsChange(record.id, record.paths[0], lines, before, then))
            counted["kept" if _refused(after, told) else "same" if before == then else "changed"] += 1
    wrong = [sentence for _, sentence in sorted(match.wrong.items())]
    changes.sort(key=lambda change: change.path)
    return FactsPreview(
        tuple(changes[:SHOWN_CHANGES]),
        len(changes),
        counted["same"],
        counted["kept"],
        tuple(wrong[:SHOWN_CHANGES]),
        len(wrong),
    )


class TellFacts:
    """The task ``facts``, see :mod:`ingest.photographers.facts`."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger
        self._credits = Credits(ledger, store)

    def check(self, options: FactsOptions) -> str:
        """Check the table; the job's title.

        Raises:
            UsageError: it is no such table.
        """
        if options.forget:
            return "dates and places told by tables, forgotten"
        read_facts(options.table.encode())
        return "dates and places from a table"

    def run(self, options: FactsOptions, job: TaskRun) -> str:
        """Note the facts, or forget all that were told.

        Raises:
            LikewiseError: it could not continue; what is noted stays.
        """
        return self._forget(job) if options.forget else self._note(options, job)

    def _note(self, options: FactsOptions, job: TaskRun) -> str:
        job.say("Looking up what the lines of the table mean.")
        match = match_facts(self._ledger, read_facts(options.table.encode()), options.base, job.goes_on)
        if match is None:
            return _STOPPED
        job.say("")
        job.begin(len(match.lines))
        refused = 0
        for ids in chunked(match.lines, PAGE):
            with self._ledger.write() as connection:
                present = {record.id for record in _records(self._store, ids)}
                merged = {id_: _merged(match, id_) for id_ in ids if id_ in present}
                for fact in TELLABLE:
                    values = {id_: facts[fact] for id_, facts in merged.items() if fact in facts}
                    store_told(connection, fact, values, first=options.overwrite)
                self._credits.apply(connection, list(merged))
            for record in _records(self._store, list(merged)):
                refused += _refused(record, {fact: ToldFact(value) for fact, value in merged[record.id].items()})
            job.count(done=len(merged), skipped=len(ids) - len(merged))
            if not job.goes_on():
                return _STOPPED
        wrong = [sentence for _, sentence in sorted(match.wrong.items())]
        job.count(failed=len(wrong), total=len(wrong))
        return _summary(len(match.lines), refused, wrong)

    def _forget(self, job: TaskRun) -> str:
        forgotten = 0
        while job.goes_on():
            with self._ledger.write() as connection:
                ids = told_ids(connection, "", PAGE)
                delete_told(connection, ids)
                self._credits.apply(connection, ids)
            if not ids:
                return (
                    f"What tables told of {forgotten:,} photos is forgotten; their files' own dates and places count."
                )
            forgotten += len(ids)
            job.count(done=len(ids), total=len(ids))
        return _STOPPED


_STOPPED = "What is noted stays; the same again goes on from there."


def _merged(match: FactsMatch, id_: str) -> Mapping[str, object]:
    """What the lines say of one record; of several that say the same fact, the weightiest."""
    return {fact: value for line in match.lines[id_] for fact, value in line.facts.items()}


def _refused(record: MediaRecord, told: Mapping[str, ToldFact]) -> bool:
    """Whether the file's own date or place counts before one that was told."""
    have: Mapping[str, Any] = {"taken_at": record.taken_at, "location": [record.latitude, record.longitude]}
    return any(told[fact].value != value for fact, value in have.items() if fact in told)


def _records(store: Store, ids: Sequence[str]) -> list[MediaRecord]:
    return [
        MediaRecord.from_payload(point.payload)
        for collection in store.collections()
        for point in store.retrieve(collection, ids)
        if point.payload.get("paths")
    ]


def _summary(photos: int, refused: int, wrong: Sequence[str]) -> str:
    sentences = [f"Dates and places of {photos:,} photos are noted." if photos else "Nothing is noted."]
    if refused:
        sentences.append(f"{refused:,} of them keep a date or a place that their file says; --overwrite changes that.")
    sentences += wrong[:SHOWN_LINES]
    if len(wrong) > SHOWN_LINES:
        sentences.append(f"So it is with {len(wrong) - SHOWN_LINES:,} more lines.")
    return " ".join(sentences)
