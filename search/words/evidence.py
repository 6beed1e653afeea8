"""What the records of a collection have to do with each term: asked of the store, at most ``MOST`` hits a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from search.media import MediaRecord
from search.spaces import Space
from search.store.base import Array, Store, VectorQuery
from search.store.filters import Filter
from search.words import places
from search.words.answers import HOLDS, Place, Reason
from search.words.meaning import meaning
from search.words.table import SPACE, table, tokens
from search.words.typed import Term

MOST = 1000
"""Most hits of one question to the store: servers in strict mode refuse more. What is said to hold a common word in a
large collection are therefore its best thousand, and totals are lower bounds."""

CLASS_SPACES: Mapping[str, str] = {"images": SPACE, "videos": SPACE}
"""Collection to the space that says what its media show. The place for classes of sounds: a sound model that has some
gives ``audio`` a space, with the words of its classes in the table."""

TAG_UNSURE = 0.05
"""Strength of a tag about which a record's concepts say nothing."""

_LEFT_OUT = 0.01
"""Strength from which a concept of one class is reason to leave a record out. Lower than ``HOLDS``, since who leaves
something out wants none of it; for concepts of many classes more, because small values of many add up."""


@dataclass(slots=True)
class Evidence:
    """Everything found for one term in one collection.

    Attributes:
        reasons: id to reasons.
        complete: no record is missing that the term has to do with.
    """

    reasons: dict[str, list[Reason]] = field(default_factory=dict)
    complete: bool = True

    def strength(self, media_id: str) -> float:
        return max((reason.strength for reason in self.reasons.get(media_id, ())), default=0.0)

    def add(self, media_id: str, reason: Reason) -> None:
        self.reasons.setdefault(media_id, []).append(reason)


@dataclass(frozen=True, slots=True)
class Witness:
    """Asks one collection.

    Attributes:
        space: of its concepts; None where it has none that the table explains.
        texts: whether what is written about media counts, or only what they show.
    """

    store: Store
    collection: str
    where: Filter
    space: Space | None
    texts: bool

    def about(self, term: Term, among: Sequence[str] | None = None) -> Evidence:
        """What records have to do with a term; of ``among`` only, where given, and then completely."""
        evidence = Evidence()
        for ids in _chunks(among):
            where = self.where if ids is None else replace(self.where, ids=tuple(ids))
            for place, weights, text in _asked(term):
                strengths = self._strengths(weights, where)
                evidence.complete &= ids is not None or len(strengths) < MOST
                for media_id, strength in strengths.items():
                    if strength > 0:
                        evidence.add(media_id, Reason(term.label, place, text, strength))
            if self.texts:
                self._read(term, where, evidence)
        return evidence

    def shows(self, term: Term) -> bool:
        """Whether any record shows the term, from ``HOLDS`` on."""
        best = (self._strengths(weights, self.where, 1).values() for _, weights, _ in _asked(term))
        return any(strength >= HOLDS for strengths in best for strength in strengths)

    def together(self, terms: Sequence[Term]) -> list[str]:
        """Ids of the records that show most of all terms' concepts and colours in sum, and of those that hold one
        term's text and show the others: candidates that no term alone may have among its best."""
        weighed = {term: [weights for _, weights, _ in _asked(term)] for term in terms}
        found = dict.fromkeys(self._most(weighed, self.where))
        for term in terms if self.texts else ():
            others = {other: weights for other, weights in weighed.items() if other is not term}
            for text in term.texts:
                found |= dict.fromkeys(self._most(others, _also(self.where, " ".join(text))))
        if self.texts:
            words = " ".join(term.label for term in terms)
            scrolled = self.store.scroll(self.collection, where=_also(self.where, words), payload=False, page=MOST)
            found |= dict.fromkeys(point.id for point in islice(scrolled, MOST))
        return list(found)

    def left_out(self, term: Term, among: Sequence[str]) -> set[str]:
        """Those of ``among`` that may show the term, or whose text holds it."""
        classes = term.meaning.classes if term.meaning else 0
        enough = min(HOLDS, max(_LEFT_OUT, HOLDS * classes / 400))
        return {
            media_id
            for media_id, reasons in self.about(term, among).reasons.items()
            if any(reason.strength >= (enough if reason.place is Place.SHOWS else HOLDS) for reason in reasons)
            or any(reason.place not in (Place.SHOWS, Place.COLOUR) for reason in reasons)
        }

    def lacking(self) -> int:
        """Records that have no concepts yet, of a collection that is to have some."""
        if self.collection not in CLASS_SPACES:
            return 0
        total = pictured(self.store, self.collection, self.where)
        if self.space is None:
            return total
        return total - self.store.count(self.collection, replace(self.where, has_space=self.space.name))

    def _most(self, weighed: Mapping[Term, Sequence[Array]], where: Filter) -> Iterable[str]:
        weights = [one for some in weighed.values() for one in some]
        return self._strengths(sum(weights[1:], weights[0]), where) if weights else ()

    def _strengths(self, weights: Array, where: Filter, limit: int = MOST) -> dict[str, float]:
        """Id to dot product, in [0, 1], best first."""
        if self.space is None:
            return {}
        query = VectorQuery(self.space, weights, limit, where)
        [hits] = self.store.query(self.collection, [query])
        return {hit.id: min(1.0, max(0.0, hit.score)) for hit in hits}

    def _read(self, term: Term, where: Filter, evidence: Evidence) -> None:
        """Add where the term is written; a tag counts as much as the record's concepts bear it out."""
        tagged: dict[str, Reason] = {}
        seen: set[str] = set()
        for text in term.texts:
            points = self.store.scroll(
                self.collection, where=_also(where, " ".join(text)), payload=places.NEEDED, page=MOST
            )
            for read, point in enumerate(islice(points, MOST)):
                evidence.complete &= bool(where.ids) or read < MOST - 1
                if point.id in seen:
                    continue
                seen.add(point.id)
                for reason in places.reasons(MediaRecord.from_payload(point.payload), term):
                    if reason.place is Place.TAG:
                        tagged[point.id] = reason
                    else:
                        evidence.add(point.id, reason)
        for media_id, reason in self._borne_out(term, tagged, evidence, where).items():
            evidence.add(media_id, reason)

    def _borne_out(
        self, term: Term, tagged: Mapping[str, Reason], evidence: Evidence, where: Filter
    ) -> dict[str, Reason]:
        """Tags are made by the same classifier as concepts, so where there are concepts they say how sure a tag is."""
        if self.space is None or not tagged:
            return dict(tagged)
        sure: dict[str, float] = {}
        for ids in _chunks(list(tagged)):
            having = replace(where, ids=tuple(ids or ()), has_space=self.space.name)
            sure |= {
                point.id: TAG_UNSURE
                for point in self.store.scroll(self.collection, where=having, payload=False, page=MOST)
            }
        if term.meaning is not None and term.meaning.senses:
            for media_id in sure:
                sure[media_id] = max(TAG_UNSURE, evidence.strength(media_id))
        else:
            for tag in dict.fromkeys(tagged[media_id].text for media_id in sure):
                meant = meaning(tokens(tag))
                weights = meant.shows() if meant else None
                if weights is None:
                    continue
                bearing = [media_id for media_id in sure if tagged[media_id].text == tag]
                for ids in _chunks(bearing):
                    strengths = self._strengths(weights, replace(where, ids=tuple(ids or ())))
                    sure |= {media_id: max(TAG_UNSURE, strength) for media_id, strength in strengths.items()}
        return {
            media_id: replace(reason, strength=min(reason.strength, sure.get(media_id, 1.0)))
            for media_id, reason in tagged.items()
        }


def concepts_of(store: Store, collection: str) -> Space | None:
    """The space of what the collection's media show; None where it has none, or one that another table explains."""
    name = CLASS_SPACES.get(collection)
    space = store.schema(collection).space(name) if name else None
    explained = space is not None and space.dim == table().dim and space.revision.endswith(f"/{table().version}")
    return space if explained else None


def _asked(term: Term) -> Iterator[tuple[Place, Array, str]]:
    """Questions about what is shown: what for, with which weights, and its name."""
    if term.meaning is None:
        return
    shown, coloured = term.meaning.shows(), term.meaning.coloured()
    if shown is not None:
        names = dict.fromkeys(table().names[concept] for concept, _ in term.meaning.senses)
        yield Place.SHOWS, shown, ", ".join(names)
    if coloured is not None and term.meaning.colour is not None:
        yield Place.COLOUR, coloured, term.meaning.colour


def _also(where: Filter, words: str) -> Filter:
    return replace(where, words=f"{where.words or ''} {words}".strip())


def _chunks(ids: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    """None for all; else the ids, ``MOST`` at a time."""
    if ids is None:
        yield None
        return
    for start in range(0, len(ids), MOST):
        yield ids[start : start + MOST]


def pictured(store: Store, collection: str, where: Filter) -> int:
    """Records of a collection that have a picture; of a video with sound alone nothing can be shown."""
    if store.schema(collection).space("visual") is not None:
        where = replace(where, has_space="visual")
    return store.count(collection, where)
