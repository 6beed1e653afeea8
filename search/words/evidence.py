"""Asks a collection what its records have to do with each term."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from search.media import tokens
from search.spaces import Space
from search.store.base import Array, Store, VectorQuery
from search.store.filters import Filter
from search.words import texts
from search.words.answers import HOLDS, MatchPlace, WordReason
from search.words.meaning import Meaning, meaning
from search.words.parse import Term
from search.words.table import SPACE, table

MOST = 1000
"""Most hits of one question to the store: servers in strict mode refuse more. Of a common word in a large collection
these are the best thousand, and totals are lower bounds where more hold it."""

CLASS_SPACES: Mapping[str, str] = {"images": SPACE, "videos": SPACE}
"""Collection to the space of what its media show. The place for classes of sounds: a sound model that has some gives
``audio`` a space, with the words of its classes in the table."""

UNCONFIRMED_TAG = 0.05
"""Strength of a tag where the record has concepts, and none of them is the tag's."""

_LEFT_OUT = 0.01
"""Strength from which a concept of one class is reason to leave a record out. Lower than ``HOLDS``, since who leaves
something out wants none of it."""

_LEFT_OUT_PER_CLASS = 0.00025
"""The same for a concept of many classes, for each class: small values of many classes add up. This is a quarter of
what chance gives each of 1,000 classes; from 400 classes on, ``HOLDS`` is the limit."""


@dataclass(slots=True)
class Evidence:
    """Everything found for one term in one collection.

    Attributes:
        reasons: id to reasons.
        complete: no record is missing that the term has to do with.
        all_holders: no record is missing that holds the term (strength from ``HOLDS``).
    """

    reasons: dict[str, list[WordReason]] = field(default_factory=dict)
    complete: bool = True
    all_holders: bool = True

    def strength(self, media_id: str) -> float:
        return max((reason.strength for reason in self.reasons.get(media_id, ())), default=0.0)

    def add(self, media_id: str, reason: WordReason) -> None:
        self.reasons.setdefault(media_id, []).append(reason)


@dataclass(frozen=True, slots=True)
class CollectionSearch:
    """Asks one collection about the terms of one question.

    Attributes:
        space: of its concepts; None where it has none that the table explains.
        texts: whether what is written about media counts, or only what they show.
    """

    store: Store
    collection: str
    where: Filter
    space: Space | None
    texts: bool
    _answered: dict[Term, Evidence] = field(default_factory=dict, repr=False, compare=False)

    def about(self, term: Term) -> Evidence:
        """What records have to do with a term. The store is asked once a term; later findings are added to it."""
        if term not in self._answered:
            self._answered[term] = self._ask(term, None)
        return self._answered[term]

    def about_records(self, term: Term, ids: Sequence[str]) -> Mapping[str, list[WordReason]]:
        """What these records have to do with a term, completely: id to reasons."""
        return self._ask(term, ids).reasons

    def shows(self, term: Term) -> bool:
        """Whether any record shows the term, from ``HOLDS`` on."""
        best = (self._strengths(weights, self.where, 1).values() for _, weights, _ in _concept_queries(term))
        return any(strength >= HOLDS for strengths in best for strength in strengths)

    def joint_candidates(self, terms: Sequence[Term]) -> list[str]:
        """Ids of the records that show most of all terms' concepts and colours in sum, and of those that hold one
        term's text and show the others: candidates that no term alone may have among its best."""
        queries = {term: [weights for _, weights, _ in _concept_queries(term)] for term in terms}
        found = dict.fromkeys(self._best_in_sum(queries, self.where))
        for term in terms if self.texts else ():
            others = {other: weights for other, weights in queries.items() if other is not term}
            for text in term.texts:
                found |= dict.fromkeys(self._best_in_sum(others, _also(self.where, " ".join(text))))
        if self.texts:
            words = " ".join(term.label for term in terms)
            scrolled = self.store.scroll(self.collection, where=_also(self.where, words), payload=False, page=MOST)
            found |= dict.fromkeys(point.id for point in islice(scrolled, MOST))
        return list(found)

    def left_out(self, term: Term, ids: Sequence[str]) -> set[str]:
        """Those of the records that may show the term, or whose text holds it."""
        classes = term.meaning.classes if term.meaning else 0
        enough = min(HOLDS, max(_LEFT_OUT, _LEFT_OUT_PER_CLASS * classes))
        return {
            media_id
            for media_id, reasons in self.about_records(term, ids).items()
            if any(reason.strength >= (enough if reason.place is MatchPlace.SHOWS else HOLDS) for reason in reasons)
            or any(reason.place not in (MatchPlace.SHOWS, MatchPlace.COLOUR) for reason in reasons)
        }

    def without_concepts(self) -> int:
        """Records that have no concepts yet, of a collection that is to have some."""
        if self.collection not in CLASS_SPACES:
            return 0
        return without_vector(self.store, self.collection, self.where, self.space.name if self.space else None)

    def _ask(self, term: Term, among: Sequence[str] | None) -> Evidence:
        evidence = Evidence()
        for ids in [None] if among is None else _chunks(among):
            where = self.where if ids is None else replace(self.where, ids=tuple(ids))
            for place, weights, text in _concept_queries(term):
                strengths = self._strengths(weights, where)
                if ids is None and len(strengths) >= MOST:
                    least = min(strengths.values())
                    evidence.complete &= least <= 0
                    evidence.all_holders &= least < HOLDS
                for media_id, strength in strengths.items():
                    if strength > 0:
                        evidence.add(media_id, WordReason(term.label, place, text, strength))
            if self.texts:
                self._read(term, where, evidence, capped=ids is None)
        return evidence

    def _best_in_sum(self, queries: Mapping[Term, Sequence[Array]], where: Filter) -> Iterable[str]:
        weights = [one for some in queries.values() for one in some]
        return self._strengths(sum(weights[1:], weights[0]), where) if weights else ()

    def _strengths(self, weights: Array, where: Filter, limit: int | None = None) -> dict[str, float]:
        """Id to dot product, in [0, 1], best first; at most ``MOST`` where no other limit is given."""
        if self.space is None:
            return {}
        query = VectorQuery(self.space, weights, limit or MOST, where)
        [hits] = self.store.query(self.collection, [query])
        return {hit.id: min(1.0, max(0.0, hit.score)) for hit in hits}

    def _read(self, term: Term, where: Filter, evidence: Evidence, *, capped: bool) -> None:
        """Add where the term is written.

        Args:
            capped: there may be more than ``MOST`` records that hold it, and the others are missing then.
        """
        sought = texts.Sought.of(term)
        tagged: dict[str, WordReason] = {}
        seen: set[str] = set()
        for text in sought.forms:
            points = self.store.scroll(
                self.collection, where=_also(where, " ".join(text)), payload=texts.NEEDED, page=MOST
            )
            for read, point in enumerate(islice(points, MOST), 1):
                if read == MOST and capped:
                    evidence.complete = evidence.all_holders = False
                if point.id in seen:
                    continue
                seen.add(point.id)
                for reason in texts.reasons(point.payload, sought):
                    if reason.place is MatchPlace.TAG:
                        tagged[point.id] = reason
                    else:
                        evidence.add(point.id, reason)
        for media_id, reason in self._tags_with_concept_strength(term, tagged, evidence, where).items():
            evidence.add(media_id, reason)

    def _tags_with_concept_strength(
        self, term: Term, tagged: Mapping[str, WordReason], evidence: Evidence, where: Filter
    ) -> dict[str, WordReason]:
        """Tags are made by the same classifier as concepts, so where a record has concepts, a tag is as strong as the
        concept of the term, or else of the tag."""
        if self.space is None or not tagged:
            return dict(tagged)
        strengths: dict[str, float] = {}
        for ids in _chunks(list(tagged)):
            having = replace(where, ids=tuple(ids), has_space=self.space.name)
            scrolled = self.store.scroll(self.collection, where=having, payload=False, page=MOST)
            strengths |= {point.id: UNCONFIRMED_TAG for point in scrolled}
        asked = term.meaning if term.meaning is not None and term.meaning.senses else None
        if asked is not None and evidence.complete:
            strengths = {media_id: max(least, evidence.strength(media_id)) for media_id, least in strengths.items()}
        else:
            for weights, bearing in _by_concept(asked, {media_id: tagged[media_id].text for media_id in strengths}):
                for ids in _chunks(bearing):
                    found = self._strengths(weights, replace(where, ids=tuple(ids)))
                    strengths |= {media_id: max(UNCONFIRMED_TAG, strength) for media_id, strength in found.items()}
        return {
            media_id: replace(reason, strength=min(reason.strength, strengths.get(media_id, 1.0)))
            for media_id, reason in tagged.items()
        }


def concepts_of(store: Store, collection: str) -> Space | None:
    """The space of what the collection's media show; None where it has none, or one that another table explains."""
    name = CLASS_SPACES.get(collection)
    space = store.schema(collection).space(name) if name else None
    explained = space is not None and space.dim == table().dim and space.revision.endswith(f"/{table().version}")
    return space if explained else None


def without_vector(store: Store, collection: str, where: Filter, space: str | None) -> int:
    """Records with a picture that have no vector of a space; all of them for None. A video with sound alone has no
    picture."""
    pictured = replace(where, has_space="visual") if store.schema(collection).space("visual") is not None else where
    total = store.count(collection, pictured)
    return total if space is None else total - store.count(collection, replace(where, has_space=space))


def _concept_queries(term: Term) -> Iterator[tuple[MatchPlace, Array, str]]:
    """Questions about what is shown: place, weights and name of what is asked for."""
    if term.meaning is None:
        return
    shown, coloured = term.meaning.shows(), term.meaning.coloured()
    if shown is not None:
        names = dict.fromkeys(table().names[concept] for concept, _ in term.meaning.senses)
        yield MatchPlace.SHOWS, shown, ", ".join(names)
    if coloured is not None and term.meaning.colour is not None:
        yield MatchPlace.COLOUR, coloured, term.meaning.colour


def _by_concept(asked: Meaning | None, tags: Mapping[str, str]) -> Iterator[tuple[Array, list[str]]]:
    """Weights of the concept asked for, or else of each tag's own, with the ids of the records.

    Args:
        tags: id to tag.
    """
    by_tag: dict[str, list[str]] = defaultdict(list)
    for media_id, tag in tags.items():
        by_tag[tag].append(media_id)
    if asked is not None:
        by_tag = {"": list(tags)}
    for tag, ids in by_tag.items():
        concept = asked or meaning(tokens(tag))
        weights = concept.shows() if concept else None
        if weights is not None:
            yield weights, ids


def _also(where: Filter, words: str) -> Filter:
    return replace(where, words=f"{where.words or ''} {words}".strip())


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids, ``MOST`` at a time."""
    for start in range(0, len(ids), MOST):
        yield ids[start : start + MOST]
