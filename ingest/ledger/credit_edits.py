"""Credits by hand that can be undone: what the sources said of the records before, kept for a while."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, exists, insert, select, update

from ingest.ledger.credits import Credits, SourceCredit, checked_name, credits_of, delete_credits, store_credits
from ingest.ledger.entries import chunked
from ingest.ledger.tables import credit_edits, credited
from search.errors import NotFoundError
from search.media import Credit

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
            _note(connection, edit, kept, self._credits.ledger.now(connection))
            store_credits(connection, Credit.PERSON, kept)
            self._credits.apply(connection, kept)
            self._credits.count_edit(connection)
        return CreditEdit(edit, kept)

    def find(self, edit: str) -> CreditEdit:
        """An edit that can be undone, with the names that were given to those of its records that still have them.

        Raises:
            NotFoundError: as :meth:`undo`.
        """
        with self._credits.ledger.read() as connection:
            return CreditEdit(edit, {id_: given for id_, (given, _) in _undoable(connection, edit).items()})

    def undo(self, edit: str) -> int:
        """Take back what people said of records by an edit: what they said before counts again. Records that have been
        credited by hand since stay as they are, and so does what other sources have said since.

        Returns:
            The number of records that were changed.

        Raises:
            NotFoundError: there is no such edit, or it was undone, or it is too old, or all its records have been
                credited by hand since.
        """
        with self._credits.ledger.write() as connection:
            undoable = _undoable(connection, edit)
            present = credits_of(connection, undoable)
            delete_credits(connection, [Credit.PERSON], undoable)
            for id_, (_, before) in undoable.items():
                _say_again(connection, id_, before, present.get(id_, ()))
            for ids in chunked(undoable):
                undone = (credit_edits.c.edit == edit) & credit_edits.c.media_id.in_(ids)
                connection.execute(delete(credit_edits).where(undone))
            self._credits.apply(connection, undoable)
            self._credits.count_edit(connection)
        return len(undoable)


def _note(connection: Connection, edit: str, names: Mapping[str, str], now: float) -> None:
    connection.execute(delete(credit_edits).where(credit_edits.c.created < now - KEPT_SECONDS))
    said = credits_of(connection, names)
    rows = [
        {
            "edit": edit,
            "media_id": id_,
            "created": now,
            "given": given,
            "before": json.dumps([[one.source.value, one.name, one.first] for one in said.get(id_, ())]),
        }
        for id_, given in names.items()
    ]
    for chunk in chunked(rows):
        connection.execute(insert(credit_edits), chunk)


def _undoable(connection: Connection, edit: str) -> dict[str, tuple[str, Sequence[SourceCredit]]]:
    """Those records of an edit that nobody has credited by hand since: id to the name that was given, and to what the
    sources said before.

    Raises:
        NotFoundError: there are none.
    """
    later = credit_edits.alias()
    overtaken = exists().where(later.c.media_id == credit_edits.c.media_id, later.c.created > credit_edits.c.created)
    columns = credit_edits.c.media_id, credit_edits.c.given, credit_edits.c.before, overtaken.label("overtaken")
    rows = connection.execute(select(*columns).where(credit_edits.c.edit == edit)).all()
    if not rows:
        raise NotFoundError("There is no such edit to undo.", "An edit can be undone once, within 30 days.")
    by_hand = {
        (id_, one.name)
        for id_, said in credits_of(connection, [row.media_id for row in rows]).items()
        for one in said
        if one.source is Credit.PERSON
    }
    undoable: dict[str, tuple[str, Sequence[SourceCredit]]] = {
        row.media_id: (row.given, [SourceCredit(Credit(source), *rest) for source, *rest in json.loads(row.before)])
        for row in rows
        if not row.overtaken and (row.media_id, row.given) in by_hand
    }
    if not undoable:
        raise NotFoundError(
            "The photos of this edit have been credited by hand since, so it is not undone.",
            "Undo the later edit, or credit the photos anew.",
        )
    return undoable


def _say_again(
    connection: Connection, id_: str, before: Sequence[SourceCredit], present: Sequence[SourceCredit]
) -> None:
    """Store again what people said of a record before, and which source counted first, where that still says so."""
    for one in before:
        if one.source is Credit.PERSON:
            row = {"media_id": id_, "source": one.source.value, "name": one.name, "first": one.first}
            connection.execute(insert(credited).values(row))
        elif one.first and replace(one, first=False) in present and not any(other.first for other in present):
            counted = (credited.c.media_id == id_) & (credited.c.source == one.source.value)
            connection.execute(update(credited).where(counted).values(first=True))
