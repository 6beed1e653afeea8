"""Which hits are copies of an example: the same bytes, or an edit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, proxy

import numpy as np

from search.media import Kind, Payload
from search.near import FRAME_BITS, MIN_COSINE, Fingerprinted, fingerprint_distances, is_near_duplicate
from search.questions import Relation

if TYPE_CHECKING:
    from search.examples import Examples
    from search.store.base import Store

SEARCHED_FIRST, SEARCHED = 20, 64
"""Nearest media among which copies are looked for, where more than so many answers are not asked for anyway: a heavy
edit may be less like the example, by its vector, than other media are. Beyond the first number only where an edit has
been found: fetching fingerprints costs more than the question."""

MOST_REMEMBERED = 200_000
"""Media whose fingerprints are kept in memory, some 60 MB of pictures; fetching them costs more than comparing."""

COMPARED = ("kind", "fingerprints", "duration")
"""Payload keys that copies are told by."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What of a medium tells its copies; see ``search.media.MediaRecord``."""

    kind: Kind
    fingerprints: tuple[str, ...]
    duration: float | None

    @classmethod
    def of(cls, payload: Payload) -> Printed:
        return cls(Kind(payload["kind"]), tuple(payload.get("fingerprints", ())), payload.get("duration"))


class Prints:
    """Fingerprints of a store's media, the latest used; they belong to content and never change. Thread-safe."""

    def __init__(self, store: Store, most: int = MOST_REMEMBERED) -> None:
        self._store, self._most = store, most
        self._known: OrderedDict[str, Printed] = OrderedDict()
        self._lock = threading.Lock()

    def fetch(self, collection: str, ids: Sequence[str]) -> dict[str, Printed]:
        """Of the ids, from memory or the store; of one that was deleted perhaps, of one that never was not.

        Raises:
            StoreError: the store could not answer.
        """
        with self._lock:
            found = {id_: self._known[id_] for id_ in ids if id_ in self._known}
        absent = [id_ for id_ in ids if id_ not in found]
        if absent:
            points = self._store.retrieve(collection, absent, payload=COMPARED)
            found |= {point.id: Printed.of(point.payload) for point in points}
        with self._lock:
            for id_, medium in found.items():
                if not medium.fingerprints:  # it may get some, when it is embedded anew
                    continue
                self._known[id_] = medium
                self._known.move_to_end(id_)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found


_known: WeakKeyDictionary[Store, Prints] = WeakKeyDictionary()
_known_lock = threading.Lock()


def prints_of(store: Store) -> Prints:
    """What is remembered of a store, as long as it lives."""
    with _known_lock:
        if store not in _known:
            _known[store] = Prints(proxy(store))
        return _known[store]


def may_be_copy(kind: Kind, score: float) -> bool:
    """Whether a medium of this cosine in the principal space of its kind can be an edit at all."""
    return kind is Kind.AUDIO or score >= MIN_COSINE


def relations(
    examples: Examples, media: Mapping[str, Printed], principal: Mapping[str, float], ids: Iterable[str]
) -> dict[str, Relation]:
    """How media relate to the examples; what is merely similar is left out.

    What is an edit of an edit of an example is one too, as in the groups of ``search.duplicates``: two strong edits of
    one picture may be less like each other than either is like a third.

    Args:
        media: what is compared, by id.
        principal: id to the cosine with the examples in ``search.near.PRINCIPAL_SPACE``.
        ids: of everything that was found.
    """
    compared = {id_: medium for id_, medium in media.items() if id_ in principal and medium.fingerprints}
    probes = [probe for probe in examples.like if probe.fingerprints]
    edits = _edits_of(probes, compared, principal)
    if edits:
        others = {id_: medium for id_, medium in compared.items() if id_ not in edits}
        edits += _edits_of([compared[id_] for id_ in edits], others, principal)
    found = dict.fromkeys(edits, Relation.EDITED_COPY)
    return found | {id_: Relation.EXACT_COPY for id_ in ids if id_ in examples.uploaded}


def _edits_of(
    originals: Sequence[Fingerprinted], media: Mapping[str, Printed], principal: Mapping[str, float]
) -> list[str]:
    """Ids of the media that are an edit of any of the originals."""
    if not originals or not media:
        return []
    prints = [one for original in originals for one in original.fingerprints]
    theirs = [one for medium in media.values() for one in medium.fingerprints]
    owners = np.repeat(np.array(list(media)), [len(medium.fingerprints) for medium in media.values()])
    close = set(owners[fingerprint_distances(prints, theirs).min(axis=0) <= FRAME_BITS])
    return [
        id_
        for id_ in media
        if id_ in close and any(is_near_duplicate(original, media[id_], principal[id_]) for original in originals)
    ]
