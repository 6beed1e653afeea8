"""API operations that ask: similar, words, browse, facets, duplicates, one record, status."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from ingest.ledger.access import Scope
from search import metrics
from search.errors import NotFoundError, UsageError
from search.media import COLLECTIONS, MediaRecord
from search.records.browse import RecordPage, browse
from search.records.cursors import read_cursor, write_cursor
from search.records.lookup import facets, find_record, thumbnail_address
from search.records.status import StoreStatus, store_status
from search.similar.duplicates import DuplicateGroup, GroupPlace, find_duplicates, place_of
from search.similar.find import find_similar
from search.similar.questions import Probe, Question, SimilarAnswer
from search.similar.shots import Comparisons
from search.spaces import Space
from search.store.base import Array, Facet, Store
from search.store.filters import Filter, facet_keys
from search.words import Correction, TextEncoder, WordHit, holding, search_words
from web.api.operation import Operation
from web.api.params import BrowseParameters, Limit, SimilarParameters, WordParameters
from web.api.ports import NodePort
from web.api.reuse.overlaps import with_overlaps
from web.wording import understood
from workers.alignment import PreviewComparer
from workers.storage.files import FileAccess
from workers.storage.same_file import one_path_a_file

UPLOAD = "upload"

SECONDS_OF_COMPARING_HITS, SECONDS_OF_COMPARING_ALL = 2.0, 30.0
"""Time that comparing pixels may take, for the hits of a question and for all pictures of a library."""

_UNCOMPARED = (
    "{:,} pairs of pictures that look alike have not been compared yet and may be edits or shots of a burst; ask again "
    "to go on."
)

_JOBS_WATCHED = 30
"""So many of the latest jobs tell by their counters whether the store has changed."""

_NO_MEDIA = ("none",)
"""Ids that match nothing, for an empty tuple would match everything."""


@dataclass(frozen=True, slots=True)
class FacetAnswer:
    """Values of each filter with the number of records that have them, most frequent first."""

    facets: Mapping[str, tuple[Facet, ...]]


@dataclass(frozen=True, slots=True)
class WordAnswer:
    """Media that answer to words, from ``offset`` on, those that hold the words before the weak ones.

    Attributes:
        total: how many hold the words.
        weaker: how many follow them as weak hits.
        at_least: more records than ``total`` may hold the words.
        corrected: typing errors, and what was searched instead.
        ignored: words that were not searched, such as "the" and "photo".
        matched_any: none holds all of the words, so those that hold any are given.
        notes: in words, what the reader should know.
        took_ms: wall-clock milliseconds.
    """

    query: Mapping[str, object]
    hits: tuple[WordHit, ...]
    took_ms: float
    total: int = 0
    weaker: int = 0
    at_least: bool = False
    corrected: tuple[Correction, ...] = ()
    ignored: tuple[str, ...] = ()
    matched_any: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateAnswer:
    """``total`` counts all groups, of which ``groups`` are some: copies, the largest groups first, then bursts, which
    are none. ``notes`` says in words what could not be compared. ``after`` is what to ask the next page with; None on
    the last."""

    groups: tuple[DuplicateGroup, ...]
    total: int
    notes: tuple[str, ...] = ()
    after: str | None = None


@dataclass(frozen=True, slots=True)
class DuplicateParameters:
    """How many groups to answer, from the first on or behind the ``after`` of the page before."""

    limit: Limit = 100
    after: str | None = None


@metrics.question("similar")
def ask(
    node: NodePort, asked: SimilarParameters, where: Filter, uploads: Mapping[str, Probe] = MappingProxyType({})
) -> SimilarAnswer:
    """Find-similar as every front end asks it.

    Words in the filter narrow it to what shows them or is called so, as a search for the words would find.

    Args:
        uploads: examples that need not be stored, by the name under which ``asked`` lists them.
    """
    if not asked.like:
        raise UsageError("There is nothing to compare with.", "Give at least one id in 'like', or upload a 'file'.")
    narrowed, notes = _narrowed(node, where, asked.where_to_look)
    question = Question(
        like=tuple(uploads.get(name) or check_id(name) for name in asked.like),
        unlike=tuple(uploads.get(name) or check_id(name) for name in asked.unlike),
        part=asked.part,
        collections=asked.where_to_look,
        spaces=asked.spaces,
        where=narrowed,
        limit=asked.limit,
        pivot=asked.pivot,
        exact=asked.exact,
        style=asked.style,
        offset=asked.offset,
        diversity=asked.diversity,
    )
    found = find_similar(node.store, question, _comparisons(node, SECONDS_OF_COMPARING_HITS))
    examples = {name if name in uploads else check_id(name): uploads.get(name) for name in asked.like}
    found = with_overlaps(node, found, examples)
    return replace(found, query={**found.query, "words": where.words}, notes=(*notes, *found.notes))


class _WordsOf:
    """Embeds words by the node's encoder, which is made only when words are embedded."""

    def __init__(self, node: NodePort) -> None:
        self._node = node

    def text(self, words: str, space: Space) -> Array:
        return self._node.encoder.text(words, space)


def _words_of(node: NodePort) -> TextEncoder | None:
    """What embeds words; None where the settings want no model for that."""
    return None if node.settings.text_model == "none" else _WordsOf(node)


def _narrowed(node: NodePort, where: Filter, collections: Sequence[str]) -> tuple[Filter, tuple[str, ...]]:
    """The filter with the ids of what holds its words in place of them, and what the reader should know of it."""
    words = (where.words or "").strip()
    where = replace(where, words=None)
    if not words:
        return where, ()
    narrowing = holding(node.store, words, collections=collections, where=where, encoder=_words_of(node))
    held = narrowing.held
    reported = (*understood(narrowing.corrected, narrowing.ignored), *narrowing.notes)
    if not held:  # nothing was typed that distinguishes media
        return where, reported
    ids = tuple(id_ for some in held.values() for id_ in some.ids)
    if not ids:
        return replace(where, ids=_NO_MEDIA), (f"Nothing here holds the words '{words}'.", *reported)
    notes = [
        f"More of the {name} hold the words '{words}' than the {len(some.ids):,} that do so most, which were compared."
        for name, some in held.items()
        if some.capped and some.ids
    ]
    return replace(where, ids=ids), (*notes, *reported)


def check_id(media_id: str) -> str:
    """
    Raises:
        NotFoundError: not of the form of an id, so that no store need be asked.
    """
    try:
        return str(uuid.UUID(media_id))
    except ValueError:
        raise NotFoundError(f"'{media_id}' is not the id of anything stored.") from None


def public(record: MediaRecord) -> MediaRecord:
    """A record as the API shows it: ``thumbnail`` is an address instead of a key."""
    return replace(record, thumbnail=thumbnail_address(record))


def similar(node: NodePort, asked: SimilarParameters, where: Filter, example: Probe | None = None) -> SimilarAnswer:
    """What is like the media in 'like' (and an uploaded 'file') and unlike those in 'unlike', best first: fused over
    all collections, and for each collection. Each hit has a 'band' (identical, same picture, edited copy, very
    similar, similar or weak), a 'likeness' from 0 to 1, which mean the same in every space and every library, and a
    'relation', by which shots of one burst are no copies of one another. 'words' narrow the answer
    to what shows them or is called so: like this photo, and red."""
    if example is None:
        return ask(node, asked, where)
    return ask(node, replace(asked, like=(UPLOAD, *asked.like)), where, {UPLOAD: example})


def similar_to_media(node: NodePort, asked: SimilarParameters, where: Filter, media_id: str) -> SimilarAnswer:
    """What is like this stored media; 'like' adds further examples."""
    return ask(node, replace(asked, like=(media_id, *asked.like)), where)


def media(node: NodePort, media_id: str) -> MediaRecord:
    """Everything known about one stored media; 'thumbnail' is the address of its preview."""
    return public(find_record(node.store, check_id(media_id)))


@metrics.question("words")
def search(node: NodePort, words: WordParameters, where: Filter) -> WordAnswer:
    """Media that show the words typed, have their colour, or hold them in a tag, name, folder, photographer, camera or
    date, and why each does. All words must hold; -word leaves out; words in quotation marks stand side by side."""
    started = time.perf_counter()
    collections = words.collections or COLLECTIONS
    found = search_words(
        node.store,
        words.q,
        where=where,
        collections=collections,
        limit=words.limit,
        offset=words.offset,
        encoder=_words_of(node),
    )
    query = {"q": words.q, "collections": collections, "limit": words.limit, "offset": words.offset}
    return WordAnswer(
        query,
        found.hits,
        (time.perf_counter() - started) * 1000,
        found.total,
        found.weaker,
        found.at_least,
        found.corrected,
        found.ignored,
        found.matched_any,
        found.notes,
    )


@metrics.question("browse")
def browse_collection(node: NodePort, browsing: BrowseParameters, where: Filter) -> RecordPage:
    """A page of one collection, newest first or in another 'order'; pass 'after' on to get the next."""
    page = browse(
        node.store,
        browsing.collection,
        where,
        browsing.limit,
        browsing.after,
        order=browsing.order,
        descending=browsing.descending,
    )
    return replace(page, records=tuple(public(record) for record in page.records))


def list_facets(node: NodePort, where: Filter) -> FacetAnswer:
    """Values that filters can take, with counts over what matches the filters given."""
    return FacetAnswer(facets(node.store, facet_keys(), where))


@metrics.question("duplicates")
def duplicates(node: NodePort, asked: DuplicateParameters, *, anew: bool = True) -> DuplicateAnswer:
    """Groups of files with the same bytes (exact_copy), of the same pixels with other metadata (same_picture) and of
    edits of one content (edited_copy), each with the member to keep and the bytes to spare; and the shots of a burst,
    which are moments of their own: none is to be removed. Pass 'after' on to get the next page."""
    start = None if asked.after is None else read_cursor(asked.after, _group_place)
    found = _found_groups.setdefault(node.store, _FoundGroups()).get(node, anew=anew and start is None)
    groups = [group for group in found.groups if start is None or place_of(group) > start]
    page = tuple(groups[: asked.limit])
    following = write_cursor({"group": place_of(page[-1])}) if len(groups) > len(page) else None
    return DuplicateAnswer(page, found.total, found.notes, following)


def _group_place(said: Any) -> GroupPlace | None:
    place = GroupPlace(*said["group"])
    *numbers, first = place
    sound = all(type(number) is int for number in numbers) and isinstance(first, str)
    return place if sound else None


class _FoundGroups:
    """All groups of a store as they were found last: each page of them would take seconds in a large library.

    Only jobs change the store, so that their counts and the number of records show whether it has changed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._as_of: object = None
        self._found = DuplicateAnswer((), 0)

    def get(self, node: NodePort, *, anew: bool) -> DuplicateAnswer:
        with self._lock:
            points = {name: info.points for name, info in node.store.collections().items()}
            now = (points, node.ingest.jobs(_JOBS_WATCHED))
            if anew or now != self._as_of or self._found.notes:  # notes: some pairs are yet to be compared
                self._found, self._as_of = _find_groups(node), now
            return self._found


_found_groups: WeakKeyDictionary[Store, _FoundGroups] = WeakKeyDictionary()


def _find_groups(node: NodePort) -> DuplicateAnswer:
    comparisons = _comparisons(node, SECONDS_OF_COMPARING_ALL)
    access = FileAccess(node.settings)
    groups = find_duplicates(
        node.store, comparisons=comparisons, one_path_a_file=lambda paths: one_path_a_file(paths, access)
    )
    notes = (_UNCOMPARED.format(comparisons.refused),) if comparisons.refused else ()
    return DuplicateAnswer(groups, len(groups), notes)


_comparers: WeakKeyDictionary[Store, PreviewComparer] = WeakKeyDictionary()


def _comparisons(node: NodePort, seconds: float) -> Comparisons:
    """Comparisons of previews; one comparer for each store, for it remembers what it has compared."""
    return Comparisons(_comparers.setdefault(node.store, PreviewComparer(node.settings)), seconds)


def status(node: NodePort) -> StoreStatus:
    """What the store holds, and which model fills each space."""
    return store_status(node.store, node.settings.home)


OPERATIONS = (
    Operation(
        "POST",
        "/similar",
        similar,
        SimilarAnswer,
        scope=Scope.READ,
        takes=(SimilarParameters, Filter),
        uploads=True,
        errors=(400, 404, 409, 413, 415, 422, 503, 507),
    ),
    Operation("GET", "/media/<media_id>", media, MediaRecord, scope=Scope.READ, errors=(404,)),
    Operation(
        "GET",
        "/media/<media_id>/similar",
        similar_to_media,
        SimilarAnswer,
        scope=Scope.READ,
        takes=(SimilarParameters, Filter),
        errors=(400, 404, 409),
    ),
    Operation("GET", "/search", search, WordAnswer, scope=Scope.READ, takes=(WordParameters, Filter), errors=(400,)),
    Operation(
        "GET",
        "/browse",
        browse_collection,
        RecordPage,
        scope=Scope.READ,
        takes=(BrowseParameters, Filter),
        errors=(400,),
    ),
    Operation("GET", "/facets", list_facets, FacetAnswer, scope=Scope.READ, takes=(Filter,), errors=(400,)),
    Operation(
        "GET", "/duplicates", duplicates, DuplicateAnswer, scope=Scope.READ, takes=(DuplicateParameters,), errors=(400,)
    ),
    Operation("GET", "/status", status, StoreStatus, scope=Scope.READ),
)
