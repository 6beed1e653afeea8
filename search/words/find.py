"""Answers a question in words: by what media show, their colours, and what is written about them.

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

from search.errors import UsageError
from search.likeness.curve import SIMILAR
from search.media import COLLECTIONS, KIND_OF, Kind, MediaRecord
from search.per_store import PerStore
from search.records.lookup import thumbnail_address
from search.records.recent import RecentAnswers
from search.records.shown import shown_records
from search.spaces import MEANING
from search.store.base import Array, Store
from search.store.filters import Filter
from search.words.answers import HOLDS, FoundByWords, Holding, MatchPlace, Narrowing, WordHit, WordReason
from search.words.corrections import Corrector
from search.words.evidence import MOST, CollectionSearch, Evidence, concepts_of
from search.words.moments import moment_of
from search.words.parse import STOP_WORDS, ParsedWords, Term, parse_words
from search.words.phrase import PhraseAnswer, TextEncoder, ask_phrase, without_phrase_vector
from search.words.table import SPACE

By = Literal["shows"]

_NO_WORD = "No word was typed that could be looked for."


@dataclass(frozen=True, slots=True)
class _Found:
    """A record with its reasons, before it is fetched.

    Attributes:
        reasons: each term, with the reasons why the record answers to it.
        whole: probability that it looks like all of them together.
    """

    collection: str
    id: str
    score: float
    weak: bool
    reasons: tuple[tuple[Term, tuple[WordReason, ...]], ...]
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

    def because(self, phrase: str) -> tuple[WordReason, ...]:
        """All reasons, in the order of ``WordHit.reasons``."""
        whole = (WordReason(phrase, MatchPlace.MEANING, phrase, self.whole),) if self.whole else ()
        if len(self.reasons) > 1:
            return tuple(reason for _, reasons in self.reasons for reason in reasons) + whole
        [(term, reasons)] = self.reasons
        alone = (*reasons, *(replace(reason, word=term.label) for reason in whole))
        return tuple(sorted(alone, key=lambda reason: -reason.strength))


@dataclass(frozen=True, slots=True)
class _Searched:
    """
    Attributes:
        complete: no record is missing that is to be counted: that holds all words, or with ``any`` one of them.
        any: no record holds all words; those in ``found`` hold some.
    """

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
    searches = _searches(store, where, collections, by)
    typed = parse_words(words, Corrector(searches).correct)
    if not typed.wanted:
        return FoundByWords((), 0, notes=(_NO_WORD,))
    phrase_answer = ask_phrase(store, typed.phrase, encoder, where or Filter(), [one.collection for one in searches])
    typed, searched = _search_words(searches, typed, phrase_answer)
    page = searched.found[offset : offset + limit]
    firm = sum(not one.weak for one in searched.found)
    return FoundByWords(
        hits=_hits(store, page, {search.collection: search for search in searches}, typed.phrase, phrase_answer),
        total=firm,
        weaker=len(searched.found) - firm,
        at_least=not searched.complete,
        corrected=typed.corrected,
        ignored=typed.ignored,
        matched_any=searched.any,
        notes=(*_answer_notes(searched), *_lacking_notes(store, searches, typed, phrase_answer, where or Filter())),
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
    example (like this photo, and red). Words that distinguish no media narrow nothing.

    Args:
        encoder: as of :func:`search_words`.

    Raises:
        UsageError: as :func:`search_words`.
    """
    searches = _searches(store, where, collections, None)
    typed = parse_words(words, Corrector(searches).correct)
    if not typed.unwanted and all(term.label in STOP_WORDS and not term.quoted for term in typed.wanted):
        general = tuple(term.label for term in typed.wanted)
        return Narrowing({}, typed.corrected, (*general, *typed.ignored), () if general else (_NO_WORD,))
    phrase_answer = ask_phrase(store, typed.phrase, encoder, where or Filter(), [one.collection for one in searches])
    held = {}
    for search in searches:
        _, searched = _search_words([search], typed, phrase_answer)
        ids = [] if searched.any else [one.id for one in searched.found if not one.weak]
        held[search.collection] = Holding(tuple(ids[:MOST]), not searched.complete or len(ids) > MOST)
    notes = _lacking_notes(store, searches, typed, phrase_answer, where or Filter())
    return Narrowing(held, typed.corrected, typed.ignored, notes)


def _searches(store: Store, where: Filter | None, collections: Sequence[str], by: By | None) -> list[CollectionSearch]:
    stored = store.collections()
    return [
        CollectionSearch(store, name, where or Filter(), concepts_of(store, name), texts=by is None)
        for name in collections
        if name in stored
    ]


def _search_words(
    searches: Sequence[CollectionSearch], typed: ParsedWords, phrase_answer: PhraseAnswer
) -> tuple[ParsedWords, _Searched]:
    """By single words and by the phrase that they are. Which words were searched, and what was found."""
    typed, searched = _by_words(searches, typed)
    return typed, _fused(searches, typed, searched, phrase_answer)


_recent: PerStore[RecentAnswers[tuple[ParsedWords, _Searched]]] = PerStore(lambda _: RecentAnswers())


def _by_words(searches: Sequence[CollectionSearch], typed: ParsedWords) -> tuple[ParsedWords, _Searched]:
    """With words that name one concept taken together; where nothing holds that for certain, one by one."""
    if not searches:
        return _find(searches, typed)
    asked = (typed, tuple((one.collection, one.where, one.space, one.texts) for one in searches))
    store = searches[0].store
    return _recent(store).answer(
        asked, lambda: [store.edition(one.collection) for one in searches], lambda: _find(searches, typed)
    )


def _find(searches: Sequence[CollectionSearch], typed: ParsedWords) -> tuple[ParsedWords, _Searched]:
    together = _search(searches, typed)
    one_by_one = typed.one_by_one()
    if one_by_one is None or (together.found and not together.any and not together.found[0].weak):
        return typed, together
    single = _search(searches, one_by_one)
    certain = single.found and not single.any and not single.found[0].weak
    return (one_by_one, single) if certain or not together.found else (typed, together)


def _search(searches: Sequence[CollectionSearch], typed: ParsedWords) -> _Searched:
    """All records that hold all words, then those that may; if none holds all, those that hold any."""
    evidence = [(search, *_gather(search, typed.wanted)) for search in searches]
    found: list[_Found] = []
    for search, by_term, candidates in evidence:
        for media_id in candidates:
            strengths = [one.strength(media_id) for one in by_term]
            if all(strengths):
                score = math.exp(sum(map(math.log, strengths)) / len(strengths))
                found.append(_found(search, media_id, score, typed.wanted, by_term, weak=min(strengths) < HOLDS))
    found = _without(searches, typed.unwanted, found)
    none_holds_all = len(typed.wanted) > 1 and all(one.weak for one in found)
    if none_holds_all:
        some: list[_Found] = []
        for search, by_term, _ in evidence:
            for media_id in dict.fromkeys(media_id for one in by_term for media_id in one.reasons):
                strengths = [one.strength(media_id) for one in by_term]
                if max(strengths) >= HOLDS:
                    score = sum(strengths) / len(strengths)
                    some.append(_found(search, media_id, score, typed.wanted, by_term, weak=False))
        some = _without(searches, typed.unwanted, some)
        found, none_holds_all = some or found, bool(some)
    found.sort(key=lambda one: one.rank)
    # Whatever holds all words is among what holds a word whose holders are all known, and was checked for the others.
    enough = all if none_holds_all else any
    complete = all(enough(one.all_holders for one in by_term) for _, by_term, _ in evidence)
    return _Searched(found, complete, none_holds_all)


def _fused(
    searches: Sequence[CollectionSearch], typed: ParsedWords, searched: _Searched, phrase_answer: PhraseAnswer
) -> _Searched:
    """What was found by words, and what looks like all of them: of both the higher likeness.

    As soon as one record likely looks like all words, those that hold only some of them are weak.
    """
    if not phrase_answer.asked:
        return searched
    known = {(one.collection, one.id) for one in searched.found}
    nothing: tuple[tuple[Term, tuple[WordReason, ...]], ...] = tuple((term, ()) for term in typed.wanted)
    new = [
        _Found(search.collection, id_, 0.0, True, nothing)
        for search in searches
        for id_ in phrase_answer.likenesses.get(search.collection, ())
        if (search.collection, id_) not in known
    ]
    found = [
        replace(one, score=max(one.score, whole), weak=one.weak and whole < SIMILAR, whole=whole)
        for one in (*searched.found, *_without(searches, typed.unwanted, new))
        for whole in [phrase_answer.among(one.collection, one.id)]
    ]
    certain = any(one.whole >= SIMILAR for one in found)
    if searched.any and certain:
        found = [replace(one, weak=one.whole < SIMILAR) for one in found]
    found.sort(key=lambda one: one.rank)
    return _Searched(found, searched.complete and phrase_answer.complete, searched.any and not certain)


def _gather(search: CollectionSearch, terms: Sequence[Term]) -> tuple[list[Evidence], list[str]]:
    """Evidence for each term, and the records that may hold all of them."""
    by_term = [search.about(term) for term in terms]
    complete = [one for one in by_term if one.complete]
    if complete:
        candidates = [id_ for id_ in complete[0].reasons if all(id_ in one.reasons for one in complete[1:])]
    else:
        joint = search.joint_candidates(terms) if len(terms) > 1 else []
        candidates = list(dict.fromkeys([*(id_ for one in by_term for id_ in one.reasons), *joint]))
    for term, one in zip(terms, by_term, strict=True):
        unchecked = [] if one.complete or len(terms) == 1 else [id_ for id_ in candidates if id_ not in one.reasons]
        one.reasons.update(search.about_records(term, unchecked) if unchecked else {})
    return by_term, candidates


def _found(
    search: CollectionSearch,
    media_id: str,
    score: float,
    terms: Sequence[Term],
    by_term: Sequence[Evidence],
    *,
    weak: bool,
) -> _Found:
    reasons = (
        (term, tuple(sorted(one.reasons.get(media_id, ()), key=lambda reason: -reason.strength)))
        for term, one in zip(terms, by_term, strict=True)
    )
    return _Found(search.collection, media_id, score, weak, tuple(reasons))


def _without(searches: Sequence[CollectionSearch], unwanted: Sequence[Term], found: list[_Found]) -> list[_Found]:
    for search in searches:
        among = [one.id for one in found if one.collection == search.collection]
        for term in unwanted:
            out = search.left_out(term, among)
            among = [media_id for media_id in among if media_id not in out]
            found = [one for one in found if one.collection != search.collection or one.id not in out]
    return found


def _hits(
    store: Store,
    page: Sequence[_Found],
    searches: Mapping[str, CollectionSearch],
    phrase: str,
    phrase_answer: PhraseAnswer,
) -> tuple[WordHit, ...]:
    """The page's records; those deleted meanwhile are left out."""
    records: dict[str, MediaRecord] = {}
    vectors: dict[str, Mapping[str, Array]] = {}
    for name, search in searches.items():
        ids = [one.id for one in page if one.collection == name]
        spaces = [search.space.name] if search.space and KIND_OF[name] is Kind.VIDEO else []
        spaces += [MEANING] if name in phrase_answer.asked and KIND_OF[name] is Kind.VIDEO else []
        if ids and spaces:
            points = store.retrieve(name, ids, vectors=spaces)
            vectors |= {point.id: point.vectors for point in points}
            records |= {point.id: MediaRecord.from_payload(point.payload) for point in points}
        else:
            records |= shown_records(store, name, ids)
    return tuple(
        _hit(one, records[one.id], vectors.get(one.id, {}), searches[one.collection], phrase, phrase_answer)
        for one in page
        if one.id in records
    )


def _hit(
    one: _Found,
    record: MediaRecord,
    vectors: Mapping[str, Array],
    search: CollectionSearch,
    phrase: str,
    phrase_answer: PhraseAnswer,
) -> WordHit:
    return WordHit(
        id=record.id,
        kind=record.kind,
        paths=record.paths,
        thumbnail=thumbnail_address(record),
        tags=record.tags,
        score=one.score,
        matched=one.held or tuple(term.label for term, reasons in one.reasons if reasons),
        reasons=one.because(phrase),
        moment=moment_of(record, one.collection, vectors, one.reasons, one.whole, search.space, phrase_answer),
        weak=one.weak,
    )


def _answer_notes(searched: _Searched) -> tuple[str, ...]:
    if searched.any:
        return ("Nothing holds all of these words; what holds some of them is given.",)
    if searched.found and searched.found[0].weak:
        return ("Nothing holds these words for certain; what may show them is given.",)
    return ()


def _lacking_notes(
    store: Store,
    searches: Sequence[CollectionSearch],
    typed: ParsedWords,
    phrase_answer: PhraseAnswer,
    where: Filter,
) -> tuple[str, ...]:
    """Which records could not be compared, and why."""
    named = any(term.meaning is not None for term in (*typed.wanted, *typed.unwanted))
    without_concepts = sum(search.without_concepts() for search in searches) if named else 0
    without_vector = without_phrase_vector(store, list(phrase_answer.asked), where)
    return (
        *_reembed_note(without_concepts, "no concepts yet", SPACE),
        *phrase_answer.notes,
        *_reembed_note(without_vector, "no vector to compare words with", MEANING),
    )


def _reembed_note(count: int, lacking: str, space: str) -> tuple[str, ...]:
    if not count:
        return ()
    pictures = "1 picture or video has" if count == 1 else f"{count} pictures and videos have"
    return (f"{pictures} {lacking}; `likewise reembed --space {space}` gives them some.",)
