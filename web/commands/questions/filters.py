"""Command-line options that narrow a question, derived from the table of filters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import time
from typing import Any

import click

from search.errors import UsageError
from search.media import COLLECTIONS
from search.store.filters import Filter, FilterField, IndexType, Match, end_of_day, filter_fields
from web.commands.path_arguments import PathOrAddress
from web.near import FORM, read

DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


def filter_options(command: Callable[..., Any], type_: type[Filter] = Filter) -> Callable[..., Any]:
    """Give a command an option for every filter that has one, handed to it as ``where``."""
    rows = {name: row for name, row in filter_fields(type_).items() if row.option}

    @functools.wraps(command)
    def wrapped(*args: Any, **given: Any) -> Any:
        values = {name: _read(row, given.pop(name)) for name, row in rows.items()}
        return command(*args, where=type_(**values), **given)

    optioned: Callable[..., Any] = wrapped
    for name, row in reversed(rows.items()):
        optioned = _option(name, row)(optioned)
    return optioned


def _option(name: str, row: FilterField) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    meaning = row.meaning
    if row.match is Match.ANY_OF:
        meaning = f"{meaning.removesuffix('.')}; may be repeated."
    return click.option(
        row.option,
        name,
        type=_type(row),
        multiple=row.match is Match.ANY_OF,
        metavar=FORM if row.match is Match.NEAR else None,
        help=meaning,
    )


def _type(row: FilterField) -> click.ParamType[Any] | None:
    """What an option takes; None is text."""
    if row.choices:
        return click.Choice(row.choices)
    if row.match is Match.BELOW:
        return PathOrAddress()
    return {
        IndexType.DATETIME: DATE,
        IndexType.INTEGER: click.IntRange(0),
        IndexType.FLOAT: click.FloatRange(0),
    }.get(row.index)


def _read(row: FilterField, value: Any) -> Any:
    """The value of a filter of what an option was given."""
    if value is None:
        return None
    if row.match is Match.NEAR:
        return read(value)
    if row.index is IndexType.DATETIME and row.match is Match.AT_MOST and value.time() == time.min:
        return end_of_day(value.date())
    return value


def collections_of(text: str | None) -> tuple[str, ...]:
    """``--in images,videos`` as names of collections; all of them when not given.

    Raises:
        UsageError: no such collection.
    """
    if text is None:
        return COLLECTIONS
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in COLLECTIONS:
            raise UsageError(f"There is no collection '{name}'.", f"Choose from {', '.join(COLLECTIONS)}.")
    return names or COLLECTIONS


in_option = click.option("--in", "within", metavar="COLLECTIONS", help="Where to look: images,videos,audio.")
