"""``likewise similar``: what is like this file, or this stored media?"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.commands.call import Call, common
from web.commands.filters import collections_of, filter_options, in_option

if TYPE_CHECKING:
    from rich.console import Console

    from search.questions import SimilarAnswer
    from search.store.filters import Filter
    from web.client import Client, Json


@click.command("similar", short_help="What is like this file, or this stored media?")
@click.argument("example", metavar="FILE|ID")
@in_option
@click.option("--space", "spaces", multiple=True, help="Only by this space (visual, motion, sound); may be repeated.")
@click.option("--like", multiple=True, metavar="ID", help="Like this one too; may be repeated.")
@click.option("--unlike", multiple=True, metavar="ID", help="But not like this one; may be repeated.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="So many answers.")
@click.option("--exact", is_flag=True, help="Compare with every vector instead of using the index.")
@filter_options
@common
def command(
    call: Call,
    example: str,
    within: str | None,
    spaces: tuple[str, ...],
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    limit: int,
    exact: bool,
    where: Filter,
) -> None:
    """What is like FILE (a picture, video or sound; it need not be stored) or like the media with this ID?

    Answers come from every collection that shares a vector space with the example. "match" is the per cent of random
    pairs that are less alike than this pair.
    """
    from web.client import connect, filter_params

    asked: dict[str, Any] = {
        "like": list(like),
        "unlike": list(unlike),
        "in": list(collections_of(within)),
        "spaces": list(spaces),
        "limit": limit,
        "exact": exact,
        **filter_params(where),
    }
    file = _file(example)
    with connect(call.settings()) as client:
        answer = _ask_about_file(client, file, asked) if file else client.post("/similar", _with(example, asked))
    call.answer(answer, lambda console: _show(answer, console))


def _file(example: str) -> Path | None:
    """The file an argument names; None when it is the id of stored media.

    Raises:
        NotFoundError: it is neither.
    """
    from search.errors import NotFoundError

    path = Path(example).expanduser().absolute()
    if path.is_file():
        return path
    try:
        uuid.UUID(example)
    except ValueError:
        found = "is a folder" if path.is_dir() else "does not exist"
        raise NotFoundError(f"'{example}' is no id, and as a file it {found}.", "Give a file or an id.") from None
    return None


def _with(media_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    return asked | {"like": [media_id, *asked["like"]]}


def _ask_about_file(client: Client, file: Path, asked: dict[str, Any]) -> Json:
    return client.upload("/similar", file, asked)


def _show(answer: Json, console: Console) -> None:
    from rich.table import Table

    from search.questions import SimilarAnswer
    from web.plain import load

    found: SimilarAnswer = load(SimilarAnswer, answer)
    for note in found.notes:
        console.print(note)
    if not found.hits:
        console.print("Nothing like it was found.")
        return
    table = Table("match", "score", "kind", "space", "relation", "at", "file", "id", box=None, pad_edge=False)
    for column in (0, 1, 5):
        table.columns[column].justify = "right"
    for hit in found.hits:
        moment = "" if hit.moment is None else f"{hit.moment:.1f} s"
        table.add_row(
            f"{hit.match:.1f} %", f"{hit.score:.3f}", hit.kind.value, hit.space, hit.relation.value.replace("_", " "),
            moment, hit.paths[0] if hit.paths else "", hit.id,
        )  # fmt: skip
    console.print(table)
    console.print(f"{len(found.hits)} found in {found.took_ms:.0f} ms.")
