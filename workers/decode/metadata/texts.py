"""Texts of metadata: bytes in an unknown encoding to one line of text, or none.

What cannot be decoded is no text, so that the next source is asked; nothing is shown with replacement characters.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterable

from search.photographers.photos.names import one_line

LONGEST_TEXT = 200
"""Characters of a text that is kept."""

MOST_BYTES = 4000
"""Bytes of a text that are looked at."""

_CONTINUED = bytes(range(0x80, 0xC0))
"""Bytes of UTF-8 that go on with a character."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def text(value: object, encoding: str | None = None) -> str | None:
    """A tag as one line of at most ``LONGEST_TEXT`` printable characters in Unicode's form NFC; None without any.

    Args:
        value: bytes; or text that a library read from bytes as Latin-1, or as UTF-8 with surrogate escapes.
        encoding: of the bytes; else it is detected, see :func:`detected`.
    """
    if isinstance(value, tuple) and value and all(isinstance(one, int) and 0 <= one <= 255 for one in value):
        value = bytes(value[: MOST_BYTES + 1])
    if isinstance(value, str):
        value = _as_written(value[: MOST_BYTES + 1])
    if isinstance(value, bytes):
        value = _decoded(_head(value), encoding) if encoding else detected(_head(value))
    return cleaned(value) if isinstance(value, str) else None


def cleaned(value: str) -> str | None:
    """One line of a text that is Unicode already, up to the first NUL; None where it is empty or was decoded badly."""
    head = value[:MOST_BYTES].lstrip("\ufeff").partition("\0")[0]
    if "\ufffd" in head or any(unicodedata.category(character) == "Cs" for character in head):
        return None
    return one_line(head)[:LONGEST_TEXT].rstrip() or None


def first_text(values: Iterable[object]) -> str | None:
    """The first of these values that is a text."""
    return next((found for value in values if (found := text(value))), None)


def detected(raw: bytes) -> str | None:
    """Bytes as text: by their byte order mark, as UTF-8 where they are valid, else as Windows-1252, which holds
    Latin-1. None where they are neither."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _decoded(raw[len(mark) :], encoding)
    head = raw.partition(b"\0")[0]
    return next((found for name in ("utf-8", "cp1252") if (found := _decoded(head, name)) is not None), None)


def _head(raw: bytes) -> bytes:
    """The first ``MOST_BYTES``, without a character of UTF-8 that is cut in two."""
    if len(raw) <= MOST_BYTES:
        return raw
    whole = raw[:MOST_BYTES].rstrip(_CONTINUED)
    return whole[:-1] if whole[-1:] >= b"\xc0" else whole


def _decoded(raw: bytes, encoding: str) -> str | None:
    if encoding.startswith("utf-16"):
        raw = raw[: len(raw) // 2 * 2]
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _as_written(value: str) -> str | bytes:
    """The bytes behind a text that a library decoded without knowing how; the text itself where they are unknown."""
    for encoding, errors in (("latin-1", "strict"), ("utf-8", "surrogateescape")):
        try:
            return value.encode(encoding, errors)
        except UnicodeEncodeError:
            continue
    return value
