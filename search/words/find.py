"""Word search: media whose tags, names, folders, photographer or camera hold the words typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from search import addresses
from search.media import COLLECTIONS, Kind, MediaRecord, word_list
from search.records import thumbnail_address
from search.store.base import Store
from search.store.filters import Filter

CANDIDATES = 2000
"""Most records a collection that are looked at for one set of words, so that a common word stays cheap."""

_WEIGHTS = {"tag": 1.0, "photographer": 1.0, "name": 0.9, "folder": 0.7, "camera": 0.5}
"""What a word is worth by where it stands: what a picture shows before where it lies."""

_PREFIX = 0.8
"""What the beginning of a word is worth against the whole of it."""

MIN_BEGINNING = 3
"""Fewest letters that stand for the words they begin."""

MAX_TAGS = 2000
"""Most tags a collection that are looked through for a beginning; the image models know 1,000."""


@dataclass(frozen=True, slots=True)
class WordHit:
    """A record that holds at least one of the words.

    Attributes:
        score: mean over the words typed of the best place each was found in, in (0, 1].
        matched: which of them were found, in the order typed.
    """

    id: str
    kind: Kind
    paths: tuple[str, ...]
    thumbnail: str | None
    tags: tuple[str, ...]
    score: float
    matched: tuple[str, ...]


def search_words(
    store: Store,
    words: str,
    *,
    where: Filter | None = None,
    collections: Sequence[str] = COLLECTIONS,
    limit: int = 50,
) -> tuple[WordHit, ...]:
    """Records that hold the words, upper or lower case; those with all of them first, then those with any.

    The beginning of a word is enough for tags. Within the same number of words, order is by where they stand, then id.
    No words find nothing.
    """
    typed = tuple(word_list(words))
    where = where or Filter()
    stored = store.collections()
    asked = [name for name in collections if name in stored]
    found: dict[str, WordHit] = {}

    def look(narrowed: Filter) -> None:
        for collection in asked:
            for point in islice(store.scroll(collection, where=narrowed), CANDIDATES):
                if point.id not in found:
                    hit = _hit(MediaRecord.from_payload(point.payload), typed)
                    if hit.matched:
                        found[hit.id] = hit

    if typed:
        look(_also(where, " ".join(typed)))
    if len(typed) > 1 and len(found) < limit:
        for word in typed:
            look(_also(where, word))
    if len(found) < limit and not where.tags:
        tags = tuple(tag for name in asked for tag in _tags_beginning(store, name, where, typed))
        if tags:
            look(replace(where, tags=tags))
    return tuple(sorted(found.values(), key=lambda hit: (-len(hit.matched), -hit.score, hit.id))[:limit])


def _also(where: Filter, words: str) -> Filter:
    return replace(where, words=f"{where.words or ''} {words}".strip())


def _tags_beginning(store: Store, collection: str, where: Filter, typed: Sequence[str]) -> Iterator[str]:
    """Tags with a word that one of those typed is the beginning of, and not the whole."""
    beginnings = tuple(word for word in typed if len(word) >= MIN_BEGINNING)
    if beginnings:
        for tag in store.facet(collection, "tags", where=where, limit=MAX_TAGS):
            if any(word.startswith(beginnings) and word not in typed for word in word_list(tag.value)):
                yield tag.value


def _hit(record: MediaRecord, typed: Sequence[str]) -> WordHit:
    places = list(_places(record))
    worth = {word: max((_worth(word, text) * weight for text, weight in places), default=0.0) for word in typed}
    return WordHit(
        id=record.id,
        kind=record.kind,
        paths=record.paths,
        thumbnail=thumbnail_address(record),
        tags=record.tags,
        score=sum(worth.values()) / len(typed),
        matched=tuple(word for word in typed if worth[word] > 0),
    )


def _places(record: MediaRecord) -> Iterator[tuple[frozenset[str], float]]:
    """The words of each field with what one there is worth."""
    yield frozenset(word_list(" ".join(record.tags))), _WEIGHTS["tag"]
    yield frozenset(word_list(record.photographer or "")), _WEIGHTS["photographer"]
    yield frozenset(word_list(f"{record.camera or ''} {record.lens or ''}")), _WEIGHTS["camera"]
    for path in record.paths:
        yield frozenset(word_list(addresses.name(path))), _WEIGHTS["name"]
        yield frozenset(word_list(" ".join(addresses.parts(path)[-3:-1]))), _WEIGHTS["folder"]


def _worth(word: str, text: frozenset[str]) -> float:
    if word in text:
        return 1.0
    return _PREFIX if any(other.startswith(word) for other in text) else 0.0
