"""``likewise similar``: what is like this file, or this stored media?"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.call import Call, common, one_line
from web.commands.filters import collections_of, filter_options, in_option

if TYPE_CHECKING:
    from rich.console import Console

    from search.questions import Question
    from search.settings import Settings
    from search.store.filters import Filter
    from web.client import Json, Params
    from web.node import Node


@click.command("similar", short_help="What is like this file, or this stored media?")
@click.argument("example", metavar="FILE|ID")
@in_option
@click.option(
    "--space", "spaces", multiple=True, help="Only by this space (visual, motion, sound, style); may be repeated."
)
@click.option("--like", multiple=True, metavar="ID", help="Like this one too; may be repeated.")
@click.option("--unlike", multiple=True, metavar="ID", help="But not like this one; may be repeated.")
@click.option(
    "--style",
    type=click.FloatRange(-1, 1),
    help="Weigh subject against style: -1 same subject in another style, 0 both, 1 same style of another subject.",
)
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
    style: float | None,
    limit: int,
    exact: bool,
    where: Filter,
) -> None:
    """What is like FILE (a picture, video or sound; it need not be stored) or like the media with this ID?

    FILE may lie in a bucket: s3://bucket/folder/a.jpg.

    Answers come from every collection that shares a vector space with the example. "match" is the per cent of random
    pairs that are less alike than this pair.
    """
    from search.questions import Question
    from web.client import connect

    question = Question(
        like,
        unlike,
        collections=collections_of(within),
        spaces=spaces,
        where=where,
        limit=limit,
        exact=exact,
        style=style,
    )
    settings = call.settings()
    with example_file(example, settings) as file, connect(settings) as client:
        if file is None:
            answer = client.post("/similar", _asked(replace(question, like=(example, *like))))
        elif client.node is None:
            answer = client.upload("/similar", file, _asked(question))
        else:
            answer = _ask_about_file(client.node, file, question)
    call.answer(answer, lambda console: _show(answer, console))


def _ask_about_file(node: Node, file: Path, question: Question) -> Json:
    """In this process a file is read where it lies, however large; only a running server has to be sent it."""
    from search.similar import find_similar
    from web.plain import dump

    probe = node.encoder.probe(str(file), file.name)
    return dump(find_similar(node.store, replace(question, like=(probe, *question.like))))


def _asked(question: Question) -> Params:
    """A question about ids as the API takes it."""
    from web.client import filter_params

    return {
        "like": list(question.like),
        "unlike": list(question.unlike),
        "in": list(question.collections),
        "spaces": list(question.spaces),
        "limit": question.limit,
        "exact": question.exact,
        **({} if question.style is None else {"style": question.style}),
        **filter_params(question.where),
    }


@contextmanager
def example_file(example: str, settings: Settings) -> Iterator[Path | None]:
    """The file an argument names, a copy of it if it lies in a bucket; None when it is the id of stored media.

    Raises:
        NotFoundError: it is neither.
        MediaError: it lies in a bucket and cannot be fetched.
    """
    from search import addresses

    if not addresses.is_remote(example):
        yield _local_file(example)
        return
    from workers.files import FileAccess

    access = FileAccess(settings)
    address = addresses.absolute(example)
    access.objects.check(address)
    with access.local(address) as copy:
        yield Path(copy)


def _local_file(example: str) -> Path | None:
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
            moment, one_line(hit.paths[0]) if hit.paths else "", hit.id,
        )  # fmt: skip
    console.print(table)
    console.print(f"{len(found.hits)} found in {found.took_ms:.0f} ms.")
