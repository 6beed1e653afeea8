"""``likewise search``: media whose tags, names or photographers contain these words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.call import Call, common, one_line
from web.commands.filters import collections_of, filter_options, in_option

if TYPE_CHECKING:
    from rich.console import Console

    from search.store.filters import Filter
    from web.client import Json


@click.command("search", short_help="Find by words: tags, file names, photographers.")
@click.argument("words", nargs=-1, required=True)
@in_option
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="So many answers.")
@filter_options
@common
def command(call: Call, words: tuple[str, ...], within: str | None, limit: int, where: Filter) -> None:
    """Find media whose tags, file and folder names, photographer or camera contain all WORDS."""
    from web.client import connect, filter_params

    asked = {"q": " ".join(words), "in": list(collections_of(within)), "limit": limit, **filter_params(where)}
    with connect(call.settings()) as client:
        answer = client.get("/search", asked)
    call.answer(answer, lambda console: _show(answer, console))


def _show(answer: Json, console: Console) -> None:
    from rich.table import Table

    hits = answer["hits"]
    if not hits:
        console.print("Nothing was found by these words.")
        return
    table = Table("kind", "tags", "file", "id", box=None, pad_edge=False)
    for hit in hits:
        table.add_row(hit["kind"], ", ".join(hit["tags"]), one_line(hit["paths"][0]) if hit["paths"] else "", hit["id"])
    console.print(table)
