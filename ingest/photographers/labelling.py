"""Job task ``label``: credit media to photographers, by files, folders, a table, groups or a person.

Running it again changes nothing that is done: a job that was cut off notes the same credits and finds nothing to edit.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from sqlalchemy import Connection, distinct, func, select

from ingest.jobs.kinds import ALL_CREDITS, NO_CREDIT, LabelOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.credit_edits import label_edit, note_edit, records_of_job, undo_records
from ingest.ledger.credits import (
    PAGE,
    RANK,
    Credits,
    SourceCredit,
    checked_name,
    credited_name_of,
    credits_of,
    delete_credits,
    reuse_names,
    store_credits,
)
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.libraries import LibraryMap
from ingest.ledger.tables import credited, files
from ingest.photographers.table_matching import in_scope, match_table
from ingest.photographers.tally import Tally
from search import addresses
from search.errors import NotFoundError, UsageError
from search.media import Credit, spellings
from search.photographers.photos.labels import (
    GROUPS,
    folder_name,
    group_number,
    pseudo_photographers,
    read_table,
)
from search.store.base import Store
from search.store.filters import Filter

LATER = "Files that are imported later go by what they say themselves, until this is done again."


class LabelJob(Protocol):
    """What labelling needs of the job that runs it; see :class:`ingest.jobs.tasks.TaskRun`."""

    @property
    def id(self) -> str: ...
    def begin(self, total: int, *, done: int = 0) -> None: ...
    def say(self, message: str) -> None: ...
    def goes_on(self) -> bool: ...


class Label:
    """The task ``label``, see :mod:`ingest.photographers.labelling`."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def check(self, options: LabelOptions) -> str:
        """Check the options; the job's title.

        Raises:
            UsageError: an option is missing or invalid, or the table cannot be read.
            NotFoundError: no file at or below ``path`` has been ingested.
        """
        source = options.source
        folder = self.folder(options)
        if source == Credit.CSV:
            read_table(options.table.encode())
        elif source == Credit.PERSON:
            if not options.ids:
                raise UsageError("It does not say which photos.", "Name their ids.")
            if options.name:
                checked_name(options.name)
        elif source == NO_CREDIT and options.undo:
            with self._ledger.read() as connection:
                records_of_job(connection, options.undo)
            return f"undo of job {options.undo}"
        elif source == NO_CREDIT:
            _taken_back(options)
        place = f" in {folder}" if folder else ""
        return f"photographers from {source}{place}" if source != NO_CREDIT else f"no {options.of} credits{place}"

    def run(self, options: LabelOptions, job: TaskRun) -> str:
        """Credit records, or delete credits.

        Raises:
            LikewiseError: it could not continue; credits that are stored stay.
        """
        work = Labelling(self._store, self._ledger, options, self.folder(options), job)
        for done, skipped in work.steps():
            job.count(done=done, skipped=skipped)
            if not job.goes_on():
                break
        if not job.goes_on():
            return "What is credited stays; the same again goes on from there."
        wrong = len(work.tally.wrong)
        job.count(failed=wrong, total=wrong)
        return work.tally.message()

    def folder(self, options: LabelOptions) -> str | None:
        """The folder that ``path`` means, as its files are known; None for everything.

        Raises:
            NotFoundError: no file at or below it has been imported.
        """
        if not options.path:
            return None
        folder = addresses.absolute(options.path)
        if not addresses.is_remote(folder) and "\0" not in folder:
            folder = os.path.realpath(folder)  # the spelling of ingested paths, see ``ingest.scan.sources``
        with self._ledger.read() as connection:
            for spelt in spellings(folder):
                if connection.execute(select(files.c.path).where(in_scope(spelt)).limit(1)).first() is not None:
                    return spelt
        raise NotFoundError(f"Nothing in '{folder}' has been imported.", "`likewise ingest` does that first.")


class Labelling:
    """One run of a job.

    Args:
        folder: only records at or below it; None means all.
    """

    def __init__(self, store: Store, ledger: Ledger, options: LabelOptions, folder: str | None, job: LabelJob) -> None:
        self._store, self._ledger, self._options, self._folder, self._job = store, ledger, options, folder, job
        self._credits = Credits(ledger, store)
        self._overwrite = options.overwrite
        self.tally = Tally()

    def steps(self) -> Iterator[tuple[int, int]]:
        """Do the work; yields, for each page, how many records were credited and how many left unchanged."""
        if self._options.source == NO_CREDIT:
            self.tally.nothing = "Nothing was credited by that, so nothing is taken back."
            if self._options.undo:
                yield from self._undo(self._options.undo)
                return
            yield from self._take_back(_taken_back(self._options))
            return
        source = Credit(self._options.source)
        if source is Credit.EXIF:
            yield from self._read_again()
            return
        if source is not Credit.PERSON:
            self.tally.notes.append(LATER)
        for names, left in self._named(source):
            with self._ledger.write() as connection:
                self._note(connection, source, names)
                store_credits(connection, source, names, first=self._overwrite)
                found = self._credits.apply(connection, list(names))
            done = self._count(source, found)
            absent = len(names) - len(found)
            self._leave("are not in the store just now", absent)
            yield done, len(names) - done + left

    def proposals(self, source: Credit) -> Iterator[dict[str, str]]:
        """What a source says, id to name, a page of records at a time; the tally tells of whom it says nothing."""
        if source is Credit.EXIF:
            for ids in self._pages():
                names = {id_: name for id_, name in self._artists(ids).items() if name}
                self._leave("name nobody", len(ids) - len(names))
                yield names
            return
        for names, _ in self._named(source):
            yield names

    def _named(self, source: Credit) -> Iterator[tuple[dict[str, str], int]]:
        return {
            Credit.FOLDER: self._by_folder,
            Credit.CSV: self._by_table,
            Credit.KMEANS: self._by_likeness,
            Credit.PERSON: self._by_hand,
        }[source]()

    def _by_folder(self) -> Iterator[tuple[dict[str, str], int]]:
        depth = self._options.depth
        self._job.begin(self._in_scope())
        with self._ledger.read() as connection:
            library = LibraryMap(connection)
        for ids in self._pages():
            with self._ledger.read() as connection:
                query = select(files.c.media_id, files.c.path).where(in_scope(self._folder), files.c.media_id.in_(ids))
                rows = connection.execute(query).all()
            found: dict[str, set[str | None]] = {}
            for id_, path in rows:
                root = self._folder or library.root_of(path)
                found.setdefault(id_, set()).add(folder_name(path, _folder_of(root, path), depth))
            names: dict[str, str] = {}
            for id_, folder_names in found.items():
                given = [name for name in folder_names if name is not None]
                if len(given) == 1:
                    names[id_] = given[0]
                else:
                    self._leave(f"lie in folders {'of several names' if given else 'that name nobody'}")
            yield names, len(found) - len(names)

    def _by_table(self) -> Iterator[tuple[dict[str, str], int]]:
        table = read_table(self._options.table.encode())
        self._job.say("Looking up what the lines of the table mean.")
        found = match_table(self._ledger, table.lines, self._options.base, self._job.goes_on)
        if found is None:
            return
        self.tally.wrong = [sentence for _, sentence in sorted({**table.wrong, **found.unmatched}.items())]
        if found.overruled:
            self.tally.notes.append(
                f"{found.overruled:,} are named differently by several lines: a path counted more than a folder or a "
                "pattern, and a later line more than an earlier one."
            )
        self._job.say("")
        self._job.begin(len(found.names))
        self._leave("are not in the table", self._in_scope() - len(found.names))
        for page in chunked(found.names, PAGE):
            yield {id_: found.names[id_] for id_ in page}, 0

    def _by_likeness(self) -> Iterator[tuple[dict[str, str], int]]:
        # Imported here: only this source reads whole libraries into arrays.
        from search.photographers.photos.dataset import read_photos
        from search.photographers.photos.features import GLOBAL, PICTURE_ONLY

        photos = read_photos(self._store, Filter(path_prefix=self._folder))
        free = [
            at
            for at, (name, credit) in enumerate(zip(photos.names, photos.credits, strict=True))
            if self._overwrite or name is None or credit == Credit.KMEANS
        ]
        self._job.begin(len(photos))
        self._leave("have a real credit, which groups of alike photos do not replace", len(photos) - len(free))
        yield {}, len(photos) - len(free)
        columns = GLOBAL if self._options.features == "global" else PICTURE_ONLY
        features = photos.features[free][:, list(columns)]
        count, seed = self._options.groups or GROUPS, self._options.seed
        others = self._groups_elsewhere({photos.ids[at] for at in free}) if self._folder else 0
        groups = pseudo_photographers(features, count, seed, others)
        names = {photos.ids[at]: group for at, group in zip(free, groups, strict=True) if group is not None}
        with self._ledger.write() as connection:
            reuse_names(connection, Credit.KMEANS, set(names.values()))
        self._leave("have no features yet", len(free) - len(names))
        yield {}, len(free) - len(names)
        self.tally.notes.append(
            "Groups are made of alike pictures, so a classifier that is trained on them only seems to be right."
        )
        for page in chunked(names, PAGE):
            yield {id_: names[id_] for id_ in page}, 0

    def _groups_elsewhere(self, ids: Collection[str]) -> int:
        """The highest number of a group of photos other than these."""
        query = select(credited.c.media_id, credited.c.name).where(credited.c.source == Credit.KMEANS.value)
        with self._ledger.read() as connection:
            rows = connection.execute(query)
            return max((group_number(name) for id_, name in rows if id_ not in ids), default=0)

    def _by_hand(self) -> Iterator[tuple[dict[str, str], int]]:
        ids = list(dict.fromkeys(id_.strip() for id_ in self._options.ids if id_.strip()))
        name = checked_name(self._options.name) if self._options.name else ""
        self._job.begin(len(ids))
        for page in chunked(ids, PAGE):
            yield dict.fromkeys(self._stored(page), name), 0

    def _read_again(self) -> Iterator[tuple[int, int]]:
        """Apply the credits that files contain, which are in the store already."""
        self._job.begin(self._in_scope())
        for ids in self._pages():
            with self._ledger.write() as connection:
                if self._overwrite:
                    artists = self._artists(ids)
                    self._note(connection, Credit.EXIF, artists)
                    store_credits(connection, Credit.EXIF, artists, first=True)
                found = self._credits.apply(connection, ids)
            done = self._count(Credit.EXIF, found)
            self._leave("name nobody", sum(credit is None for credit in found.values()))
            yield done, len(ids) - done

    def _take_back(self, sources: tuple[Credit, ...]) -> Iterator[tuple[int, int]]:
        self._job.begin(self._in_scope())
        for ids in self._pages():
            with self._ledger.write() as connection:
                before = credits_of(connection, ids)
                had = [id_ for id_, credit in before.items() if any(one.source in sources for one in credit)]
                delete_credits(connection, sources, had)
                found = self._credits.apply(connection, had)
            self.tally.taken_back += len(had)
            self._count(None, {id_: credit for id_, credit in found.items() if credit is not None})
            yield len(had), len(ids) - len(had)

    def _note(self, connection: Connection, source: Credit, names: Mapping[str, str]) -> None:
        note_edit(connection, label_edit(source, self._job.id), names, self._ledger.now(connection))

    def _undo(self, job: str) -> Iterator[tuple[int, int]]:
        """Take back what a job has credited: what the source said before counts again."""
        with self._ledger.read() as connection:
            edit, every = records_of_job(connection, job)
        self._job.begin(len(every))
        for ids in chunked(every, PAGE):
            with self._ledger.write() as connection:
                undone = undo_records(connection, self._credits, edit, ids)
            self.tally.taken_back += undone
            yield undone, len(ids) - undone

    def _count(self, source: Credit | None, found: Mapping[str, SourceCredit | None]) -> int:
        """Add to the tally the credits that count now; how many of them are of ``source``."""
        mine = [credit for credit in found.values() if credit is not None and credit.source is source]
        self.tally.credited.update(credit.name for credit in mine)
        self.tally.kept.update(
            credit.source.value for credit in found.values() if credit is not None and credit.source is not source
        )
        return len(mine)

    def _leave(self, why: str, count: int = 1) -> None:
        if count > 0:
            self.tally.untouched[why] += count

    def _in_scope(self) -> int:
        with self._ledger.read() as connection:
            query = select(func.count(distinct(files.c.media_id))).where(in_scope(self._folder))
            return int(connection.execute(query).scalar_one())

    def _pages(self) -> Iterator[list[str]]:
        """Ids of all records in scope, in order, a page at a time."""
        last = ""
        while True:
            query = select(files.c.media_id).where(in_scope(self._folder), files.c.media_id > last).distinct()
            with self._ledger.read() as connection:
                ids = list(connection.execute(query.order_by(files.c.media_id).limit(PAGE)).scalars())
            if not ids:
                return
            yield ids
            last = ids[-1]

    def _stored(self, ids: list[str]) -> list[str]:
        return [
            point.id
            for collection in self._store.collections()
            for point in self._store.retrieve(collection, ids, payload=False)
        ]

    def _artists(self, ids: list[str]) -> dict[str, str]:
        found = {
            point.id: credited_name_of(point.payload)
            for collection in self._store.collections()
            for point in self._store.retrieve(collection, ids, payload=("kind", "artist", "credit", "photographer"))
        }
        return {id_: name for id_, name in found.items() if name is not None}


def _taken_back(options: LabelOptions) -> tuple[Credit, ...]:
    """The sources whose credits are deleted.

    Raises:
        UsageError: ``of`` is empty.
    """
    if not options.of:
        raise UsageError(
            "It does not say which credits to take back.", f"Choose one of {', '.join(RANK)}, {ALL_CREDITS}."
        )
    return RANK if options.of == ALL_CREDITS else (Credit(options.of),)


def _folder_of(root: str, path: str) -> str:
    """The root, or the folder of a root that is a single file."""
    return addresses.parent(path) or root if root == path else root
