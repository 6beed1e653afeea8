"""Finds a term in a record's own text: tags, names, folders, photographer, artist, camera, date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search import addresses
from search.media import MONTHS, Kind, MediaRecord, instant, tokens
from search.words.answers import WORTH, MatchPlace, WordReason
from search.words.parse import Term

Text = tuple[MatchPlace, str, tuple[str, ...]]
"""A place, what is written there, and its words in order."""

NEEDED = ("id", "kind", "paths", "tags", "photographer", "artist", "camera", "lens", "taken_at")
"""Payload keys of what is looked through here."""


def reasons(record: MediaRecord, term: Term) -> tuple[WordReason, ...]:
    """Places where the term is written, the best of each kind, strongest first.

    The words of a term that is no phrase need not stand together: where no one place has them all, the weakest of
    their places counts.
    """
    texts, forms = list(texts_of(record)), term.texts
    found: dict[MatchPlace, WordReason] = {}
    for place, text, words in texts:
        if place not in found and any(_stands(form, words) for form in forms):
            found[place] = WordReason(term.label, place, text, WORTH[place])
    if not found and not term.quoted and len(term.words) > 1:
        scattered = [_scattered(texts, form, term.label) for form in forms]
        found = {one.place: one for one in scattered if one is not None}
    return tuple(sorted(found.values(), key=lambda reason: -reason.strength))


def texts_of(record: MediaRecord) -> Iterator[Text]:
    """Every text of a record that is searched."""
    for tag in record.tags:
        yield MatchPlace.TAG, tag, tokens(tag)
    if record.photographer:
        yield MatchPlace.PHOTOGRAPHER, record.photographer, tokens(record.photographer)
    if record.artist and record.kind is Kind.AUDIO:
        yield MatchPlace.ARTIST, record.artist, tokens(record.artist)
    for path in record.paths:
        yield MatchPlace.NAME, addresses.name(path), tokens(addresses.name(path))
        for folder in reversed(addresses.parts(path)[-3:-1]):
            yield MatchPlace.FOLDER, folder, tokens(folder)
    for device in (record.camera, record.lens):
        if device:
            yield MatchPlace.CAMERA, device, tokens(device)
    taken = instant(record.taken_at)
    if taken is not None:
        date = f"{MONTHS[taken.month - 1]} {taken.year:04}"
        yield MatchPlace.DATE, date, tokens(date)


def _stands(phrase: Sequence[str], words: tuple[str, ...]) -> bool:
    length = len(phrase)
    if length == 1:
        return phrase[0] in words
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
