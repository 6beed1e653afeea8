"""Checks the records of the store again and again in the background, at a set rate.

Each page is claimed in the ledger, so that processes that share a library do it together, and a pass goes on where it
was after a restart. What it finds is logged and kept for ``likewise status`` and ``likewise doctor``; nothing is
changed. Records are not compared with the ledger here, as jobs may be changing both.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

from ingest.ledger.database import Ledger
from ingest.maintenance.verify.findings import ScrubState, VerifyReport, load_scrub, save_scrub
from ingest.maintenance.verify.record_checks import Page, RecordChecks
from search.errors import LikewiseError
from search.media import COLLECTIONS
from search.settings import Settings
from search.store.base import Store

log = logging.getLogger(__name__)

MOST_RECORDS = 64
"""Records in a page: a fraction of a second of reading."""

LONGEST_WAIT = 3600.0
"""Seconds between pages at most; small libraries have smaller pages instead."""

RETRY_SECONDS = 600.0
"""After an error."""


class Scrubber:
    """Checks pages when they are due, until it is told to end.

    Args:
        closing: set when it is to end.
    """

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, closing: threading.Event) -> None:
        self._store, self._ledger, self._closing = store, ledger, closing
        self._days = settings.scrub_days
        self._checks = RecordChecks(settings, store)

    def run(self) -> None:
        """Work until the end; at once when the settings switch it off."""
        if not self._days:
            return
        wait = self._due_in()
        while not self._closing.wait(wait):
            try:
                wait = self.step()
            except LikewiseError as error:
                if self._closing.is_set():
                    return
                log.warning("The stored records cannot be checked now: %s", error)
                wait = RETRY_SECONDS

    def step(self) -> float:
        """Check one page, if it is due; the seconds until the next one is.

        Raises:
            StoreError, LedgerError: it is not possible now.
        """
        total = sum(info.points for name, info in self._store.collections().items() if name in COLLECTIONS)
        if not total:
            return LONGEST_WAIT
        size, pause = pace(total, self._days)
        now = time.time()
        with self._ledger.write() as connection:
            state = load_scrub(connection) or ScrubState(now + pause, VerifyReport(now))
            if state.due > now:
                save_scrub(connection, state)
                return min(state.due - now, LONGEST_WAIT)
            save_scrub(connection, replace(state, due=now + pause))  # other processes take no page until then
        page = self._next_page(state, size)
        if self._closing.is_set():  # what a closing store answers is no damage
            return pause
        with self._ledger.write() as connection:
            save_scrub(connection, replace(_moved(state, page), due=now + pause))
        return pause

    def _due_in(self) -> float:
        try:
            with self._ledger.read() as connection:
                state = load_scrub(connection)
        except LikewiseError:
            return RETRY_SECONDS
        return 0.0 if state is None else min(max(0.0, state.due - time.time()), LONGEST_WAIT)

    def _next_page(self, state: ScrubState, size: int) -> Page | None:
        """The records after the last ones; None at the end of a pass."""
        existing = self._store.collections()
        for collection in COLLECTIONS:
            if collection not in existing or _rank(collection) < _rank(state.collection):
                continue
            after = state.after if collection == state.collection else ""
            page = next(self._checks.pages(collection, after or None, size), None)
            if page is not None:
                return self._confirmed(page)
        return None

    def _confirmed(self, page: Page) -> Page:
        """The page with those findings that a second look finds as well: a job may have written in between."""
        if not page.findings:
            return page
        again = self._checks.check(page.collection, sorted({finding.id for finding in page.findings}))
        still = {(finding.id, finding.fault) for finding in again.findings}
        findings = tuple(finding for finding in page.findings if (finding.id, finding.fault) in still)
        for finding in findings:
            log.error(
                "'%s' of %s is damaged: %s %s", finding.id, finding.collection, finding.detail, finding.fault.todo
            )
        return replace(page, findings=findings)


def pace(total: int, days: float) -> tuple[int, float]:
    """Records in a page, and seconds from page to page, for so many records to be checked in so many days."""
    seconds = days * 86_400.0
    size = max(1, min(MOST_RECORDS, int(total * LONGEST_WAIT / seconds)))
    return size, min(seconds * size / total, LONGEST_WAIT)


def _moved(state: ScrubState, page: Page | None) -> ScrubState:
    if page is None:
        ended = replace(state.report, ended=time.time())
        log.info("Checked the stored records: %s", ended.summary)
        return replace(state, collection="", after="", last=ended, report=VerifyReport(time.time()))
    report = state.report.plus(records=len(page.ids), unproven=page.unproven, read=page.read, findings=page.findings)
    return replace(state, collection=page.collection, after=page.ids[-1], report=report)


def _rank(collection: str) -> int:
    return COLLECTIONS.index(collection) if collection in COLLECTIONS else -1
