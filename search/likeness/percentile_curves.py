"""Learns the percentile curves of a store on first use and anew as it grows; stores them in metadata."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from search.errors import StoreError
from search.likeness import percentiles
from search.likeness.best_pairs import MOST_ASKING
from search.likeness.percentiles import MIN_PAIRS, PercentileCurve, fit, pair_scores, prior
from search.media import MediaRecord
from search.per_store import PerStore
from search.similar.near import distinct
from search.store.base import Array, CollectionInfo, Store
from search.store.filters import Filter

log = logging.getLogger(__name__)

METADATA_KEY = "calibration"

_COMPARED = ("id", "kind", "paths", "fingerprints", "duration")
"""Payload keys by which edits of one content are recognised."""

GROWTH = 1.2
"""A curve is learnt anew once either collection has grown, or shrunk, by this factor."""

SINGLE_SAMPLE = 192
"""Points sampled where each has one vector: 192² ≈ 37,000 pairs."""

MULTI_SAMPLE = 64
"""Points sampled of a multivector space, whose pairs cost up to 32² as much: 64² ≈ 4,000 pairs."""

MOST_ROW_PAIRS = (MULTI_SAMPLE * MOST_ASKING) ** 2
"""Pairs of vectors that are compared, about: of longer videos and recordings fewer ask."""

FEWEST_ASKING = 12
"""Which make 12 · 63 pairs of media, enough for a curve."""

COUNTED_SECONDS = 15.0
"""How long the number of points that hold a space may be out of date."""

MIN_ASKERS = 5
"""Fewest points of the question's kind that pairs across two collections are made from."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A curve and what the store looked like when it was learnt.

    Attributes:
        points: in the collection of the question's example, and in the one asked; where ``few``, those of them that
            hold the space.
        version: revision of the formula and fingerprint of the vectors, see :meth:`PercentileCurves._version`.
        few: there were fewer to sample than were wanted and than there are points. More may be given the space at any
            time, as when the styles of a library are filled in, and no point comes to it by that.
    """

    curve: PercentileCurve
    points: tuple[int, int]
    version: str
    few: bool = False

    def serves(self, points: tuple[int, int], version: str) -> bool:
        return version == self.version and all(
            now <= GROWTH * max(then, 1) and then <= GROWTH * max(now, 1)
            for now, then in zip(points, self.points, strict=True)
        )


def as_asking(sampled: Sequence[tuple[str, Array]], target_rows: int) -> list[tuple[str, Array]]:
    """The sampled points that ask, each with as many vectors as ask of an example; fewer points where comparing them
    with so many vectors would take long. Where points have no more than those, all of them ask with all.

    Args:
        sampled: id and float32 ``(m, dim)``.
    """
    asking = [
        (
            id_,
            rows if len(rows) <= MOST_ASKING else rows[np.linspace(0, len(rows) - 1, MOST_ASKING).round().astype(int)],
        )
        for id_, rows in sampled
    ]
    longest = max((len(rows) for _, rows in asking), default=1)
    return asking[
        : max(FEWEST_ASKING, SINGLE_SAMPLE if longest == 1 else MOST_ROW_PAIRS // max(1, longest * target_rows))
    ]


class PercentileCurves:
    """The percentile curves of one store, which give match percentages. Thread-safe.

    A curve belongs to a space, the collection asked and the collection the question's example is of the kind of: a
    photo against videos is the best of many key frames, a video against videos the best of many pairs, and neither has
    the distribution of the other.

    What it says is an explanation, "more alike than 99 % of random pairs here", and orders nothing: it depends on what
    else the library holds.

    Of several edits of one content only one is sampled: in a library full of copies a random pair would otherwise be
    a pair of copies, and a copy nothing remarkable.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._counted: dict[tuple[str, str], tuple[float, int]] = {}
        self._read: set[str] = set()
        self._lock = threading.Lock()

    def curve(self, space: str, asking: str, asked: str, infos: Mapping[str, CollectionInfo]) -> PercentileCurve:
        """The curve for questions of the kind of ``asking`` put to ``asked``, in ``space``.

        Learning one samples at most a few hundred points and takes well under a second; it happens when a collection
        is first asked, when what holds the space has grown by a fifth, and when the space is of another model.

        Args:
            infos: the store's collections, as of this question.
        """
        version = self._version(space, asked, infos)
        name = (asked, f"{space}:{asking}")
        kept = self._kept.get(name)
        if kept and kept.serves(self._points(space, asking, asked, infos, few=kept.few), version):
            return kept.curve
        with self._lock:
            self._load(asked)
            kept = self._kept.get(name)
            if kept is None or not kept.serves(self._points(space, asking, asked, infos, few=kept.few), version):
                curve, few = self._learn(space, asking, asked, infos)
                kept = _Kept(curve, self._points(space, asking, asked, infos, few=few), version, few)
                self._kept[name] = kept
                self._save(asked)
            return kept.curve

    def _points(
        self, space: str, asking: str, asked: str, infos: Mapping[str, CollectionInfo], *, few: bool
    ) -> tuple[int, int]:
        """See :class:`_Kept`."""

        def count(collection: str) -> int:
            if collection not in infos:
                return 0
            return self._holding(collection, space) if few else infos[collection].points

        return count(asking), count(asked)

    def _holding(self, collection: str, space: str) -> int:
        """How many points hold a space. A server is asked once in ``COUNTED_SECONDS``, not by every question."""
        now = time.monotonic()
        counted, number = self._counted.get((collection, space), (float("-inf"), 0))
        if self._store.engine != "server" or now - counted > COUNTED_SECONDS:
            number = self._store.count(collection, Filter(has_space=space, include_missing=True))
            self._counted[collection, space] = (now, number)
        return number

    def _learn(
        self, space: str, asking: str, asked: str, infos: Mapping[str, CollectionInfo]
    ) -> tuple[PercentileCurve, bool]:
        """The curve, and whether there were few to learn it from, see :class:`_Kept`."""
        targets, few = self._sample(space, asked, infos)
        askers, few_ask = (targets, few) if asking == asked else self._sample(space, asking, infos)
        if len(askers) < MIN_ASKERS:
            # Nothing of the question's kind is stored yet: what the collection itself holds has to stand in for it.
            askers = targets
        scores = pair_scores(as_asking(askers, sum(len(rows) for _, rows in targets)), targets)
        return fit(scores) if len(scores) >= MIN_PAIRS else prior(space), few or few_ask

    def _sample(
        self, space: str, collection: str, infos: Mapping[str, CollectionInfo]
    ) -> tuple[list[tuple[str, Array]], bool]:
        """Ids and vectors of different contents, and whether there are few."""
        field = infos[collection].schema.by_name.get(space) if collection in infos else None
        if field is None:
            return [], False
        wanted = MULTI_SAMPLE if field.multi else SINGLE_SAMPLE
        points = self._store.sample(collection, space, wanted)
        vectors = {point.id: point.vectors[space] for point in points}
        stored = self._store.retrieve(collection, list(vectors), payload=_COMPARED)
        records = [MediaRecord.from_payload(point.payload) for point in stored]
        different = [(records[at].id, vectors[records[at].id]) for at in distinct(records)]
        return different, len(points) < min(wanted, infos[collection].points)

    def _version(self, space: str, collection: str, infos: Mapping[str, CollectionInfo]) -> str:
        """Of the formula and the vectors: the space they are of, and the standardisation of sounds, which an older
        version fitted to each library."""
        version = f"{percentiles.REVISION}/{infos[collection].schema.by_name[space].space.fingerprint}"
        if space != "sound":
            return version
        standardisation = self._store.metadata(collection).get("sound_standardisation") or {}
        return f"{version}/{standardisation.get('version', 0)}"

    def _load(self, collection: str) -> None:
        if collection in self._read:
            return
        self._read.add(collection)
        for key, entry in (self._store.metadata(collection).get(METADATA_KEY) or {}).items():
            # What another revision keeps in a curve may have another form: it is not even read.
            if not str(entry.get("version")).startswith(f"{percentiles.REVISION}/"):
                continue
            try:
                self._kept[collection, key] = _Kept(
                    PercentileCurve.from_json(entry["curve"]),
                    (entry["points"][0], entry["points"][1]),
                    str(entry["version"]),
                    bool(entry.get("few")),
                )
            except (IndexError, KeyError, TypeError, ValueError) as error:
                log.warning(
                    "Percentile curve '%s' of '%s' cannot be read and is learnt anew: %r.", key, collection, error
                )

    def _save(self, collection: str) -> None:
        entries = {
            key: {
                "curve": kept.curve.to_json(),
                "points": list(kept.points),
                "version": kept.version,
                "few": kept.few,
            }
            for (asked, key), kept in self._kept.items()
            if asked == collection
        }
        # Keeping curves saves the next process a second; a store that cannot be written to can still answer.
        with suppress(StoreError):
            self._store.set_metadata(collection, {METADATA_KEY: entries})


percentile_curves_of = PerStore(PercentileCurves)
"""The one set of percentile curves of a store, as long as the store lives."""
