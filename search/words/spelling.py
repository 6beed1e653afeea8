"""Finds words that differ by one typing error: a letter too many, missing, wrong, or swapped."""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORTEST = 4
"""Letters of a word in which an error is forgiven: of shorter ones too many are each other's errors."""


def is_one_error(typed: str, word: str) -> bool:
    """Whether one error makes one of the other (distance 1).

    Source: Damerau, A technique for computer detection and correction of spelling errors, CACM 7(3), 1964.
    """
    longer, shorter = (typed, word) if len(typed) >= len(word) else (word, typed)
    if longer == shorter or len(longer) - len(shorter) > 1:
        return False
    same = 0
    while same < len(shorter) and longer[same] == shorter[same]:
        same += 1
    if len(longer) > len(shorter):
        return longer[same + 1 :] == shorter[same:]
    if longer[same + 1 :] == shorter[same + 1 :]:
        return True
    return longer[same : same + 2] == shorter[same : same + 2][::-1] and longer[same + 2 :] == shorter[same + 2 :]


def shortened(word: str) -> frozenset[str]:
    """The word, and the word without each of its letters; two words one error apart have one of these in common."""
    return frozenset({word, *(word[:at] + word[at + 1 :] for at in range(len(word)))})


def nearest(typed: str, words: Iterable[str]) -> list[str]:
    """Those of the words that stand one error away from ``typed``, likeliest first: with the same letters in another
    order, then but for a doubled letter the same, then with the same first letter, then as long as it; alphabetical
    among equals. None if it is too short."""
    if len(typed) < SHORTEST or not typed.isalpha():
        return []
    found = {word for word in words if abs(len(word) - len(typed)) <= 1 and is_one_error(typed, word)}
    return sorted(
        (word for word in found if len(word) >= SHORTEST - 1),
        key=lambda word: (
            sorted(word) != sorted(typed),
            _undoubled(word) != _undoubled(typed),
            word[0] != typed[0],
            len(word) != len(typed),
            word,
        ),
    )


def _undoubled(word: str) -> str:
    return re.sub(r"(.)\1", r"\1", word)
