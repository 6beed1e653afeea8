"""Telling what is whole from what a restore or a migration has only begun to fill."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from ingest.ledger.database import Ledger
from ingest.ledger.tables import meta
from search.errors import LedgerError, StoreError
from search.store.base import Store
from search.transfer import unfinished_copies

MARK = "restoring"
"""Key in ``meta`` of a ledger that is being restored: which backup, from where, and how many of its parts are there."""


def mark_in(connection: Connection) -> dict[str, Any] | None:
    value = connection.execute(select(meta.c.value).where(meta.c.key == MARK)).scalar()
    mark: dict[str, Any] | None = None if value is None else json.loads(value)
    return mark


def unfinished_restore(ledger: Ledger) -> str | None:
    """The folder of the backup that was being restored into this ledger when it was cut off; None for a whole one."""
    with ledger.read() as connection:
        mark = mark_in(connection)
    return None if mark is None else str(mark["from"])


def check_whole(store: Store, ledger: Ledger) -> None:
    """
    Raises:
        LedgerError, StoreError: ledger or store hold only part of what is to be brought into them.
    """
    if (folder := unfinished_restore(ledger)) is not None:
        raise LedgerError(
            f"The restore of the backup '{folder}' was cut off: not everything is there.",
            f"`likewise restore {folder}` goes on where it stopped.",
        )
    if half := unfinished_copies(store):
        raise StoreError(
            f"A migration to this store was cut off: '{half[0]}' does not hold everything.",
            "Run `likewise migrate` again with the settings of the store it came from, or empty this one.",
        )
