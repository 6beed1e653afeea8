"""Photographers' names: cleaning, comparison and ids.

Names come from files of unknown origin. A cleaned name is one line of printable text; it is still hostile text for
whatever displays it.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable

from search.errors import NotFoundError
from search.media import Kind
from search.photographers.photos.nobody import is_nobody

MAX_LENGTH = 200
"""Characters of a name; what cameras and editors write is shorter, and a caption in the wrong field is longer."""

MEANT, MEANT_CUTOFF = 3, 0.75
"""Number of names suggested for an unknown one, and least similarity of each (difflib's ratio, from 0 to 1)."""


_MARKS = re.compile(r"\(c\)|&copy;|[©℗®™]", re.IGNORECASE)
_RIGHTS = re.compile(
    r"\b(?:copyright|all rights reserved|alle rechte vorbehalten|tous droits réservés)\b", re.IGNORECASE
)
_LED_BY = re.compile(
    r"^(?:(?:photo(?:graph(?:ed|y|er|s)?|s|credit)?|picture|image|foto|credit|shot|taken)s?\s*(?:credit)?\s*"
    r"(?:by|:|von|par|de)\s*:?|by\b:?|artist:|author:|creator:|photographer:)\s*",
    re.IGNORECASE,
)
_YEARS = re.compile(r"\b(?:19|20)\d\d(?:\s*[-–—/,]\s*(?:(?:19|20)?\d\d))*\b")
_EDGES = " \t,;:|/\\-–—_*'\"`´“”„«»"
_OPEN = {"(": ")", "[": "]", "{": "}"}


def clean_name(text: str | None) -> str | None:
    """The name in ``text`` on one line, or None where it names nobody.

    Marks of copyright, years and "Photo by" are removed; so are control, formatting and private characters. Letters
    keep their case and form (NFC). A web address or a bare number is no name, nor is what ``nobody`` lists, nor a text
    that was decoded badly (U+FFFD); any other text is, however odd it looks: ``../../x`` is one.
    """
    if not text or "\ufffd" in text:
        return None
    name = one_line(text)
    name = _RIGHTS.sub(" ", _MARKS.sub(" ", name))
    name = _YEARS.sub(" ", name)
    name = _LED_BY.sub("", _trimmed(name))
    name = _trimmed(name)[:MAX_LENGTH].rstrip()
    return None if is_nobody(name) else name


def credited_name(kind: Kind, artist: str | None) -> str | None:
    """The photographer whom a file's artist names. A sound has none: its artist is whoever is heard."""
    return None if kind is Kind.AUDIO else clean_name(artist)


def given_name(text: str) -> str | None:
    """A name that a person typed or a folder bears, unchanged on one line; None where it names nobody."""
    name = one_line(text)[:MAX_LENGTH].rstrip()
    return None if is_nobody(name) else name


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name, ignoring case, encoding of accents and spaces."""
    return fold(one) == fold(other)


def fold(name: str) -> str:
    """Form of a name that :func:`same_name` compares."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def unknown_photographer(who: str, known: Iterable[str]) -> NotFoundError:
    """Error of a query for an unknown photographer, with similar names.

    Args:
        known: names of all photographers.
    """
    spelt: dict[str, str] = {}
    for name in known:
        spelt.setdefault(_loosely(name), name)
    close = difflib.get_close_matches(_loosely(who), spelt, n=MEANT, cutoff=MEANT_CUTOFF)
    meant = " or ".join(f"'{spelt[key]}'" for key in close)
    return NotFoundError(
        f"There is no photographer '{who}'.{f' Did you mean {meant}?' if meant else ''}",
        "`likewise photographers list` shows those there are.",
    )


def _loosely(name: str) -> str:
    """Form in which similar names are searched: folder names separate words by other signs than people do."""
    return " ".join(re.sub(r"[\W_]+", " ", fold(name)).split()) or fold(name)


def photographer_id(name: str) -> str:
    """Id of a photographer in addresses and file names: the first 16 hex digits of the name's SHA-256."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def one_line(text: str) -> str:
    """NFC, without invisible characters; any separator of words becomes one space."""
    shown = (
        " " if character.isspace() or unicodedata.category(character) == "Cc" else character
        for character in unicodedata.normalize("NFC", text.replace("\0", " "))
        if unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn")
    )
    return " ".join("".join(shown).split())


def _trimmed(name: str) -> str:
    """Without punctuation around it, and without brackets around the whole."""
    name = " ".join(name.split()).strip(_EDGES)
    while len(name) > 1 and _OPEN.get(name[0]) == name[-1]:
        name = name[1:-1].strip(_EDGES)
    return name
