"""Chooses the likeness curve of a space: learnt for this library, else shipped with the model.

``likewise calibrate`` keeps curves in the metadata of the collections (key :data:`METADATA_KEY`), by fingerprint of the
space and pair of kinds; a person's own marks could sharpen those. What ships is ``likeness_curves.json``, made by
``python -m workers.calibrate``. A curve of a library that was learnt under another revision of the formula
(``search.likeness.curve.REVISION``) is ignored in favour of what ships.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from search.likeness.best_pairs import Background, EffectiveRows
from search.likeness.curve import LikenessCurve, OutdatedCurveError, pair_of_kinds
from search.media import Kind
from search.per_store import PerStore
from search.records.lookup import asked_fields
from search.spaces import CollectionSchema, Space
from search.store.base import Store

log = logging.getLogger(__name__)

Curves: TypeAlias = Mapping[str, LikenessCurve]
"""By pair of kinds, see ``search.likeness.curve.pair_of_kinds``."""

METADATA_KEY = "likeness"

FRESH_SECONDS = 15.0
"""How long curves that another process has made may go unseen."""

TEXT = "text"
"""What asks where words do, in the names of pairs: ``text:image``, ``text:video``."""

PROVISIONAL_TEXT = LikenessCurve(
    low=0.0, high=0.0, slope=50.0, shift=-10.0, background=Background(0.1, 0.05), provisional=True
)
"""Of words and pictures, where none has been learnt: likeness .5 at a cosine of .2, .92 at .25, .08 at .15.

Two towers trained against each other put matching pictures and words much less close than two pictures. Source: Hessel
et al. 2021, "CLIPScore", whose weight of 2.5 follows from cosines between 0 and .4; .2 is the middle. The slope is half
of what such models are trained with, a logit of 100 times the cosine (Radford et al. 2021), since single words say less
than captions do.
"""

_STAND_IN_FOR = {
    "visual": "visual",
    "scene": "scene",
    "motion": "motion",
    "sound": "sound",
    "voice": "voice",
    "sound_voice": "sound_voice",
    "style": "style",
}
"""Space whose shipped curves serve a model of which none have been learnt, by name of space; ``visual`` for others."""


@cache
def shipped() -> Mapping[str, tuple[str, Curves]]:
    """Name of the space and its curves, by fingerprint."""
    data = json.loads(files("search.likeness").joinpath("likeness_curves.json").read_text("utf-8"))
    return {fingerprint: (entry["space"], read_curves(entry["curves"])) for fingerprint, entry in data.items()}


def read_curves(data: Mapping[str, Any]) -> dict[str, LikenessCurve]:
    """Curves by pair of kinds, from JSON.

    Raises:
        KeyError, TypeError, ValueError: as ``LikenessCurve.from_json``.
    """
    return {kinds: LikenessCurve.from_json(curve) for kinds, curve in data.items()}


class LikenessCurves:
    """The curves of one store. Thread-safe.

    Attributes:
        effective: effective numbers of vectors of the store's media.
    """

    def __init__(self, store: Store) -> None:
        self.effective = EffectiveRows()
        self._store = store
        self._own: Mapping[str, Curves] = {}
        self._outdated: frozenset[str] = frozenset()
        self._read = float("-inf")
        self._lock = threading.Lock()

    def curve(self, space: Space, one: Kind, other: Kind) -> LikenessCurve:
        """The curve for pairs of these kinds in a space: the one made for this library, else the one that ships; where
        none was learnt for them, that of another pair of kinds.

        Where the model has none at all, that of the usual model of such a space, marked provisional.
        """
        made, ships = self._learnt_here().get(space.fingerprint, {}), shipped().get(space.fingerprint, ("", {}))[1]
        learnt = {kinds: curve for kinds, curve in {**ships, **made}.items() if not _is_of_text(kinds)}
        if learnt:
            return _nearest(learnt, one, other)
        return replace(_nearest(_stand_in(space.name), one, other), pairs=0, items=0, provisional=True)

    def is_outdated(self, space: Space) -> bool:
        """Whether this library keeps curves for a space that are ignored, as the formula has changed since."""
        self._learnt_here()
        return space.fingerprint in self._outdated

    def text_curve(self, space: Space, kind: Kind) -> LikenessCurve:
        """The curve for words and media of a kind in a space that both share: how likely it shows them, given their
        cosine, when as many pairs of words and media fit as do not."""
        for curves in (self._learnt_here().get(space.fingerprint), shipped().get(space.fingerprint, ("", None))[1]):
            learnt = {kinds: curve for kinds, curve in (curves or {}).items() if _is_of_text(kinds)}
            if learnt:
                return learnt.get(pair_with_text(kind)) or next(iter(learnt.values()))
        return PROVISIONAL_TEXT

    def save(self, curves: Mapping[str, Curves]) -> None:
        """Keep curves for this library, by fingerprint of their space; those of other spaces and pairs of kinds stay.

        Raises:
            StoreError: the store refused.
        """
        with self._lock:
            for collection in self._store.collections():
                kept = dict(self._store.metadata(collection).get(METADATA_KEY) or {})
                for fingerprint, by_kinds in curves.items():
                    given = {kinds: curve.to_json() for kinds, curve in by_kinds.items()}
                    kept[fingerprint] = {**_readable(kept.get(fingerprint) or {}), **given}
                self._store.set_metadata(collection, {METADATA_KEY: kept})
            self._read = float("-inf")

    def save_provisional(self, curves: Mapping[str, Curves]) -> None:
        """Keep provisional curves of spaces that nothing has been learnt for by now.

        Raises:
            StoreError: the store refused.
        """
        self._read = float("-inf")
        unlearnt = {space.fingerprint for space in self.unlearnt()}
        self.save({fingerprint: by_kinds for fingerprint, by_kinds in curves.items() if fingerprint in unlearnt})

    def unlearnt(self) -> list[Space]:
        """Spaces of this store that no curve has been learnt for, provisional ones included."""
        found: dict[str, Space] = {}
        for info in self._store.collections().values():
            for space in compared_spaces(info.schema):
                if space.fingerprint not in shipped() and space.fingerprint not in self._learnt_here():
                    found[space.fingerprint] = space
        return list(found.values())

    def _learnt_here(self) -> Mapping[str, Curves]:
        if time.monotonic() - self._read > FRESH_SECONDS:
            with self._lock:
                found: dict[str, Curves] = {}
                outdated: set[str] = set()
                for collection in self._store.collections():
                    for fingerprint, data in (self._store.metadata(collection).get(METADATA_KEY) or {}).items():
                        try:
                            found[fingerprint] = read_curves(data)
                        except OutdatedCurveError:
                            outdated.add(fingerprint)
                        except (AttributeError, KeyError, TypeError, ValueError) as error:
                            log.warning("Likeness curves of '%s' cannot be read: %r.", collection, error)
                self._own, self._outdated, self._read = found, frozenset(outdated - found.keys()), time.monotonic()
        return self._own


def compared_spaces(schema: CollectionSchema) -> Sequence[Space]:
    """The spaces of a collection whose scores have a likeness: all that media are compared in."""
    return [field.space for field in asked_fields(schema)]


def pair_with_text(kind: Kind) -> str:
    """Name of the pair of words and a kind of media: ``text:image``."""
    return f"{TEXT}:{kind.value}"


def _readable(data: Mapping[str, Any]) -> dict[str, Any]:
    """The stored curves of one space that are of the present revision."""
    kept = {}
    for kinds, curve in data.items():
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            LikenessCurve.from_json(curve)
            kept[kinds] = curve
    return kept


def _is_of_text(kinds: str) -> bool:
    return kinds.startswith(f"{TEXT}:")


def _nearest(curves: Curves, one: Kind, other: Kind) -> LikenessCurve:
    wanted = pair_of_kinds(one, other)
    either = [kinds for kinds in curves if one.value in kinds or other.value in kinds]
    return curves[next((kinds for kinds in (wanted, *either) if kinds in curves), next(iter(curves)))]


def _stand_in(name: str) -> Curves:
    wanted = _STAND_IN_FOR.get(name, "visual")
    return next(curves for space, curves in shipped().values() if space == wanted and curves)


curves_of = PerStore(LikenessCurves)
"""The one set of curves of a store, as long as the store lives."""
