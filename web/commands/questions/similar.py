"""``likewise similar``: what is like this file, or this stored media?"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.questions.clock import CLOCK
from web.commands.questions.filters import collections_of, filter_options, in_option

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ingest.node import Node
    from search.settings import Settings
    from search.similar.questions import Question, SimilarHit
    from search.store.filters import Filter
    from web.client import Json, Params


@click.command("similar", short_help="What is like this file, or this stored media?")
@click.argument("example", metavar="FILE|ID")
@in_option
@click.option(
    "--space",
    "spaces",
    multiple=True,
    help="Only by this space (visual, scene, motion, sound, style); may be repeated. motion: what moves alike.",
)
@click.option("--like", multiple=True, metavar="ID", help="Like this one too; may be repeated.")
@click.option("--unlike", multiple=True, metavar="ID", help="Less like this one; may be repeated.")
@click.option(
    "--style",
    type=click.FloatRange(-1, 1),
    help="Match by subject or style: -1 same subject in another style, 0 both, 1 same style of another subject.",
)
@click.option("--start", type=CLOCK, help="Ask with a film or recording from here on: seconds, or 1:20.")
@click.option("--end", type=CLOCK, help="Ask with it up to here.")
@click.option("--words", metavar="WORDS", help='Only what shows these words or is called so: --words "red car".')
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="So many answers.")
@click.option("--offset", type=click.IntRange(0, 10_000), default=0, help="Leave out so many of the best answers.")
@click.option(
    "--diversity",
    type=click.FloatRange(0, 1),
    help="From 0 to 1: of answers that are like each other, give fewer.",
)
@click.option("--weak", is_flag=True, help="Show weaker results too, instead of counting them.")
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
    start: float | None,
    end: float | None,
    words: str | None,
    limit: int,
    offset: int,
    diversity: float | None,
    weak: bool,
    exact: bool,
    where: Filter,
) -> None:
    """What is like FILE (a picture, video or sound; it need not be stored) or like the media with this ID?

    FILE may lie in a bucket: s3://bucket/folder/a.jpg. Of a film or recording, --start and --end choose the part to ask
    with; "at" is where a hit matches.

    Answers come from every collection that shares a vector space with the example, best first: identical files, edited
    copies, very similar, similar and weak ones. "likeness" is how likely the two have the same label, when as many
    pairs have as have not; it means the same in every space and library.
    """
    from search.similar.questions import Question
    from web.client import connect

    question = Question(
        like,
        unlike,
        collections=collections_of(within),
        spaces=spaces,
        where=where if words is None else replace(where, words=words),
        limit=limit,
        exact=exact,
        style=style,
        part=None if start is None and end is None else (start or 0.0, math.inf if end is None else end),
        offset=offset,
        diversity=diversity,
    )
    settings = call.settings()
    with example_file(example, settings) as file, connect(settings) as client:
        if file is None:
            answer = client.post("/similar", _asked(replace(question, like=(example, *like))))
        elif client.node is None:
            answer = client.upload("/similar", file, _asked(question))
        else:
            answer = _ask_about_file(client.node, file, question)
    call.answer(answer, lambda console: _show(answer, console, weak))


def _ask_about_file(node: Node, file: Path, question: Question) -> Json:
    """In this process a file is read where it lies, however large; only a running server has to be sent it."""
    from search.store.filters import Filter
    from web.api.params import SimilarParameters, read_values
    from web.api.questions import similar
    from web.plain import dump

    asked, where = read_values(_asked(question), (SimilarParameters, Filter))
    return dump(similar(node, asked, where, node.encoder.probe(str(file), file.name)))


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
        "offset": question.offset,
        **({} if question.part is None else {"start": question.part[0]}),
        **({} if question.part is None or math.isinf(question.part[1]) else {"end": question.part[1]}),
        **({} if question.style is None else {"style": question.style}),
        **({} if question.diversity is None else {"diversity": question.diversity}),
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
    from workers.storage.files import FileAccess

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


def _show(answer: Json, console: Console, weak: bool) -> None:
    from search.similar.questions import SimilarAnswer
    from web.plain import load
    from web.wording import split_weak_hits, weaker

    found: SimilarAnswer = load(SimilarAnswer, answer)
    for note in found.notes:
        console.print(note)
    if not found.hits:
        console.print("Nothing like it was found.")
        return
    shown, folded = split_weak_hits(found.hits)
    if weak:
        shown = list(found.hits)
    if shown:
        console.print(_table(shown))
    if folded and not weak:
        console.print(f"{weaker(len(folded))} (--weak shows them)")
    if shown:
        console.print(f"{len(found.hits)} found in {found.took_ms:.0f} ms.")


def _shown_span(hit: SimilarHit) -> tuple[float, float] | None:
    """The span that the example shares with a hit, or else the one that sounds most like it."""
    return hit.span if hit.overlap is None else (hit.overlap.other_start, hit.overlap.other_end)


def _table(hits: Sequence[SimilarHit]) -> Table:
    """Hits in their order; where subject and style were weighed together, with the match in each."""
    from rich.table import Table

    from web.wording import COPIES, called, likeness, percent, place

    weighed = any(hit.parts is not None for hit in hits)
    first = ("match", "subject", "style") if weighed else ("band", "likeness")
    table = Table(*first, "score", "kind", "space", "at", "file", "id", box=None, pad_edge=False)
    for column in table.columns:
        if column.header in {"match", "subject", "style", "likeness", "score", "at"}:
            column.justify = "right"
    for hit in hits:
        if hit.parts is not None:
            figures = [percent(hit.match), percent(hit.parts["visual"]), percent(hit.parts["style"])]
        else:
            figures = [called(hit), "" if hit.band in COPIES else likeness(hit.likeness)]
        table.add_row(
            *figures,
            f"{hit.score:.3f}",
            hit.kind.value,
            hit.space if hit.via is None else f"{hit.space}, through a video",
            place(hit.moment, _shown_span(hit)),
            one_line(hit.paths[0]) if hit.paths else "",
            hit.id,
        )
    return table
