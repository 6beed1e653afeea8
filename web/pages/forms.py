"""Read addresses and posted forms of pages into the dataclasses that the API takes for the same call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import request
from werkzeug.datastructures import MultiDict

from web.api.params import properties, read_query

QUOTES = (("'", "'"), ('"', '"'), ("“", "”"), ("‘", "’"), ("«", "»"))
PATH_FIELDS = frozenset({"base", "folder", "path", "path_prefix"})
"""Parameters into which people type or paste a path."""


def read_form(type_: Any, form: MultiDict[str, str] | None = None) -> Any:
    """An instance of the dataclass ``type_``, checked as a request to the API is.

    Args:
        form: the fields, if not all that were posted.

    Raises:
        UsageError: a name that the type does not know, or a value of wrong form.
    """
    given = request.form if form is None else form
    values = MultiDict((name, _typed(name, text)) for name, text in given.items(multi=True) if name != "form_token")
    (made,) = read_query(values, (type_,))
    return made


def known_arguments(types: Sequence[Any]) -> MultiDict[str, str]:
    """Parameters of the address that one of the dataclasses ``types`` has. Links from elsewhere carry others, such as
    ``utm_source``, and pages ignore them."""
    known = {name for type_ in types for name in properties(type_)}
    return MultiDict((name, _typed(name, text)) for name, text in request.args.items(multi=True) if name in known)


def read_address(types: Sequence[Any]) -> tuple[Any, ...]:
    """An instance of each of the dataclasses ``types``, from the address of the page.

    Raises:
        UsageError: a name given twice that takes one value, or a value of wrong form.
    """
    return read_query(known_arguments(types), types)


def typed_path(text: str) -> str:
    """A path as people paste it: without the quotes that file managers and shells put around it, and of an address
    ``file:///…`` the path. No path that a form takes begins with a quote itself, for it is absolute."""
    text = text.strip()
    for opening, closing in QUOTES:
        if len(text) > 1 and text.startswith(opening) and text.endswith(closing):
            text = text[1:-1].strip()
            break
    if text.lower().startswith("file://"):
        parts = urlsplit(text)
        return unquote(parts.path) if parts.netloc in ("", "localhost") else text
    return text


def _typed(name: str, text: str) -> str:
    return typed_path(text) if name in PATH_FIELDS else text
