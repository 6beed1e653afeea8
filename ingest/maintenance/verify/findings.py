"""What is damaged, and the reports of the last runs, which the ledger keeps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, select

from ingest.ledger.database import Ledger
from ingest.ledger.tables import meta

T = TypeVar("T")

MOST_NAMED = 1000
"""Findings that a report names; all are counted."""


class Fault(StrEnum):
    """What is wrong with a record or file."""

    VECTORS = "vectors"
    FACTS = "facts"
    UNREADABLE = "unreadable"
    DERIVED = "derived"
    PATHS = "paths"
    CREDIT = "credit"
    PREVIEW = "preview"
    NO_FILE = "no_file"
    NO_RECORD = "no_record"
    LEDGER = "ledger"

    @property
    def label(self) -> str:
        """For people, after a number."""
        return _LABELS[self]

    @property
    def todo(self) -> str:
        """What to do about it."""
        return _TODO.get(self, "`likewise verify --repair` embeds its file anew.")


_LABELS = {
    Fault.VECTORS: "with damaged vectors",
    Fault.FACTS: "with damaged facts",
    Fault.UNREADABLE: "that cannot be read",
    Fault.DERIVED: "with search fields that do not follow from their facts",
    Fault.PATHS: "with other paths than the ledger has",
    Fault.CREDIT: "credited otherwise than the ledger has it",
    Fault.PREVIEW: "whose preview is damaged or gone",
    Fault.NO_FILE: "of which the ledger knows no file",
    Fault.NO_RECORD: "that the ledger has and the store has not",
    Fault.LEDGER: "faults of the ledger's file",
}
_REWRITTEN = "`likewise verify --repair` writes it anew."
_TODO = {
    Fault.DERIVED: _REWRITTEN,
    Fault.PATHS: _REWRITTEN,
    Fault.CREDIT: _REWRITTEN,
    Fault.NO_FILE: "`likewise ingest` of the folder it came from.",
    Fault.LEDGER: "Restore a backup, or set the ledger aside and ingest again: `likewise doctor` says how.",
}

EMBEDDED_ANEW = frozenset({Fault.VECTORS, Fault.FACTS, Fault.UNREADABLE, Fault.PREVIEW, Fault.NO_RECORD})
"""What is repaired by embedding the file again."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is damaged.

    Attributes:
        id: of the record; empty where it is none.
        collection: of the record, or ``ledger``.
        detail: what is wrong, in words.
        paths: those of the record, as far as they are known.
        repaired: it was repaired in the same run.
    """

    fault: Fault
    id: str
    collection: str
    detail: str
    paths: tuple[str, ...] = ()
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a run has found.

    Attributes:
        began, ended: seconds since the epoch, UTC; ``ended`` is None while it runs, or where it was cut off.
        records: how many were checked.
        unproven: how many of them lack a checksum, because a version before wrote them.
        read: bytes of vectors, records and previews that were read.
        counts: found, by fault; among them those that were repaired.
        repaired: how many were repaired.
        findings: the first :data:`MOST_NAMED`.
    """

    began: float
    ended: float | None = None
    records: int = 0
    unproven: int = 0
    read: int = 0
    counts: Mapping[Fault, int] = field(default_factory=dict)
    repaired: int = 0
    findings: tuple[Damage, ...] = ()

    @property
    def left(self) -> int:
        """How many findings are not repaired."""
        return sum(self.counts.values()) - self.repaired

    @property
    def summary(self) -> str:
        """For people, in a sentence or two."""
        checked = f"{self.records:,} records were read back"
        unproven = f" ({self.unproven:,} of them from a version before, without a checksum)" if self.unproven else ""
        if not self.counts:
            return f"{checked}{unproven}: all of it is as it was written."
        found = ", ".join(f"{count:,} {fault.label}" for fault, count in self.counts.items())
        repaired = f" {self.repaired:,} were repaired." if self.repaired else ""
        left = f" {self.left:,} are left." if self.repaired and self.left else ""
        return f"{checked}{unproven}; found {found}.{repaired}{left}"

    def plus(self, *, records: int, unproven: int, read: int, findings: Iterable[Damage]) -> VerifyReport:
        """This report with another page of records in it."""
        found = tuple(findings)
        counts = Counter(self.counts)
        counts.update(each.fault for each in found)
        return replace(
            self,
            records=self.records + records,
            unproven=self.unproven + unproven,
            read=self.read + read,
            counts=dict(counts),
            repaired=self.repaired + sum(each.repaired for each in found),
            findings=(*self.findings, *found)[:MOST_NAMED],
        )


VERIFICATION = "verification"
"""Key in table ``meta`` of the report of the last job."""

SCRUB = "scrub"
"""Key in table ``meta`` of the state of the checks in the background."""


@dataclass(frozen=True, slots=True)
class ScrubState:
    """Where the checks in the background are.

    Attributes:
        due: when the next page is checked, in seconds since the epoch.
        collection, after: the last record that was checked; empty at the beginning of a pass.
        report: of the pass that is under way.
        last: of the last whole pass; None until there was one.
    """

    due: float
    report: VerifyReport
    collection: str = ""
    after: str = ""
    last: VerifyReport | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of the state of what is stored.

    Attributes:
        last: of the last job ``verify``; None before the first.
        scrub: of the checks in the background; None where there are none yet.
    """

    last: VerifyReport | None
    scrub: ScrubState | None

    @property
    def damage(self) -> VerifyReport | None:
        """The latest report that found damage which was not repaired, where no later whole run found none."""
        runs = [self.last] if self.last else []
        if self.scrub is not None:
            runs += [each for each in (self.scrub.last, self.scrub.report) if each is not None]
        for run in sorted(runs, key=lambda each: each.began, reverse=True):
            if run.left:
                return run
            if run.ended is not None:
                return None
        return None

    @property
    def checked(self) -> VerifyReport | None:
        """The latest run that went through everything."""
        runs = [self.last, self.scrub.last if self.scrub else None]
        ended = [run for run in runs if run is not None and run.ended is not None]
        return max(ended, key=lambda run: run.ended or 0.0, default=None)


def load_verification(ledger: Ledger) -> Verification:
    """What the last runs have found.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger.read() as connection:
        return Verification(_load(connection, VERIFICATION, VerifyReport), load_scrub(connection))


def save_report(ledger: Ledger, report: VerifyReport) -> None:
    """Keep a report in place of the last one."""
    with ledger.write() as connection:
        _save(connection, VERIFICATION, asdict(report))


def load_scrub(connection: Connection) -> ScrubState | None:
    """Where the checks in the background are; None before they have begun."""
    return _load(connection, SCRUB, ScrubState)


def save_scrub(connection: Connection, state: ScrubState) -> None:
    """Keep where the checks in the background are."""
    _save(connection, SCRUB, asdict(state))


def _load(connection: Connection, key: str, type_: type[T]) -> T | None:
    text = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    if text is None:
        return None
    try:
        return TypeAdapter(type_).validate_json(text)
    except ValidationError:  # of another version
        return None


def _save(connection: Connection, key: str, value: object) -> None:
    connection.execute(delete(meta).where(meta.c.key == key))
    connection.execute(insert(meta).values(key=key, value=json.dumps(value)))
