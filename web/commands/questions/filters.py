"""The options that narrow a question, on every command that asks one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from search.errors import UsageError
from web.commands.path_arguments import Place
from web.near import FORM, read

NAMES = (
    "libraries", "path_prefix", "taken_from", "taken_to", "cameras", "lenses", "photographers", "tags",
    "min_size", "max_size", "min_duration", "max_duration", "orientations", "near",
)  # fmt: skip
"""Parameters of the options below; the fields of ``search.store.filters.Filter`` they set."""

DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command every filter, handed to it as ``where``, a ``search.store.filters.Filter``."""

    @functools.wraps(command)
    def wrapped(*args: Any, **given: Any) -> Any:
        from search.store.filters import Filter

        values = {name: given.pop(name) for name in NAMES}
        if values["near"] is not None:
            values["near"] = read(values["near"])
        if values["taken_to"] is not None and values["taken_to"].time().isoformat() == "00:00:00":
            values["taken_to"] = values["taken_to"].replace(hour=23, minute=59, second=59)
        return command(*args, where=Filter(**values), **given)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def collections_of(text: str | None) -> tuple[str, ...]:
    """``--in images,videos`` as names of collections; all of them when not given.

    Raises:
        UsageError: no such collection.
    """
    from search.media import COLLECTIONS

    if text is None:
        return COLLECTIONS
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if name not in COLLECTIONS:
            raise UsageError(f"There is no collection '{name}'.", f"Choose from {', '.join(COLLECTIONS)}.")
    return names or COLLECTIONS


in_option = click.option("--in", "within", metavar="COLLECTIONS", help="Where to look: images,videos,audio.")

_OPTIONS = (
    click.option("--library", "libraries", multiple=True, help="Only this library; may be repeated."),
    click.option("--under", "path_prefix", type=Place(), help="Only below this folder."),
    click.option("--from", "taken_from", type=DATE, help="Only taken on this day or later."),
    click.option("--to", "taken_to", type=DATE, help="Only taken on this day or before."),
    click.option("--camera", "cameras", multiple=True, help="Only by this camera; may be repeated."),
    click.option("--lens", "lenses", multiple=True, help="Only with this lens; may be repeated."),
    click.option("--photographer", "photographers", multiple=True, help="Only by this photographer; may be repeated."),
    click.option("--tag", "tags", multiple=True, help="Only with this tag; may be repeated."),
    click.option("--min-size", type=click.IntRange(0), help="At least so many bytes."),
    click.option("--max-size", type=click.IntRange(0), help="At most so many bytes."),
    click.option("--min-duration", type=click.FloatRange(0), help="At least so many seconds."),
    click.option("--max-duration", type=click.FloatRange(0), help="At most so many seconds."),
    click.option(
        "--orientation", "orientations", multiple=True, type=click.Choice(["landscape", "portrait", "square"]),
        help="Only so oriented; may be repeated.",
    ),
    click.option(
        "--near", metavar=FORM, help="Only taken within so many metres of a place: 52.52,13.405,1000.",
    ),
)  # fmt: skip
