"""Credits by hand that can be undone: what the sources said of the records before, kept for a while."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from ingest.ledger.credits import Credits, SourceCredit, checked_name, credits_of, delete_credits, store_credits
from ingest.ledger.entries import chunked
from ingest.ledger.tables import credit_edits, credited
from search.errors import NotFoundError
from search.photographers.answers import Credit

KEPT_SECONDS = 30 * 86_400.0
"""How long an edit can be undone."""


@dataclass(frozen=True, slots=True)
class CreditEdit:
    """What was credited by hand at once.

    Attributes:
        edit: by which it can be undone.
        credited: id of each record to its photographer now; empty for nobody known.
    """

    edit: str
    credited: Mapping[str, str]


class CreditEdits:
    """Edits of one store's credits, each undone by its key."""

    def __init__(self, credits_: Credits) -> None:
        self._credits = credits_

    def credit(self, names: Mapping[str, str]) -> CreditEdit:
        """Credit records by hand, at once; this counts before every other source.

        Args:
            names: id to photographer; empty says that nobody is known, whatever the file says.

        Raises:
            UsageError: a name is not the name of a person.
            NotFoundError: one of the ids is not in the store.
        """
        kept = {id_: checked_name(name) if name else "" for id_, name in names.items()}
        edit = secrets.token_hex(16)
        with self._credits.ledger.write() as connection:
            self._credits.check_stored(kept)
            _note(connection, edit, kept)
            store_credits(connection, Credit.PERSON, kept)
            self._credits.apply(connection, kept)
            self._credits.count_edit(connection)
        return CreditEdit(edit, kept)

    def find(self, edit: str) -> CreditEdit:
        """An edit that can be undone, with the names that were given.

        Raises:
            NotFoundError: there is no such edit, or it was undone, or it is too old.
        """
        with self._credits.ledger.read() as connection:
            ids = list(_before(connection, edit))
            by_hand = credited.c.source == Credit.PERSON.value
            query = select(credited.c.media_id, credited.c.name).where(by_hand)
            names = {
                id_: name
                for chunk in chunked(ids)
                for id_, name in connection.execute(query.where(credited.c.media_id.in_(chunk)))
            }
        return CreditEdit(edit, names)

    def undo(self, edit: str) -> int:
        """Let the sources say what they said before an edit; the number of its records.

        Raises:
            NotFoundError: there is no such edit, or it was undone, or it is too old.
        """
        with self._credits.ledger.write() as connection:
            before = _before(connection, edit)
            delete_credits(connection, [*Credit], before)
            for id_, said in before.items():
                if said:
                    rows = [
                        {"media_id": id_, "source": one.source.value, "name": one.name, "first": one.first}
                        for one in said
                    ]
                    connection.execute(insert(credited), rows)
            connection.execute(delete(credit_edits).where(credit_edits.c.edit == edit))
            self._credits.apply(connection, before)
            self._credits.count_edit(connection)
        return len(before)


def _note(connection: Connection, edit: str, ids: Mapping[str, str]) -> None:
    now = time.time()
    connection.execute(delete(credit_edits).where(credit_edits.c.created < now - KEPT_SECONDS))
    said = credits_of(connection, ids)
    rows = [
        {
            "edit": edit,
            "media_id": id_,
            "created": now,
            "before": json.dumps([[one.source.value, one.name, one.first] for one in said.get(id_, ())]),
        }
        for id_ in ids
    ]
    for chunk in chunked(rows):
        connection.execute(insert(credit_edits), chunk)


def _before(connection: Connection, edit: str) -> Mapping[str, Sequence[SourceCredit]]:
    query = select(credit_edits.c.media_id, credit_edits.c.before).where(credit_edits.c.edit == edit)
    found = {
        id_: [SourceCredit(Credit(source), name, first) for source, name, first in json.loads(before)]
        for id_, before in connection.execute(query)
    }
    if not found:
        raise NotFoundError("There is no such edit to undo.", "An edit can be undone once, within 30 days.")
    return found
