"""Detect a ledger or store that a restore or a migration has filled only in part."""

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
"""Key in table ``meta`` of a ledger that is being restored. Its value is a JSON object: ``layout``, ``backup`` (an
id), ``from`` (its folder) and ``parts`` (how many are restored)."""

MARK_LAYOUT = 1
"""Version of that object; version 0.1.0 wrote it without ``layout``."""


def restore_mark(connection: Connection) -> dict[str, Any] | None:
    """The mark of an unfinished restore; None where there is none.

    Raises:
        LedgerError: a newer version of Likewise wrote it.
    """
    value = connection.execute(select(meta.c.value).where(meta.c.key == MARK)).scalar()
    if value is None:
        return None
    mark: dict[str, Any] = json.loads(value)
    if mark.get("layout", MARK_LAYOUT) > MARK_LAYOUT:
        raise LedgerError(
            f"A newer Likewise has begun to restore the backup '{mark.get('from')}' into this ledger.",
            "Finish the restore with that version, or begin with an empty data directory.",
        )
    return mark


def unfinished_restore(ledger: Ledger) -> str | None:
    """Folder of the backup whose restore into this ledger was cut off; None for a complete ledger."""
    with ledger.read() as connection:
        mark = restore_mark(connection)
    return None if mark is None else str(mark["from"])


def check_complete(store: Store, ledger: Ledger) -> None:
    """Refuse a ledger or a store that is incomplete.

    Raises:
        LedgerError: a restore into the ledger was cut off.
        StoreError: a migration to the store was cut off.
    """
    if (folder := unfinished_restore(ledger)) is not None:
        raise LedgerError(
            f"The restore of the backup '{folder}' was cut off: not everything is there.",
            f"`likewise restore {folder}` goes on where it stopped.",
        )
    if incomplete := unfinished_copies(store):
        raise StoreError(
            f"A migration to this store was cut off: '{incomplete[0]}' does not hold everything.",
            "Run `likewise migrate` again with the settings of the store it came from, or empty this one.",
        )
