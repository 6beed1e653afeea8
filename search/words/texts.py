"""Finds a term in a record's own text: tags, names, folders, photographer, artist, camera, date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from search import addresses
from search.media import MONTHS, Kind, instant, tokens
from search.words.answers import WORTH, MatchPlace, WordReason
from search.words.parse import Term

Text = tuple[MatchPlace, str, tuple[str, ...]]
"""A place, what is written there, and its words in order."""

NEEDED = ("kind", "paths", "tags", "photographer", "artist", "camera", "lens", "taken_at")
"""Payload keys of what is looked through here."""

_REMEMBERED = 1 << 14
"""Paths, and other texts, whose words are kept: hundreds of records are read for a common word, the same again for the
next question, and finding the words takes longest."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A term as it may be written, made once for all records that are looked through.

    Attributes:
        alone: forms of one word; ``phrases`` those of several.
        scatters: its words need not stand together.
    """

    label: str
    forms: tuple[tuple[str, ...], ...]
    alone: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]
    scatters: bool

    @classmethod
    def of(cls, term: Term) -> Sought:
        forms = term.texts
        alone = frozenset(form[0] for form in forms if len(form) == 1)
        phrases = tuple(form for form in forms if len(form) > 1)
        return cls(term.label, forms, alone, phrases, not term.quoted and len(term.words) > 1)


def reasons(payload: Mapping[str, Any], sought: Sought) -> tuple[WordReason, ...]:
    """Places where the term is written, the best of each kind, strongest first.

    The words of a term that is no phrase need not stand together: where no one place has them all, the weakest of
    their places counts.

    Args:
        payload: of a record, see ``MediaRecord.to_payload``, with the keys ``NEEDED`` that it has.
    """
    texts = list(texts_of(payload))
    found: dict[MatchPlace, WordReason] = {}
    for place, text, words in texts:
        stands = not sought.alone.isdisjoint(words) or any(_stands(form, words) for form in sought.phrases)
        if stands and place not in found:
            found[place] = WordReason(sought.label, place, text, WORTH[place])
    if not found and sought.scatters:
        scattered = [_scattered(texts, form, sought.label) for form in sought.forms]
        found = {one.place: one for one in scattered if one is not None}
    return tuple(sorted(found.values(), key=lambda reason: -reason.strength))


def texts_of(payload: Mapping[str, Any]) -> Iterator[Text]:
    """Every text of a record that is searched."""
    for tag in payload.get("tags", ()):
        yield MatchPlace.TAG, tag, _words(tag)
    if photographer := payload.get("photographer"):
        yield MatchPlace.PHOTOGRAPHER, photographer, _words(photographer)
    if (artist := payload.get("artist")) and payload["kind"] == Kind.AUDIO:
        yield MatchPlace.ARTIST, artist, _words(artist)
    for path in payload["paths"]:
        yield from _of_path(path)
    for key in ("camera", "lens"):
        if device := payload.get(key):
            yield MatchPlace.CAMERA, device, _words(device)
    taken = instant(payload.get("taken_at"))
    if taken is not None:
        date = f"{MONTHS[taken.month - 1]} {taken.year:04}"
        yield MatchPlace.DATE, date, _words(date)


_words = lru_cache(_REMEMBERED)(tokens)


@lru_cache(_REMEMBERED)
def _of_path(path: str) -> tuple[Text, ...]:
    """The name of the file, then the last folders."""
    name = addresses.name(path)
    folders = reversed(addresses.parts(path)[-3:-1])
    return (MatchPlace.NAME, name, tokens(name)), *((MatchPlace.FOLDER, one, _words(one)) for one in folders)


def _stands(phrase: Sequence[str], words: tuple[str, ...]) -> bool:
    length = len(phrase)
    return any(words[at : at + length] == tuple(phrase) for at in range(len(words) - length + 1))


def _scattered(texts: Sequence[Text], words: Sequence[str], label: str) -> WordReason | None:
    weakest: WordReason | None = None
    for word in words:
        where = [(WORTH[place], place, text) for place, text, held in texts if word in held]
        if not where:
            return None
        strength, place, text = max(where, key=lambda one: one[0])
        if weakest is None or strength < weakest.strength:
            weakest = WordReason(label, place, text, strength)
    return weakest
