"""Checks of what came in a message: types, ranges, lengths. Each gives the value, or refuses the message.

Signatures say who wrote a message; these say that it is one. A worker may be of another version, or have been taken
over by a file that it decoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from search import addresses
from search.bounds import LONGEST_TEXT, storable
from search.errors import MessageRefusedError
from workers.cluster.signing import Json

LONGEST_PATH = 8192
"""Most characters of a path or address."""

MOST_NUMBER = 2**63 - 1

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")


def refuse(what: str, value: object) -> NoReturn:
    """
    Raises:
        MessageRefusedError: always.
    """
    raise MessageRefusedError(
        f"A message of the cluster has a wrong {what}: {str(value)[:80]!r}.",
        "Coordinators and workers need the same version of Likewise. If they have it, do not trust the machine that "
        "sent it.",
    )


def loads(text: str | bytes) -> Any:
    """A JSON value without NaN and infinities.

    Raises:
        MessageRefusedError: it is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise MessageRefusedError("A message of the cluster is no JSON.") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def as_object(value: object, what: str) -> Json:
    return value if isinstance(value, dict) else refuse(what, value)


def as_list(value: object, what: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        refuse(what, value)
    if len(value) > most:
        refuse(f"{what}, of which at most {most} are allowed", f"{len(value)} of them")
    return value


def as_tuple(value: object, what: str, most: int, check: Callable[[object, str], T]) -> tuple[T, ...]:
    """A list as a tuple of checked values."""
    return tuple(check(one, what) for one in as_list(value, what, most))


def as_text(value: object, what: str, most: int = LONGEST_TEXT) -> str:
    """A text that databases keep (``search.bounds.storable``)."""
    if not isinstance(value, str) or len(value) > most:
        refuse(what, value)
    return storable(value, most)


def as_name(value: object, what: str) -> str:
    """Name of a job, batch or task: it leads nowhere, even where it is part of a path."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else refuse(what, value)


def as_word(value: object, what: str) -> str:
    """Name of a space or model."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else refuse(what, value)


def as_flag(value: object, what: str) -> bool:
    return value if isinstance(value, bool) else refuse(what, value)


def as_integer(value: object, what: str, low: int = 0, high: int = MOST_NUMBER) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        refuse(what, value)
    return value


def as_number(value: object, what: str, low: float = -1e12, high: float = 1e12) -> float:
    """A finite number in a range."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        refuse(what, value)
    return float(value)


def as_hash(value: object, what: str, digits: int = 64) -> str:
    """Hexadecimal digits in lower case."""
    if not isinstance(value, str) or len(value) != digits or not set(value) <= set("0123456789abcdef"):
        refuse(what, value)
    return value


def as_media_id(value: object, what: str) -> str:
    """UUID as text, as ``search.media.media_id`` gives it."""
    try:
        return value if isinstance(value, str) and str(UUID(value)) == value else refuse(what, value)
    except ValueError:
        refuse(what, value)


def as_member(value: object, what: str, kind: type[E]) -> E:
    """A member of an enumeration."""
    try:
        return kind(value) if isinstance(value, str) else refuse(what, value)
    except ValueError:
        refuse(what, value)


def as_path(value: object, what: str) -> str:
    """An absolute path, or the address of an object."""
    if not isinstance(value, str) or len(value) > LONGEST_PATH or "\0" in value:
        refuse(what, value)
    return value if value.startswith("/") or addresses.is_remote(value) else refuse(what, value)


def as_file_name(value: object, what: str) -> str:
    """Name of a file, which leads to no other folder."""
    text = as_text(value, what)
    return text if text not in ("", ".", "..") and "/" not in text else refuse(what, value)


def as_optional(value: object, what: str, check: Callable[[object, str], T]) -> T | None:
    return None if value is None else check(value, what)
