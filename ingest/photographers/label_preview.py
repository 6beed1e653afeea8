"""What a job that labels would change, without changing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.jobs.kinds import LabelOptions
from ingest.ledger.credits import SourceCredit, aliases, credited_name_of, credits_of, effective_credit
from ingest.ledger.database import Ledger
from ingest.photographers.labelling import Label, Labelling
from search.errors import UsageError
from search.media import Credit
from search.store.base import Store, StoredPoint

SHOWN_NAMES = 500
"""Photographers that a preview lists, those with most photos first; all are counted."""

SHOWN_LINES = 50
"""Unusable lines of a table that it lists."""

_KEYS = ("kind", "artist", "credit", "photographer")


@dataclass(frozen=True, slots=True)
class NamedPhotos:
    """A photographer whom a source names, and of how many photos; ``known`` where photos are credited to them now."""

    name: str
    photos: int
    known: bool


@dataclass(frozen=True, slots=True)
class LabelPreview:
    """What a source would change.

    Attributes:
        photographers: whom it names, those with most photos first, at most :data:`SHOWN_NAMES`.
        named: how many it names.
        changed: photos that would be credited to somebody else than now.
        same: those that are credited so already.
        kept: those that go by a better source.
        untouched: photos in scope of which it says nothing, by the reason.
        wrong: sentences about lines of the table that cannot be used; the first :data:`SHOWN_LINES`.
    """

    photographers: tuple[NamedPhotos, ...]
    named: int
    changed: int
    same: int
    kept: int
    untouched: dict[str, int]
    wrong: tuple[str, ...]


class _NoJob:
    """In place of a running job."""

    id = ""

    def begin(self, total: int, *, done: int = 0) -> None: ...

    def say(self, message: str) -> None: ...

    def goes_on(self) -> bool:
        return True


def preview_labels(store: Store, ledger: Ledger, options: LabelOptions) -> LabelPreview:
    """What crediting by ``exif``, ``folder`` or ``csv`` would change; nothing is written.

    Raises:
        UsageError: an option is invalid, the table cannot be read, or it is another source.
        NotFoundError: no file at or below ``path`` has been imported.
    """
    label = Label(store, ledger)
    label.check(options)
    if options.source not in (Credit.EXIF, Credit.FOLDER, Credit.CSV):
        raise UsageError(f"There is no preview of '{options.source}'.", "It is of exif, folder and csv.")
    source = Credit(options.source)
    work = Labelling(store, ledger, options, label.folder(options), _NoJob())
    photos: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    known: set[str] = set()
    for names in work.proposals(source):
        with ledger.read() as connection:
            stored, renamed = credits_of(connection, names), aliases(connection)
        points = _points(store, list(names))
        counted["absent"] += len(names) - len(points)
        for point in points:
            name = names[point.id]
            photos[renamed.get(name, name)] += 1
            others = [one for one in stored.get(point.id, ()) if one.source is not source]
            if options.overwrite:
                others = [replace(one, first=False) for one in others]
            then = effective_credit(
                [*others, SourceCredit(source, name, options.overwrite)], credited_name_of(point.payload)
            )
            now = point.payload.get("photographer") or ""
            if now:
                known.add(now)
            assert then is not None
            if then.source is not source:
                counted["kept"] += 1
            else:
                counted["same" if renamed.get(then.name, then.name) == now else "changed"] += 1
    untouched = dict(work.tally.untouched)
    if counted["absent"]:
        untouched["are not in the store just now"] = counted["absent"]
    listed = tuple(NamedPhotos(name, count, name in known) for name, count in photos.most_common(SHOWN_NAMES))
    return LabelPreview(
        listed,
        len(photos),
        counted["changed"],
        counted["same"],
        counted["kept"],
        untouched,
        tuple(work.tally.wrong[:SHOWN_LINES]),
    )


def _points(store: Store, ids: Sequence[str]) -> list[StoredPoint]:
    return [
        point
        for collection in store.collections()
        for point in store.retrieve(collection, ids, payload=_KEYS)
        if "kind" in point.payload
    ]
