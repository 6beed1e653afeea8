"""Sorts names as people expect: capitals and accents do not count, and 9 comes before 10.

Stores order by numbers only, so a name is also made one (:func:`sort_number`). It is the beginning of the name, written
in digits of changing base, like the intervals of arithmetic coding: where two numbers differ they are in the order of
:func:`natural_key`; where they are equal the key decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TypeAlias

NaturalKey: TypeAlias = tuple[tuple[int, int], ...]

SORT_BITS = 53
"""Bits of a sort number: what a float holds exactly, for engines compare ranges as floats and JSON knows no other
numbers. About ten letters, or four letters and a date."""

_SEPARATOR, _NUMBER, _LETTER, _OTHER = range(4)
"""What a name is made of, in this order. Separators (anything but letters and digits) count as all the same."""

_PART = re.compile(r"[0-9]+|.", re.DOTALL)

_LONG, _LONGEST = 9, 15
"""Digits of a number from which their count takes a second place (so that of the usual ones takes less), and from which
numbers are longer than a sort number can distinguish."""

_MOST_DIGITS = 1000
"""Digits of a number that are compared: no file has so long a name, but a forged cursor may."""

_LETTERS = 26
_CODES = 0x110000
_SYMBOLS = 2 + _LONG + _LETTERS + 1
"""What a part begins with in a sort number: the end, a separator, how many digits follow, a letter, another sign."""


def natural_key(name: str) -> NaturalKey:
    """Sorts as people order names. Equal for names that differ in capitals, accents, leading zeros or separators only.

    Each part is its kind and then the number, the letter of the alphabet, or the code of another letter.
    """
    return tuple(_parts(name))


def sort_number(name: str) -> int:
    """A number from 0 to 2**53 - 1; of two names it is never in the other order than :func:`natural_key`."""
    low, width = 0, 2**SORT_BITS
    for place, base in _places(name):
        start, end = width * place // base, width * (place + 1) // base
        low, width = low + start, end - start
        if width <= 1:
            break
    return low


def _parts(name: str) -> Iterator[tuple[int, int]]:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign)).casefold()
    for part in _PART.findall(plain):
        if part[0] in "0123456789":
            yield _NUMBER, int(part[:_MOST_DIGITS])
        elif "a" <= part <= "z":
            yield _LETTER, ord(part) - ord("a")
        elif part.isalnum():
            yield _OTHER, ord(part)
        else:
            yield _SEPARATOR, 0


def _places(name: str) -> Iterator[tuple[int, int]]:
    """The name as digits, each with its base. A shorter name comes before one that it begins."""
    for kind, value in _parts(name):
        if kind == _SEPARATOR:
            yield 1, _SYMBOLS
        elif kind == _NUMBER:
            digits = str(value)
            yield 1 + min(len(digits), _LONG), _SYMBOLS
            if len(digits) >= _LONG:
                yield min(len(digits), _LONGEST) - _LONG, _LONGEST - _LONG + 1
            if len(digits) >= _LONGEST:
                return
            yield from ((int(digit), 10) for digit in digits)
        elif kind == _LETTER:
            yield 2 + _LONG + value, _SYMBOLS
        else:
            yield _SYMBOLS - 1, _SYMBOLS
            yield value, _CODES
    yield 0, _SYMBOLS
