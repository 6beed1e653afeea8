"""Reading the options of a job from the texts that the ledger keeps into a frozen type.

The ledger keeps a JSON object of texts. Its key ``schema`` is the version of that layout; version 0.1.0 wrote none,
which counts as 0. An option that is absent or empty takes its default.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from search.errors import UsageError

OPTIONS_VERSION = 1
"""Version of the layout; a reader takes its own and every older one."""

VERSION_KEY = "schema"
MOST_DIGITS = 9

Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class Stored:
    """How an option is stored; the field's annotation carries it.

    Attributes:
        takes: what values there are, for people: "a whole number from 0 on".
        read: text to value; raises ValueError or KeyError where there is no such value.
        key: its key, where that is not the name of the field.
    """

    takes: str
    read: Callable[[str], object] = str
    key: str = ""


def whole_number(least: int) -> Stored:
    """A number of decimal digits, not less than ``least``."""

    def read(text: str) -> int:
        if not text.isdecimal() or len(text) > MOST_DIGITS or int(text) < least:
            raise ValueError(text)
        return int(text)

    return Stored(f"a whole number from {least} on", read)


def positive_number(text: str) -> float:
    """A finite number above 0.

    Raises:
        ValueError: it is none.
    """
    number = float(text)
    if not 0.0 < number < math.inf:
        raise ValueError(text)
    return number


def choice(*names: str, key: str = "") -> Stored:
    """One of these texts."""
    return Stored(f"one of {', '.join(names)}", {name: name for name in map(str, names)}.__getitem__, key)


def absolute_paths(text: str) -> tuple[Path, ...]:
    """A JSON list of paths.

    Raises:
        ValueError: it is none, is empty, or holds a path that is not absolute.
    """
    given = json.loads(text)
    if not isinstance(given, list) or not given:
        raise ValueError(text)
    if not all(isinstance(path, str) and path.startswith("/") for path in given):
        raise ValueError(text)
    return tuple(map(Path, given))


def parse_options(kind: str, type_: type[Options], texts: Mapping[str, str]) -> Options:
    """The options of a job from the texts that are stored or asked for.

    Args:
        kind: name of the kind of job, for the messages.

    Raises:
        UsageError: an option is unknown, missing, or has a value that it does not take; or a newer version of Likewise
            wrote them.
    """
    version = texts.get(VERSION_KEY, "0")
    if not version.isdecimal() or int(version) > OPTIONS_VERSION:
        raise UsageError(
            f"The options of this {kind} job have layout {version}; this Likewise reads layouts up to "
            f"{OPTIONS_VERSION}.",
            "Go on with the version of Likewise that started the job, or cancel it and start it again.",
        )
    hints = get_type_hints(type_, include_extras=True)
    stored = {each.name: _stored(hints[each.name]) for each in fields(type_)}  # type: ignore[arg-type]
    keys = {how.key or name for name, how in stored.items()}
    for key in texts:
        if key not in keys and key != VERSION_KEY:
            known = f"Its options are {', '.join(sorted(keys))}." if keys else "It has none."
            raise UsageError(f"A {kind} job has no option '{key}'.", known)
    values: dict[str, Any] = {}
    for each in fields(type_):  # type: ignore[arg-type]
        how = stored[each.name]
        key = how.key or each.name
        text = texts.get(key, "")
        if text:
            try:
                values[each.name] = how.read(text)
            except (ValueError, KeyError):
                raise UsageError(
                    f"The option '{key}' of a {kind} job cannot be '{text[:120]}'.", f"It takes {how.takes}."
                ) from None
        elif each.default is MISSING:
            raise UsageError(f"A {kind} job needs the option '{key}'.", f"It takes {how.takes}.")
    return type_(**values)


def _stored(hint: Any) -> Stored:
    return next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Stored)), Stored("a text"))
