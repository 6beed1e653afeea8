"""Describes what a store holds, as ``likewise status`` and ``/api/v1/status`` answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from search.media import DECODING_REVISION, Kind
from search.model_descriptions.registry import LOGMEL, MOTION, SCENE, SOUND
from search.store.base import Store
from search.store.filters import Filter, NumberRange


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """Which model fills a space; ``fingerprint`` as in ``search.spaces``."""

    model: str
    dim: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """``indexed`` counts vectors under the approximate index; the others are compared one by one. ``outdated`` counts
    the records that an older version decoded in another way than this one, see :func:`outdated_count`."""

    points: int
    indexed: int
    spaces: Mapping[str, SpaceStatus]
    outdated: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """``store`` is ``edge`` or ``server``; ``home`` the data directory."""

    collections: Mapping[str, CollectionStatus]
    store: str
    home: str


def store_status(store: Store, home: Path) -> StoreStatus:
    """Count what is there. Internal spaces (``…_raw``) are left out."""
    collections = {}
    for name, info in store.collections().items():
        spaces = {
            space.name: SpaceStatus(space.model, space.dim, space.fingerprint)
            for space in (field.space for field in info.schema.fields)
            if not space.name.endswith("_raw")
        }
        collections[name] = CollectionStatus(info.points, info.indexed, spaces, outdated_count(store, name))
    return StoreStatus(collections, store.engine, str(home))


def earlier_layout(status: StoreStatus) -> tuple[str, ...]:
    """Spaces that are as an older version filled them, each with the command that makes them anew, in sentences."""
    said: list[str] = []
    videos = status.collections.get(Kind.VIDEO.collection)
    if videos is not None and videos.points and MOTION in videos.spaces and SCENE not in videos.spaces:
        said.append(
            "Videos have one vector of the whole, named motion, as an older version made it; "
            "`likewise reembed --space scene` gives them one of what they show and one of how they move."
        )
    heard = [one.spaces[SOUND].model for one in status.collections.values() if one.points and SOUND in one.spaces]
    if LOGMEL.name in heard:
        said.append(
            "Sounds have one vector of the whole, as an older version made it; `likewise reembed --space sound` gives "
            "them one of each nine seconds, and of the voices in them."
        )
    return tuple(said)


def outdated_count(store: Store, collection: str) -> int:
    """Number of records whose files are there and have not been decoded by this version's decoders, nor in the same
    way. They answer as before; ``likewise reembed --decoding`` decodes their files anew.

    Raises:
        StoreError: the store refused.
    """
    current = Filter(numbers=(NumberRange("decoding", gte=DECODING_REVISION),))
    return max(0, store.count(collection, Filter()) - store.count(collection, current))
