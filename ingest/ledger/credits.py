"""Whose work a record is: what people and files say, which of it counts, and writing that into the store.

What was said is kept in the ledger, source by source, so that nothing of it is lost when a file is read again or a
record comes back. A record's ``photographer`` and ``credit`` follow from it, from the ``artist`` that the file names,
and from the renames. As in ``ingest.plan.store_records`` the store is edited within the ledger's transaction, one
writer at a time; killed in between, the same edit is found again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, exists, insert, or_, select, update

from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import credited, files, meta, renames
from search.errors import NotFoundError, UsageError
from search.media import MediaRecord, Payload
from search.photographers.answers import Credit
from search.photographers.photos.names import clean_name, given_name
from search.store.base import Store
from search.store.filters import Filter

RANK = (Credit.PERSON, Credit.CSV, Credit.FOLDER, Credit.EXIF, Credit.KMEANS)
"""Which source counts when several name somebody: the one that comes first, unless one was put ``first``."""

EDITS = "credit_edits"
"""Key in ``meta``."""

PAGE = 256
_UNKEPT = re.compile("[\0\ud800-\udfff]")
"""Characters that no database or store takes, so that nobody is called so: lone surrogates are what is left of bytes
that are no UTF-8."""

_KEYS = ("id", "kind", "paths", "tags", "photographer", "credit", "artist", "camera", "lens", "words")
_NEEDED = frozenset({"id", "kind", "paths"})


@dataclass(frozen=True, slots=True)
class Said:
    """One source's word on one record. An empty ``name`` says that it is nobody's."""

    source: Credit
    name: str
    first: bool = False


def counting(said: Iterable[Said], artist: str | None) -> Said | None:
    """Whose word counts, that of the file included.

    Args:
        artist: what the file says, as it says it.
    """
    all_said = list(said)
    name = clean_name(artist)
    if name is not None and all(one.source is not Credit.EXIF for one in all_said):
        all_said.append(Said(Credit.EXIF, name))
    return min(all_said, key=lambda one: (not one.first, RANK.index(one.source)), default=None)


def note(connection: Connection, source: Credit, names: Mapping[str, str], *, first: bool = False) -> None:
    """Note what a source says of these records, in place of what it said before.

    Args:
        names: id to name.
        first: let it count before every other source. A person's word always does, as the latest.
    """
    for chunk in chunked(names):
        connection.execute(delete(credited).where(credited.c.media_id.in_(chunk), credited.c.source == source.value))
        if first or source is Credit.PERSON:
            connection.execute(
                update(credited).where(credited.c.media_id.in_(chunk), credited.c.first).values(first=False)
            )
        connection.execute(
            insert(credited),
            [{"media_id": id_, "source": source.value, "name": names[id_], "first": first} for id_ in chunk],
        )


def take_back(connection: Connection, sources: Collection[Credit], ids: Iterable[str]) -> None:
    """Take back what these sources said of these records."""
    for chunk in chunked(ids):
        wanted = credited.c.source.in_([source.value for source in sources])
        connection.execute(delete(credited).where(wanted, credited.c.media_id.in_(chunk)))


def said_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[Said]]:
    """What is noted of records, by id; those that nothing is noted of are left out."""
    found: dict[str, list[Said]] = {}
    for chunk in chunked(ids):
        for id_, source, name, first in connection.execute(select(credited).where(credited.c.media_id.in_(chunk))):
            found.setdefault(id_, []).append(Said(Credit(source), name, first))
    return found


def aliases(connection: Connection) -> dict[str, str]:
    """What everybody who was renamed is called now."""
    return {row.old: row.new for row in connection.execute(select(renames))}


def rename(connection: Connection, old: str, new: str) -> frozenset[str]:
    """Let whoever is or will be credited as ``old`` be called ``new``, and be the same as anybody called so already.

    ``new`` equal to ``old`` undoes that: whoever is credited by this very name is called so again.

    Returns:
        The names under which photos may stand that now have to be looked at.
    """
    known = aliases(connection)
    before = frozenset({old, known.get(old, old)})
    connection.execute(delete(renames).where(renames.c.old == old))
    if new == old:
        return before
    if known.get(new, old) == old:  # back to the name of before
        connection.execute(delete(renames).where(renames.c.old == new))
    else:
        new = known[new]
    # One step is always enough: whoever was called ``old`` until now is called ``new``.
    connection.execute(update(renames).where(renames.c.new == old).values(new=new))
    connection.execute(insert(renames).values(old=old, new=new))
    return before


def settle_names(connection: Connection, source: Credit, names: Iterable[str]) -> None:
    """Let these names be new ones, though somebody who had one of them by this source was renamed: what was noted of
    those records is noted under the name that they go by."""
    for chunk in chunked(sorted(names)):
        for old, new in connection.execute(select(renames).where(renames.c.old.in_(chunk))).all():
            known = (credited.c.source == source.value) & (credited.c.name == old)
            connection.execute(update(credited).where(known).values(name=new))
            connection.execute(delete(renames).where(renames.c.old == old))


def edits(connection: Connection) -> int:
    """How often people have credited or renamed at once, beside what jobs have done: unlike before, credits have
    changed."""
    value = connection.execute(select(meta.c.value).where(meta.c.key == EDITS)).scalar()
    return int(value or 0)


def _count_edit(connection: Connection) -> None:
    number = edits(connection)
    if number:
        connection.execute(update(meta).where(meta.c.key == EDITS).values(value=str(number + 1)))
    else:
        connection.execute(insert(meta).values(key=EDITS, value="1"))


class Credits:
    """The credits of one store's records.

    Attributes:
        ledger: where what was said is kept.
    """

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self.ledger, self._store = ledger, store

    def apply(self, connection: Connection, ids: Collection[str]) -> dict[str, Said | None]:
        """Bring records in step with what is said of them; only what differs is written.

        Returns:
            What counts for each record that there is, under the name it goes by.
        """
        said, called = said_of(connection, ids), aliases(connection)
        found: dict[str, Said | None] = {}
        for collection in self._store.collections():
            patches: dict[str, Payload] = {}
            for point in self._store.retrieve(collection, list(ids), payload=_KEYS):
                if not point.payload.keys() >= _NEEDED:
                    continue  # half a record, which is about to be swept or written anew
                counts = counting(said.get(point.id, ()), artist_of(point.payload))
                if counts is not None:
                    counts = replace(counts, name=called.get(counts.name, counts.name))
                found[point.id] = counts
                if patch := _patch(point.payload, counts):
                    patches[point.id] = patch
            if patches:
                self._store.patch_payload(collection, patches)
        return found

    def apply_to_all(self, ids: Iterable[str]) -> None:
        """As :meth:`apply`, page by page, each in a transaction of its own."""
        for page in chunked(ids, PAGE):
            with self.ledger.write() as connection:
                self.apply(connection, page)

    def settle(self) -> None:
        """As :meth:`apply`, of every record that somebody has said something of or that stands under a name of before.
        For work that writes records anew while people go on saying things."""
        last = ""
        while True:
            query = select(credited.c.media_id).where(credited.c.media_id > last).distinct()
            with self.ledger.write() as connection:
                ids = list(connection.execute(query.order_by(credited.c.media_id).limit(PAGE)).scalars())
                self.apply(connection, ids)
            if not ids:
                break
            last = ids[-1]
        with self.ledger.read() as connection:
            names = aliases(connection)
        self.apply_to_all(self.called(names))

    def touched(self, connection: Connection, job: int) -> list[str]:
        """Records that a job has written and whose credit may therefore have been lost; none while nobody has labelled
        or renamed anything."""
        labelled, called = connection.execute(
            select(exists(select(credited.c.source)), exists(select(renames.c.old)))
        ).one()
        found: set[str] = set()
        if labelled:
            query = (
                select(files.c.media_id)
                .join(credited, credited.c.media_id == files.c.media_id)
                .where(files.c.job == job)
            )
            found.update(connection.execute(query.distinct()).scalars())
        if called:
            found.update(self.called(aliases(connection)))
        return sorted(found)

    def called(self, names: Iterable[str]) -> list[str]:
        """Records that stand under one of these names, missing ones among them."""
        where = Filter(photographers=tuple(names), include_missing=True)
        if not where.photographers:
            return []
        return [
            point.id
            for collection in self._store.collections()
            for point in self._store.scroll(collection, where=where, payload=False)
        ]

    def by_hand(self, ids: Collection[str], name: str | None) -> None:
        """A person says whose work some records are, at once. For more than a page of them there is the task ``label``.

        Args:
            name: None says that it is nobody's whose name is known, whatever the file says.

        Raises:
            UsageError: the name names nobody.
            NotFoundError: one of the ids is not in the store.
        """
        with self.ledger.write() as connection:
            there = {
                point.id
                for collection in self._store.collections()
                for point in self._store.retrieve(collection, list(ids), payload=False)
            }
            if strange := sorted(set(ids) - there):
                raise NotFoundError(f"Nothing is stored under the id '{strange[0]}'.")
            note(connection, Credit.PERSON, dict.fromkeys(ids, "" if name is None else checked_name(name)))
            self.apply(connection, ids)
            _count_edit(connection)

    def rename(self, old: str, new: str) -> int:
        """See :func:`rename`; the number of records looked at.

        Raises:
            UsageError: the new name names nobody.
            NotFoundError: nobody is or was credited as ``old``.
        """
        new = old if new == old else checked_name(new)
        with self.ledger.write() as connection:
            if _UNKEPT.search(old) or not self._is_known(connection, old):
                raise NotFoundError(f"There is no photographer '{old}'.")
            names = rename(connection, old, new)
        ids = self.called(names)
        self.apply_to_all(ids)
        with self.ledger.write() as connection:
            _count_edit(connection)
        return len(ids)

    def _is_known(self, connection: Connection, name: str) -> bool:
        query = select(renames.c.old).where(or_(renames.c.old == name, renames.c.new == name)).limit(1)
        if connection.execute(query).first() is not None:
            return True
        where = Filter(photographers=(name,), include_missing=True)
        return any(self._store.count(collection, where) for collection in self._store.collections())


def checked_name(name: str) -> str:
    """A name that a person gave, as it is kept.

    Raises:
        UsageError: it names nobody.
    """
    kept = given_name(name)
    if kept is None:
        raise UsageError(f"'{name}' is no photographer's name.", "To take a credit away, say so instead: none.")
    return kept


def artist_of(payload: Payload) -> str | None:
    """What the file says. Records of older versions hold only ``photographer``, which was just that."""
    if "artist" in payload or "credit" in payload:
        return payload.get("artist")
    return payload.get("photographer")


def _patch(payload: Payload, counts: Said | None) -> Payload:
    """The keys that differ; empty when the record is right already."""
    name = counts.name or None if counts else None
    wanted: Payload = {
        "photographer": name,
        "credit": counts.source.value if counts else None,
        "artist": artist_of(payload),
    }
    wanted["words"] = replace(MediaRecord.from_payload(payload), photographer=name).words
    return {key: value for key, value in wanted.items() if payload.get(key) != value}
