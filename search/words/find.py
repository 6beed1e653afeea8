"""Media that answer to words: by what they show, by their colours, and by what is written about them.

For every word a record holds it by concept or colour (strength from ``HOLDS``) or by text. All words must hold; only
when no record holds all, those that hold any are given. Each word is asked for alone, and all together, for at most
``MOST`` records each; what may hold them all is then checked word by word. So a record is missed only where every word
has more than that, and more show or say more of each one and of all in sum than it does.

Where a library has the space ``meaning`` (``search.words.phrase``), all words together are a phrase that pictures may
look like. A record that likely does holds them all, whatever is known of each; its score is the higher of the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from search.errors import UsageError
from search.likeness import SIMILAR
from search.media import COLLECTIONS, KIND_OF, Kind, MediaRecord
from search.records import thumbnail_address
from search.spaces import MEANING
from search.store.base import Store, StoredPoint
from search.store.filters import Filter
from search.words.answers import HOLDS, FoundByWords, Holding, Narrowing, Place, Reason, WordHit
from search.words.corrections import Corrector
from search.words.evidence import MOST, Evidence, Witness, concepts_of
from search.words.phrase import Meant, TextEncoder, ask_phrase, lacking
from search.words.table import SPACE
from search.words.typed import Term, Typed, understand

By = Literal["shows"]


@dataclass(frozen=True, slots=True)
class _Found:
    """A record with what speaks for it, before it is fetched.

    Attributes:
        reasons: each term, with what speaks for it.
        whole: how likely it looks like all of them together.
    """

    collection: str
    id: str
    score: float
    weak: bool
    reasons: tuple[tuple[Term, tuple[Reason, ...]], ...]
    whole: float = 0.0

    @property
    def rank(self) -> tuple[bool, int, float, str]:
        return (self.weak, -len(self.held), -self.score, self.id)

    @property
    def held(self) -> tuple[str, ...]:
        likely = self.whole >= SIMILAR
        return tuple(
            term.label for term, reasons in self.reasons if likely or (reasons and reasons[0].strength >= HOLDS)
        )

    def because(self, phrase: str) -> tuple[Reason, ...]:
        """All reasons, in the order of ``WordHit.reasons``."""
        whole = (Reason(phrase, Place.MEANING, phrase, self.whole),) if self.whole else ()
        if len(self.reasons) > 1:
            return tuple(reason for _, reasons in self.reasons for reason in reasons) + whole
        [(term, reasons)] = self.reasons
        alone = (*reasons, *(replace(reason, word=term.label) for reason in whole))
        return tuple(sorted(alone, key=lambda reason: -reason.strength))


@dataclass(frozen=True, slots=True)
class _Searched:
    found: list[_Found]
    complete: bool
    any: bool


def search_words(
    store: Store,
    words: str,
    *,
    where: Filter | None = None,
    collections: Sequence[str] = COLLECTIONS,
    limit: int = 50,
    offset: int = 0,
    by: By | None = None,
    encoder: TextEncoder | None = None,
) -> FoundByWords:
    """Records that answer to the words, best first; of equal ones the lower id.

    Words are in upper or lower case, in the singular or plural. Several that name one concept count as one
    (``hot air balloon``). One typing error is forgiven in a word of four letters or more that is known nowhere.

    Args:
        by: ``shows`` leaves out what is written about media and asks only what they show.
        encoder: embeds the words, so that they are compared with whole pictures too; None does without. Where it fails,
            a note says so.

    Raises:
        UsageError: too many characters or words, only words to leave out, or a limit or offset out of range.
    """
    if limit < 1 or offset < 0:
        raise UsageError(
            f"There cannot be {limit} answers from number {offset} on.", "Ask for at least one, from 0 on."
        )
    witnesses = _witnesses(store, where, collections, by)
    typed = understand(words, Corrector(witnesses).correct)
    if not typed.wanted:
        return FoundByWords((), 0, notes=("No word was typed that could be looked for.",))
    meant = ask_phrase(store, typed.phrase, encoder, where or Filter(), [one.collection for one in witnesses])
    typed, searched = _search_words(witnesses, typed, meant)
    page = searched.found[offset : offset + limit]
    firm = sum(not one.weak for one in searched.found)
    return FoundByWords(
        hits=_hits(store, page, {witness.collection: witness for witness in witnesses}, typed.phrase, meant),
        total=firm,
        weaker=len(searched.found) - firm,
        at_least=not searched.complete,
        corrected=typed.corrected,
        ignored=typed.ignored,
        matched_any=searched.any,
        notes=(*_notes(witnesses, typed, searched), *meant.notes, *_unfilled(store, meant, where or Filter())),
    )


def holding(
    store: Store,
    words: str,
    *,
    collections: Sequence[str] = COLLECTIONS,
    where: Filter | None = None,
    encoder: TextEncoder | None = None,
) -> Narrowing:
    """For each collection there is the records that hold all of the words, at most ``MOST``: what narrows a question by
    example (like this photo, and red). None hold no words.

    Args:
        encoder: as of :func:`search_words`.

    Raises:
        UsageError: as :func:`search_words`.
    """
    witnesses = _witnesses(store, where, collections, None)
    typed = understand(words, Corrector(witnesses).correct)
    named = [witness.collection for witness in witnesses] if typed.wanted else []
    meant = ask_phrase(store, typed.phrase, encoder, where or Filter(), named)
    held = {}
    for witness in witnesses:
        searched = _search_words([witness], typed, meant)[1] if typed.wanted else _Searched([], True, any=False)
        ids = [] if searched.any else [one.id for one in searched.found if not one.weak]
        held[witness.collection] = Holding(tuple(ids[:MOST]), not searched.complete or len(ids) > MOST)
    notes = (*_lacking_notes(witnesses, typed), *meant.notes, *_unfilled(store, meant, where or Filter()))
    return Narrowing(held, typed.corrected, notes)


def _witnesses(store: Store, where: Filter | None, collections: Sequence[str], by: By | None) -> list[Witness]:
    stored = store.collections()
    return [
        Witness(store, name, where or Filter(), concepts_of(store, name), texts=by is None)
        for name in collections
        if name in stored
    ]


def _search_words(witnesses: Sequence[Witness], typed: Typed, meant: Meant) -> tuple[Typed, _Searched]:
    """By single words and by the phrase that they are. How they were taken at last, and what was found."""
    typed, searched = _by_words(witnesses, typed)
    return typed, _fused(witnesses, typed, searched, meant)


def _by_words(witnesses: Sequence[Witness], typed: Typed) -> tuple[Typed, _Searched]:
    """With words that name one concept taken together; where nothing holds that for certain, one by one."""
    together = _search(witnesses, typed)
    one_by_one = typed.apart()
    if one_by_one is None or (together.found and not together.any and not together.found[0].weak):
        return typed, together
    apart = _search(witnesses, one_by_one)
    certain = apart.found and not apart.any and not apart.found[0].weak
    return (one_by_one, apart) if certain or not together.found else (typed, together)


def _search(witnesses: Sequence[Witness], typed: Typed) -> _Searched:
    """All records that hold all words, then those that may; if none holds all, those that hold any."""
    evidence = [(witness, *_gather(witness, typed.wanted)) for witness in witnesses]
    found: list[_Found] = []
    for witness, by_term, candidates in evidence:
        for media_id in candidates:
            strengths = [one.strength(media_id) for one in by_term]
            if all(strengths):
                score = math.exp(sum(map(math.log, strengths)) / len(strengths))
                found.append(_found(witness, media_id, score, typed.wanted, by_term, weak=min(strengths) < HOLDS))
    found = _without(witnesses, typed.unwanted, found)
    none_holds_all = len(typed.wanted) > 1 and all(one.weak for one in found)
    if none_holds_all:
        some: list[_Found] = []
        for witness, by_term, _ in evidence:
            for media_id in dict.fromkeys(media_id for one in by_term for media_id in one.reasons):
                strengths = [one.strength(media_id) for one in by_term]
                if max(strengths) >= HOLDS:
                    score = sum(strengths) / len(strengths)
                    some.append(_found(witness, media_id, score, typed.wanted, by_term, weak=False))
        found = _without(witnesses, typed.unwanted, some) or found
        none_holds_all = bool(some)
    found.sort(key=lambda one: one.rank)
    return _Searched(found, all(one.complete for _, by_term, _ in evidence for one in by_term), none_holds_all)


def _fused(witnesses: Sequence[Witness], typed: Typed, searched: _Searched, meant: Meant) -> _Searched:
    """What was found by words, and what looks like all of them: of both the higher likeness.

    As soon as one record likely looks like all words, those that hold only some of them are weak.
    """
    if not meant.asked:
        return searched
    known = {(one.collection, one.id) for one in searched.found}
    nothing: tuple[tuple[Term, tuple[Reason, ...]], ...] = tuple((term, ()) for term in typed.wanted)
    new = [
        _Found(witness.collection, id_, 0.0, True, nothing)
        for witness in witnesses
        for id_ in meant.likenesses.get(witness.collection, ())
        if (witness.collection, id_) not in known
    ]
    found = [
        replace(one, score=max(one.score, whole), weak=one.weak and whole < SIMILAR, whole=whole)
        for one in (*searched.found, *_without(witnesses, typed.unwanted, new))
        for whole in [meant.among(one.collection, one.id)]
    ]
    certain = any(one.whole >= SIMILAR for one in found)
    if searched.any and certain:
        found = [replace(one, weak=one.whole < SIMILAR) for one in found]
    found.sort(key=lambda one: one.rank)
    return _Searched(found, searched.complete and meant.complete, searched.any and not certain)


def _gather(witness: Witness, terms: Sequence[Term]) -> tuple[list[Evidence], list[str]]:
    """Evidence for each term, and the records that may hold all of them."""
    by_term = [witness.about(term) for term in terms]
    complete = [one for one in by_term if one.complete]
    if complete:
        candidates = [id_ for id_ in complete[0].reasons if all(id_ in one.reasons for one in complete[1:])]
    else:
        joint = witness.together(terms) if len(terms) > 1 else []
        candidates = list(dict.fromkeys([*(id_ for one in by_term for id_ in one.reasons), *joint]))
    for term, one in zip(terms, by_term, strict=True):
        unchecked = [] if one.complete or len(terms) == 1 else [id_ for id_ in candidates if id_ not in one.reasons]
        one.reasons.update(witness.about(term, unchecked).reasons if unchecked else {})
    return by_term, candidates


def _found(
    witness: Witness, media_id: str, score: float, terms: Sequence[Term], by_term: Sequence[Evidence], *, weak: bool
) -> _Found:
    reasons = (
        (term, tuple(sorted(one.reasons.get(media_id, ()), key=lambda reason: -reason.strength)))
        for term, one in zip(terms, by_term, strict=True)
    )
    return _Found(witness.collection, media_id, score, weak, tuple(reasons))


def _without(witnesses: Sequence[Witness], unwanted: Sequence[Term], found: list[_Found]) -> list[_Found]:
    for witness in witnesses:
        among = [one.id for one in found if one.collection == witness.collection]
        for term in unwanted:
            out = witness.left_out(term, among)
            among = [media_id for media_id in among if media_id not in out]
            found = [one for one in found if one.collection != witness.collection or one.id not in out]
    return found


def _hits(
    store: Store, page: Sequence[_Found], witnesses: Mapping[str, Witness], phrase: str, meant: Meant
) -> tuple[WordHit, ...]:
    """The page's records, fetched; those deleted meanwhile are left out."""
    points: dict[str, StoredPoint] = {}
    for name, witness in witnesses.items():
        ids = [one.id for one in page if one.collection == name]
        vectors = [witness.space.name] if witness.space and KIND_OF[name] is Kind.VIDEO else []
        vectors += [MEANING] if name in meant.asked and KIND_OF[name] is Kind.VIDEO else []
        points |= {point.id: point for point in (store.retrieve(name, ids, vectors=vectors) if ids else ())}
    return tuple(
        _hit(one, points[one.id], witnesses[one.collection], phrase, meant) for one in page if one.id in points
    )


def _hit(one: _Found, point: StoredPoint, witness: Witness, phrase: str, meant: Meant) -> WordHit:
    record = MediaRecord.from_payload(point.payload)
    return WordHit(
        id=record.id,
        kind=record.kind,
        paths=record.paths,
        thumbnail=thumbnail_address(record),
        tags=record.tags,
        score=one.score,
        matched=one.held or tuple(term.label for term, reasons in one.reasons if reasons),
        reasons=one.because(phrase),
        moment=_moment(one, record, point, witness, meant),
        weak=one.weak,
    )


def _moment(one: _Found, record: MediaRecord, point: StoredPoint, witness: Witness, meant: Meant) -> float | None:
    """Seconds into a video of the frame that gave the strongest of the concepts and colours asked for, or that looks
    most like all words, if that is stronger."""
    if record.kind is not Kind.VIDEO:
        return None
    shown = [
        (reason.strength, term, reason.place)
        for term, reasons in one.reasons
        for reason in reasons
        if reason.place in (Place.SHOWS, Place.COLOUR)
    ]
    if one.whole > max((strength for strength, *_ in shown), default=0.0) and MEANING in point.vectors:
        at = meant.frame(one.collection, point.vectors[MEANING])
        return record.moments[at] if at < len(record.moments) else None
    if not shown or witness.space is None or witness.space.name not in point.vectors:
        return None
    _, term, place = max(shown, key=lambda entry: entry[0])
    sense = term.meaning
    weights = None if sense is None else sense.shows() if place is Place.SHOWS else sense.coloured()
    if sense is None or weights is None:
        return None
    own = point.vectors[witness.space.name][0]
    components = np.flatnonzero(own)
    asked = [concept for concept, _ in sense.senses] if place is Place.SHOWS else []
    best = next((concept for concept in asked if len(asked) == 1 and own[concept]), int(np.argmax(own * weights[0])))
    at = int(np.searchsorted(components, best))
    if at >= len(record.concept_frames) or record.concept_frames[at] >= len(record.moments):
        return None
    return record.moments[record.concept_frames[at]]


def _notes(witnesses: Sequence[Witness], typed: Typed, searched: _Searched) -> tuple[str, ...]:
    notes = []
    if searched.any:
        notes.append("Nothing holds all of these words; what holds some of them is given.")
    elif searched.found and searched.found[0].weak:
        notes.append("Nothing holds these words for certain; what may show them is given.")
    return (*notes, *_lacking_notes(witnesses, typed))


def _lacking_notes(witnesses: Sequence[Witness], typed: Typed) -> tuple[str, ...]:
    """That what some pictures show is not known."""
    if not any(term.meaning is not None for term in (*typed.wanted, *typed.unwanted)):
        return ()
    without = sum(witness.lacking() for witness in witnesses)
    if not without:
        return ()
    pictures = "1 picture or video has" if without == 1 else f"{without} pictures and videos have"
    return (f"{pictures} no concepts yet; `likewise reembed --space {SPACE}` gives them some.",)


def _unfilled(store: Store, meant: Meant, where: Filter) -> tuple[str, ...]:
    """That some pictures could not be compared with the words."""
    without = lacking(store, list(meant.asked), where)
    if not without:
        return ()
    pictures = "1 picture or video has" if without == 1 else f"{without} pictures and videos have"
    return (f"{pictures} no vector to compare words with; `likewise reembed --space {MEANING}` gives them some.",)
