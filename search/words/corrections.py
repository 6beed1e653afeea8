"""Corrects a word that is known neither among concepts and colours nor in texts about media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from search.media import tokens
from search.words.evidence import MOST, CollectionSearch
from search.words.meaning import is_known, meaning, vocabulary
from search.words.morphology import forms, plural
from search.words.parse import Term
from search.words.spelling import nearest

FACETS = ("tags", "photographer", "camera")
"""Payload keys whose values, at most ``MOST`` of each in each collection, are spelling's other vocabulary."""

MOST_TRIED = 6
"""Words of the table one typing error away of which the store is asked whether anything shows them."""

SHORTEST_BEGINNING = 3
"""Fewest letters that stand for a tag that they begin."""


@dataclass
class Corrector:
    """Corrects words for one question.

    Attributes:
        searches: the collections that are asked.
    """

    searches: Sequence[CollectionSearch]
    _known: dict[str, str | None] = field(default_factory=dict)

    def correct(self, word: str) -> str | None:
        """The word that was most likely intended; None for a word that is known, too short, not of letters, or like no
        other.

        In this order: a word of the library's facets one typing error away, the most frequent word of its tags that
        begins with it, a word of the table one typing error away; of several of these one that something shows.
        """
        if word not in self._known:
            self._known[word] = None if is_known(word) or self._is_written(word) else self._likeliest(word)
        return self._known[word]

    def _likeliest(self, word: str) -> str | None:
        begun = [tag for tag in self._tags if tag.startswith(word)] if len(word) >= SHORTEST_BEGINNING else []
        written = [*nearest(word, self._library), *begun]
        return written[0] if written else self._likeliest_listed(word)

    def _likeliest_listed(self, word: str) -> str | None:
        if not word.isascii():
            return None
        one = word.removesuffix("s")
        found = nearest(word, vocabulary())
        found += [plural(near) for near in nearest(one, vocabulary())] if one != word else []
        if len(found) < 2:
            return found[0] if found else None
        terms = {near: Term((near,), False, meaning((near,))) for near in found[:MOST_TRIED]}
        return next((near for near, term in terms.items() if any(one.shows(term) for one in self.searches)), found[0])

    def _is_written(self, word: str) -> bool:
        """Whether any text that is asked holds it."""
        if not word.isalpha() or len(word) < SHORTEST_BEGINNING:
            return True
        return any(
            search.store.count(search.collection, replace(search.where, words=form))
            for search in self.searches
            if search.texts
            for form in forms(word)
        )

    @cached_property
    def _library(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for key in FACETS for word in self._values(key)))

    @cached_property
    def _tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._values("tags")))

    def _values(self, key: str) -> Iterator[str]:
        for search in self.searches:
            if search.texts:
                for facet in search.store.facet(search.collection, key, where=search.where, limit=MOST):
                    yield from tokens(facet.value)
