"""Credits of records: what each source says, which one counts, and writing that into the store.

The ledger keeps what every source says, so that nothing is lost when a file is read again or a record comes back. The
payload keys ``photographer`` and ``credit`` follow from that, from the ``artist`` that the file names, and from the
renames. As in ``ingest.plan.store_records``, the store is edited within the ledger's transaction: when the process is
killed in between, the next run finds the same edit again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, exists, insert, or_, select, update

from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import credited, files, meta, renames, told_facts
from ingest.ledger.told_facts import KEYS, Told, told_ids, told_of, told_patch
from search.errors import NotFoundError, UsageError
from search.media import Credit, Kind, Payload
from search.photographers.photos.names import clean_name, credited_name, given_name
from search.records.lookup import not_stored
from search.store.base import Store, StoredPoint
from search.store.filters import Filter

RANK = (Credit.PERSON, Credit.CSV, Credit.FOLDER, Credit.EXIF, Credit.KMEANS)
"""Sources in order of precedence: of several that name a photographer the first counts, unless one is ``first``."""

EDITS = "credit_edits"
"""Key in table ``meta`` of the number of edits by hand."""

PAGE = 256
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no database or store takes, so that no name holds them: lone surrogates come from bytes that are not
UTF-8."""

_KEYS = ("id", "kind", "paths", "tags", "photographer", "credit", "artist", "camera", "lens", "words", *KEYS)
_NEEDED = frozenset({"id", "kind", "paths"})


@dataclass(frozen=True, slots=True)
class SourceCredit:
    """The credit that one source gives one record. An empty ``name`` says that the photographer is unknown."""

    source: Credit
    name: str
    first: bool = False


def effective_credit(stored: Iterable[SourceCredit], artist: str | None) -> SourceCredit | None:
    """The credit that counts, that of the file included; None when no source gives one.

    Args:
        stored: credits of the ledger.
        artist: what the file names.
    """
    candidates = list(stored)
    name = clean_name(artist)
    if name is not None and all(one.source is not Credit.EXIF for one in candidates):
        candidates.append(SourceCredit(Credit.EXIF, name))
    return min(candidates, key=lambda one: (not one.first, RANK.index(one.source)), default=None)


def store_credits(connection: Connection, source: Credit, names: Mapping[str, str], *, first: bool = False) -> None:
    """Store the credits that a source gives these records, in place of its former ones.

    Args:
        names: id to name.
        first: let them count before every other source. Credits by hand always do, as the latest.
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


def delete_credits(connection: Connection, sources: Collection[Credit], ids: Iterable[str]) -> None:
    """Delete the credits that these sources give these records."""
    for chunk in chunked(ids):
        wanted = credited.c.source.in_([source.value for source in sources])
        connection.execute(delete(credited).where(wanted, credited.c.media_id.in_(chunk)))


def credits_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[SourceCredit]]:
    """The stored credits of records, by id; records without any are left out."""
    found: dict[str, list[SourceCredit]] = {}
    for chunk in chunked(ids):
        for id_, source, name, first in connection.execute(select(credited).where(credited.c.media_id.in_(chunk))):
            found.setdefault(id_, []).append(SourceCredit(Credit(source), name, first))
    return found


def aliases(connection: Connection) -> dict[str, str]:
    """Former names of photographers, each with the present name."""
    return {row.old: row.new for row in connection.execute(select(renames))}


def rename(connection: Connection, old: str, new: str) -> frozenset[str]:
    """Let the photographer who is or will be credited as ``old`` be called ``new``; one called so already is the same.

    ``new`` equal to ``old`` undoes a rename: credits by this very name go by it again.

    Returns:
        The names whose records have to be updated now.
    """
    known = aliases(connection)
    before = frozenset({old, known.get(old, old)})
    connection.execute(delete(renames).where(renames.c.old == old))
    if new == old:
        return before
    if known.get(new, old) == old:  # back to the former name
        connection.execute(delete(renames).where(renames.c.old == new))
    else:
        new = known[new]
    # One step is always enough: every name that led to ``old`` now leads to ``new``.
    connection.execute(update(renames).where(renames.c.new == old).values(new=new))
    connection.execute(insert(renames).values(old=old, new=new))
    return before


def reuse_names(connection: Connection, source: Credit, names: Iterable[str]) -> None:
    """Make these names free for new photographers, though a photographer whom this source called so was renamed: the
    credits that led to the rename are stored under the present name."""
    for chunk in chunked(sorted(names)):
        for old, new in connection.execute(select(renames).where(renames.c.old.in_(chunk))).all():
            known = (credited.c.source == source.value) & (credited.c.name == old)
            connection.execute(update(credited).where(known).values(name=new))
            connection.execute(delete(renames).where(renames.c.old == old))


def edit_count(connection: Connection) -> int:
    """How many times people have credited or renamed by hand, outside jobs: a change says that credits have changed."""
    value = connection.execute(select(meta.c.value).where(meta.c.key == EDITS)).scalar()
    return int(value or 0)


class Credits:
    """The credits of one store's records.

    Attributes:
        ledger: keeps the credits of every source.
    """

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self.ledger, self._store = ledger, store

    def apply(self, connection: Connection, ids: Collection[str]) -> dict[str, SourceCredit | None]:
        """Write what counts into the payloads of these records; only differences are written.

        Returns:
            The credit that counts for each record in the store, under the photographer's present name.
        """
        found: dict[str, SourceCredit | None] = {}
        for collection in self._store.collections():
            points = self._store.retrieve(collection, list(ids), payload=_KEYS)
            counting = self._counting(connection, points)
            patches = _patches(connection, points, counting)
            if patches:
                self._store.patch_payload(collection, patches)
            found |= counting
        return found

    def changes(self, connection: Connection, points: Sequence[StoredPoint]) -> dict[str, Payload]:
        """What :meth:`apply` would write into the payloads of these points, by id."""
        return _patches(connection, points, self._counting(connection, points))

    def _counting(self, connection: Connection, points: Sequence[StoredPoint]) -> dict[str, SourceCredit | None]:
        """The credit that counts for each record, under the photographer's present name. Incomplete records, which are
        about to be swept or rewritten, are left out."""
        stored, renamed = credits_of(connection, [point.id for point in points]), aliases(connection)
        found: dict[str, SourceCredit | None] = {}
        for point in points:
            if point.payload.keys() >= _NEEDED:
                credit = effective_credit(stored.get(point.id, ()), credited_name_of(point.payload))
                found[point.id] = credit and replace(credit, name=renamed.get(credit.name, credit.name))
        return found

    def apply_in_pages(self, ids: Iterable[str]) -> None:
        """As :meth:`apply`, page by page, each in its own transaction."""
        for page in chunked(ids, PAGE):
            with self.ledger.write() as connection:
                self.apply(connection, page)

    def apply_to_credited(self) -> None:
        """As :meth:`apply`, for every record with a stored credit, a former name or a told fact: after work that
        rewrites records while people may credit them."""
        self._apply_to_told()
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
        self.apply_in_pages(self.credited_as(names))

    def _apply_to_told(self) -> None:
        last = ""
        while True:
            with self.ledger.write() as connection:
                ids = told_ids(connection, last, PAGE)
                self.apply(connection, ids)
            if not ids:
                return
            last = ids[-1]

    def rewritten_by(self, connection: Connection, job: int) -> list[str]:
        """Ids of records that a job has rewritten and that may have lost their credit or what was told of them; none
        when the ledger holds no credits, no renames and no told facts."""
        *noted, renamed = connection.execute(
            select(exists(select(credited.c.source)), exists(select(told_facts.c.fact)), exists(select(renames.c.old)))
        ).one()
        found: set[str] = set()
        for table, any_ in zip((credited, told_facts), noted, strict=True):
            if any_:
                query = select(files.c.media_id).join(table, table.c.media_id == files.c.media_id)
                found.update(connection.execute(query.where(files.c.job == job).distinct()).scalars())
        if renamed:
            found.update(self.credited_as(aliases(connection)))
        return sorted(found)

    def credited_as(self, names: Iterable[str]) -> list[str]:
        """Ids of records credited to one of these names, missing ones included."""
        where = Filter(photographers=tuple(names), include_missing=True)
        if not where.photographers:
            return []
        return [
            point.id
            for collection in self._store.collections()
            for point in self._store.scroll(collection, where=where, payload=False)
        ]

    def by_hand(self, ids: Collection[str], name: str | None) -> None:
        """Credit records by hand, at once. For more than a page of them there is the job kind ``label``.

        Args:
            name: None says that the photographer is unknown, whatever the file says.

        Raises:
            UsageError: the name is not the name of a person.
            NotFoundError: one of the ids is not in the store.
        """
        with self.ledger.write() as connection:
            self.check_stored(ids)
            store_credits(connection, Credit.PERSON, dict.fromkeys(ids, "" if name is None else checked_name(name)))
            self.apply(connection, ids)
            self.count_edit(connection)

    def check_stored(self, ids: Collection[str]) -> None:
        """
        Raises:
            NotFoundError: one of the ids is not in the store.
        """
        stored = {
            point.id
            for collection in self._store.collections()
            for point in self._store.retrieve(collection, list(ids), payload=False)
        }
        if unknown := sorted(set(ids) - stored):
            raise not_stored(unknown[0])

    @staticmethod
    def count_edit(connection: Connection) -> None:
        """Note that people have edited outside jobs, by which caches see that credits have changed."""
        number = edit_count(connection)
        if number:
            connection.execute(update(meta).where(meta.c.key == EDITS).values(value=str(number + 1)))
        else:
            connection.execute(insert(meta).values(key=EDITS, value="1"))

    def rename(self, old: str, new: str) -> int:
        """Rename a photographer, see :func:`rename`; the number of records that were checked.

        Raises:
            UsageError: the new name is not the name of a person.
            NotFoundError: nobody is or was credited as ``old``.
        """
        old = unicodedata.normalize("NFC", old)  # as every name is kept
        new = old if unicodedata.normalize("NFC", new) == old else checked_name(new)
        with self.ledger.write() as connection:
            if _UNSTORABLE.search(old) or not self._is_known(connection, old):
                raise NotFoundError(f"There is no photographer '{old}'.")
            names = rename(connection, old, new)
        ids = self.credited_as(names)
        self.apply_in_pages(ids)
        with self.ledger.write() as connection:
            self.count_edit(connection)
        return len(ids)

    def _is_known(self, connection: Connection, name: str) -> bool:
        query = select(renames.c.old).where(or_(renames.c.old == name, renames.c.new == name)).limit(1)
        if connection.execute(query).first() is not None:
            return True
        where = Filter(photographers=(name,), include_missing=True)
        return any(self._store.count(collection, where) for collection in self._store.collections())


def checked_name(name: str) -> str:
    """A name that a person gave, normalised as it is stored.

    Raises:
        UsageError: it is not the name of a person.
    """
    kept = given_name(name)
    if kept is None:
        raise UsageError(f"'{name}' is no photographer's name.", "To take a credit away, say so instead: none.")
    return kept


def artist_of(payload: Payload) -> str | None:
    """The artist that the file names. Records of older versions hold only ``photographer``, which was the same."""
    if "artist" in payload or "credit" in payload:
        return payload.get("artist")
    return payload.get("photographer")


def credited_name_of(payload: Payload) -> str | None:
    """The photographer whom the file names."""
    return credited_name(Kind(payload["kind"]), artist_of(payload))


def _patches(
    connection: Connection, points: Sequence[StoredPoint], counting: Mapping[str, SourceCredit | None]
) -> dict[str, Payload]:
    """The payload keys that differ, by id; records that are up to date are left out."""
    told = told_of(connection, counting)
    patches = {
        point.id: _patch(point.payload, counting[point.id], told.get(point.id, {}))
        for point in points
        if point.id in counting
    }
    return {id_: patch for id_, patch in patches.items() if patch}


def _patch(payload: Payload, credit: SourceCredit | None, told: Told) -> Payload:
    """The payload keys that differ; empty when the record is up to date."""
    record, facts = told_patch(payload, told)
    name = credit.name or None if credit else None
    wanted: Payload = {
        "photographer": name,
        "credit": credit.source.value if credit else None,
        "artist": artist_of(payload),
    }
    wanted["words"] = replace(record, photographer=name).words
    return facts | {key: value for key, value in wanted.items() if payload.get(key) != value}
