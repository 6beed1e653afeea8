"""Parses what was typed: words, "phrases in quotation marks", -words and -"phrases" to leave out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from search.errors import UsageError
from search.media import tokens
from search.words.answers import Correction
from search.words.meaning import LONGEST, Meaning, meaning
from search.words.morphology import forms

MOST_CHARACTERS = 1000
MOST_WORDS = 32
"""Longer texts are refused: each word costs several questions to the store."""

STOP_WORDS = frozenset(
    (  # noqa: SIM905 (sixty lines otherwise)
        "a an and any are as at be by for from has have her his i in into is it its me my near of on or our s some t "
        "that the their there these this those to was we were where which with your image images photo photos "
        "photograph photographs pic pics picture pictures show showing shows"
    ).split()
)
"""Words that distinguish no media: articles, prepositions and pronouns of English, and names of what is asked for."""

_PART = re.compile(r'(?<!\S)(-?)"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Term:
    """One word, several that name one concept, or a phrase.

    Attributes:
        words: lower case, at least one.
        quoted: in a text its words stand side by side, just as typed.
        meaning: what it is among concepts and colours.
    """

    words: tuple[str, ...]
    quoted: bool
    meaning: Meaning | None

    @property
    def label(self) -> str:
        return " ".join(self.words)

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Ways in which it may be written: as typed, and with its last word in the singular and in the plural."""
        if self.quoted:
            return (self.words,)
        base = self.meaning.base[-1] if self.meaning else None
        return tuple((*self.words[:-1], last) for last in forms(self.words[-1], base))


@dataclass(frozen=True, slots=True)
class ParsedWords:
    """What was typed, understood.

    Attributes:
        wanted: what a record has to hold; empty only where nothing was typed that has a letter or digit.
        unwanted: what it may not hold.
        corrected: of each word that was corrected, what stands in ``wanted`` and ``unwanted`` in its place.
        phrase: everything but what is to be left out, in order, stop words too, and typing errors as they were typed: a
            correction may be wrong, and models of text know words with typing errors.
    """

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]
    ignored: tuple[str, ...]
    corrected: tuple[Correction, ...]
    phrase: str = ""

    def one_by_one(self) -> ParsedWords | None:
        """The same with words that name one concept together searched one by one: ``black`` and ``bear``; None if
        there are none."""
        if all(term.quoted or len(term.words) == 1 for term in self.wanted):
            return None
        single: dict[Term, None] = {}
        for term in self.wanted:
            words = [(word,) for word in term.words if word not in STOP_WORDS]
            single |= dict.fromkeys([term] if term.quoted else [Term(word, False, meaning(word)) for word in words])
        return replace(self, wanted=tuple(single))


@dataclass(frozen=True, slots=True)
class _Part:
    words: tuple[str, ...]
    quoted: bool
    negative: bool


def parse_words(text: str, correct: Callable[[str], str | None] = lambda _: None) -> ParsedWords:
    """Read a question in words.

    A quotation mark without its partner counts as a blank, and so do control characters.

    Args:
        correct: asked for each word that is in no quotation marks and no stop word; another word to put in its
            place, or None to leave it.

    Raises:
        UsageError: it is longer than ``MOST_CHARACTERS``, has more than ``MOST_WORDS`` words, or only leaves out.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"The words are {len(text)} characters long; {MOST_CHARACTERS} are the limit.", "Ask with fewer words."
        )
    read = _parts(text)
    number = sum(len(part.words) for part in read)
    if number > MOST_WORDS:
        raise UsageError(f"These are {number} words; {MOST_WORDS} are the limit.", "Ask with fewer words.")
    corrected: dict[str, str] = {}

    def spelled(word: str) -> str:
        instead = None if word in STOP_WORDS else correct(word)
        if instead is not None:
            corrected[word] = instead
        return instead or word

    parts = [part if part.quoted else _Part(tuple(map(spelled, part.words)), False, part.negative) for part in read]
    ignored: dict[str, None] = {}
    wanted = _terms([part for part in parts if not part.negative], ignored)
    unwanted = _terms([part for part in parts if part.negative], ignored)
    if not wanted and ignored:
        kept = [word for part in parts if not part.negative for word in part.words]
        wanted = [Term((word,), False, None) for word in dict.fromkeys(kept)]
        ignored = {word: None for word in ignored if word not in kept}
    if unwanted and not wanted:
        left_out = ", ".join(f"-{term.label}" for term in unwanted)
        raise UsageError(
            f"'{left_out}' only leaves out, so there is nothing to look for.",
            f"Add a word for what should be there: animal -{unwanted[0].label}.",
        )
    corrections = tuple(Correction(*pair) for pair in corrected.items())
    phrase = " ".join(word for part in read if not part.negative for word in part.words)
    return ParsedWords(tuple(wanted), tuple(unwanted), tuple(ignored), corrections, phrase)


def _parts(text: str) -> list[_Part]:
    """Phrases, words to leave out, and runs of other words between them."""
    found: list[_Part] = []
    run: list[str] = []
    for match in _PART.finditer("".join(mark if mark.isprintable() else " " for mark in text)):
        minus, phrase, word = match.groups()
        negative = minus == "-" if phrase is not None else word.startswith("-")
        words = tokens(phrase if phrase is not None else word)
        if phrase is None and not negative:
            run += words
            continue
        if words:
            found += [_Part(tuple(run), False, False), _Part(words, phrase is not None or len(words) > 1, negative)]
            run = []
    found.append(_Part(tuple(run), False, False))
    return [part for part in found if part.words]


def _terms(parts: Sequence[_Part], ignored: dict[str, None]) -> list[Term]:
    """Terms of the parts, each once, in order; stop words that no term has taken go to ``ignored``."""
    found: dict[tuple[tuple[str, ...], bool], Term] = {}
    for part in parts:
        for term in _split(part):
            if not term.quoted and len(term.words) == 1 and term.words[0] in STOP_WORDS:
                ignored[term.words[0]] = None
            else:
                found.setdefault((term.words, term.quoted and len(term.words) > 1), term)
    return list(found.values())


def _split(part: _Part) -> list[Term]:
    """A phrase as it is; of other words as many together as name one concept, the longest such name first."""
    return [Term(part.words, True, meaning(part.words))] if part.quoted else _grouped(part.words)


def _grouped(words: tuple[str, ...]) -> list[Term]:
    for length in range(min(LONGEST, len(words)), 1, -1):
        for start in range(len(words) - length + 1):
            together = words[start : start + length]
            concept = meaning(together)
            if concept is not None:
                return [*_grouped(words[:start]), Term(together, False, concept), *_grouped(words[start + length :])]
    return [Term((word,), False, meaning((word,))) for word in words]
