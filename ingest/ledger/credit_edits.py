"""Credits by hand, and of jobs that label, that can be undone: what the sources said of the records before."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update

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


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """What a job has credited and can be undone.

    Attributes:
        job: its id.
        photos: number of records that it credited.
        created: when, in seconds since the epoch.
    """

    job: str
    source: Credit
    photos: int
    created: float


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
            note_edit(connection, edit, kept, self._credits.ledger.now(connection))
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
            _undo(connection, self._credits, edit, undoable)
            self._credits.count_edit(connection)
        return len(undoable)


def note_edit(connection: Connection, edit: str, names: Mapping[str, str], now: float) -> None:
    """Note what the sources say of these records, before ``names`` are credited. What the same edit has noted before
    stays, and edits that are too old are forgotten."""
    connection.execute(delete(credit_edits).where(credit_edits.c.created < now - KEPT_SECONDS))
    of_edit = select(credit_edits.c.media_id).where(credit_edits.c.edit == edit)
    noted = {
        id_
        for ids in chunked(names)
        for id_ in connection.execute(of_edit.where(credit_edits.c.media_id.in_(ids))).scalars()
    }
    names = {id_: given for id_, given in names.items() if id_ not in noted}
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


def label_edit(source: Credit, job: str) -> str:
    """Key of what a job credits by a source; keys of edits by hand hold no dash."""
    return f"{source.value}-{job}"


def label_edits(connection: Connection, limit: int) -> list[LabelEdit]:
    """The latest jobs whose credits can be undone."""
    began = func.min(credit_edits.c.created).label("began")
    by_job = select(credit_edits.c.edit, func.count().label("photos"), began).where(credit_edits.c.edit.like("%-%"))
    rows = connection.execute(by_job.group_by(credit_edits.c.edit).order_by(began.desc()).limit(limit)).all()
    return [LabelEdit(row.edit.rpartition("-")[2], _source_of(row.edit), row.photos, row.began) for row in rows]


def records_of_job(connection: Connection, job: str) -> tuple[str, list[str]]:
    """Key of what a job has credited, and the ids of the records.

    Raises:
        NotFoundError: it credited nothing, or that was undone, or is too old.
    """
    keys = [label_edit(source, job) for source in Credit]
    query = select(credit_edits.c.edit, credit_edits.c.media_id).where(credit_edits.c.edit.in_(keys))
    rows = connection.execute(query.order_by(credit_edits.c.media_id)).all()
    if not rows:
        raise NotFoundError(f"Job {job} has no credits to undo.", "They can be undone once, within 30 days.")
    return rows[0].edit, [row.media_id for row in rows]


def undo_records(connection: Connection, credits_: Credits, edit: str, ids: Collection[str]) -> int:
    """Undo an edit of these records, those left out that the same source has credited since; the number of others.
    The edit is forgotten for all of them."""
    try:
        undoable = _undoable(connection, edit, ids)
    except NotFoundError:
        undoable = {}
    _undo(connection, credits_, edit, undoable)
    for chunk in chunked(ids):
        connection.execute(delete(credit_edits).where(credit_edits.c.edit == edit, credit_edits.c.media_id.in_(chunk)))
    return len(undoable)


def _source_of(edit: str) -> Credit:
    source, dash, _ = edit.rpartition("-")
    return Credit(source) if dash else Credit.PERSON


def _undo(
    connection: Connection, credits_: Credits, edit: str, undoable: Mapping[str, tuple[str, Sequence[SourceCredit]]]
) -> None:
    source, present = _source_of(edit), credits_of(connection, undoable)
    delete_credits(connection, [source], undoable)
    for id_, (_, before) in undoable.items():
        _say_again(connection, source, id_, before, present.get(id_, ()))
    for ids in chunked(undoable):
        undone = (credit_edits.c.edit == edit) & credit_edits.c.media_id.in_(ids)
        connection.execute(delete(credit_edits).where(undone))
    credits_.apply(connection, undoable)


def _undoable(
    connection: Connection, edit: str, ids: Collection[str] | None = None
) -> dict[str, tuple[str, Sequence[SourceCredit]]]:
    """Those records of an edit that nobody has credited by hand since, or the same source has, of a job: id to the name
    that was given, and to what the sources said before.

    Args:
        ids: of these records; None means all.

    Raises:
        NotFoundError: there are none.
    """
    source, later = _source_of(edit), credit_edits.alias()
    by_job = later.c.edit.like(f"{source.value}-%")
    same_source = or_(by_job, later.c.edit.not_like("%-%")) if source is Credit.PERSON else by_job
    overtaken = exists().where(
        and_(later.c.media_id == credit_edits.c.media_id, later.c.created > credit_edits.c.created, same_source)
    )
    columns = credit_edits.c.media_id, credit_edits.c.given, credit_edits.c.before, overtaken.label("overtaken")
    query = select(*columns).where(credit_edits.c.edit == edit)
    rows = connection.execute(query if ids is None else query.where(credit_edits.c.media_id.in_(ids))).all()
    if not rows:
        raise NotFoundError("There is no such edit to undo.", "An edit can be undone once, within 30 days.")
    said_now = {
        (id_, one.name)
        for id_, said in credits_of(connection, [row.media_id for row in rows]).items()
        for one in said
        if one.source is source
    }
    undoable: dict[str, tuple[str, Sequence[SourceCredit]]] = {
        row.media_id: (row.given, [SourceCredit(Credit(of), *rest) for of, *rest in json.loads(row.before)])
        for row in rows
        if not row.overtaken and (row.media_id, row.given) in said_now
    }
    if not undoable:
        raise NotFoundError(
            "The photos of this edit have been credited by hand since, so it is not undone.",
            "Undo the later edit, or credit the photos anew.",
        )
    return undoable


def _say_again(
    connection: Connection,
    source: Credit,
    id_: str,
    before: Sequence[SourceCredit],
    present: Sequence[SourceCredit],
) -> None:
    """Store again what a source said of a record before, and which source counted first, where that still says so."""
    for one in before:
        if one.source is source:
            row = {"media_id": id_, "source": one.source.value, "name": one.name, "first": one.first}
            connection.execute(insert(credited).values(row))
        elif one.first and replace(one, first=False) in present and not any(other.first for other in present):
            counted = (credited.c.media_id == id_) & (credited.c.source == one.source.value)
            connection.execute(update(credited).where(counted).values(first=True))
