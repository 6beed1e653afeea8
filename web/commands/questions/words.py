"""``likewise search``: media that show these words, or are called so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from search.errors import UsageError
from web.commands.context import Call, common, one_line
from web.commands.questions.filters import collections_of, filter_options, in_option

if TYPE_CHECKING:
    from rich.console import Console

    from search.store.filters import Filter
    from web.client import Json


class WordsCommand(click.Command):
    """A command whose words may begin with a minus: ``likewise search dog -dalmatian``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = {name for param in self.params if _takes_value(param) for name in param.opts}
        options: list[str] = []
        words: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg == "--":
                words += rest
            elif arg == "-h" or (arg.startswith("--") and len(arg) > len("--")):
                options.append(arg)
                if arg in valued:
                    value = next(rest, None)
                    if value is None:  # else the "--" put behind it would be taken for its value
                        raise click.BadOptionUsage(arg, f"Option '{arg}' requires an argument.", ctx)
                    options.append(value)
            else:
                words.append(arg)
        return super().parse_args(ctx, [*options, "--", *words] if words else options)


def _takes_value(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not param.is_flag


@click.command("search", cls=WordsCommand, short_help="Find by words: what is shown, colours, names, dates.")
@click.argument("words", nargs=-1, required=True)
@in_option
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="So many answers.")
@click.option("--offset", type=click.IntRange(0, 10_000), default=0, help="Leave out so many of the best answers.")
@click.option("--weak", is_flag=True, help="Show weaker results too, instead of counting them.")
@filter_options
@common
def command(
    call: Call, words: tuple[str, ...], within: str | None, limit: int, offset: int, weak: bool, where: Filter
) -> None:
    """Find media that show all WORDS, have such a colour, or hold them in a tag, name, folder, photographer, camera or
    date.

    \b
    likewise search red car
    likewise search dog -dalmatian       leaves out what shows a Dalmatian
    likewise search '"fire engine"'      side by side, just so
    """
    from web.client import connect, filter_params

    typed = " ".join(words)
    if not typed.strip():
        raise UsageError("No word was given.", "Name what to look for: `likewise search red car`.")
    asked = {
        "q": typed,
        "in": list(collections_of(within)),
        "limit": limit,
        "offset": offset,
        **filter_params(where),
    }
    with connect(call.settings()) as client:
        answer = client.get("/search", asked)
    call.answer(answer, lambda console: _show(answer, console, weak))


def _show(answer: Json, console: Console, weak: bool) -> None:
    from rich.table import Table

    from web.api.questions import WordAnswer
    from web.plain import load
    from web.wording import place, reasons, understood, weaker

    found: WordAnswer = load(WordAnswer, answer)
    for note in (*understood(found.corrected, found.ignored), *found.notes):
        console.print(one_line(note))
    if not found.hits:
        console.print("Nothing was found by these words.")
        return
    table = Table("kind", "why", "at", "file", "id", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for hit in found.hits:
        if weak or not hit.weak:
            table.add_row(
                hit.kind.value,
                one_line(", ".join(reasons(hit.reasons))),
                place(hit.moment),
                one_line(hit.paths[0]) if hit.paths else "",
                hit.id,
            )
    if table.row_count:
        console.print(table)
    if found.weaker and not weak:
        console.print(f"{weaker(found.weaker)} (--weak shows them)")
    console.print(f"{found.total:,}{' or more' if found.at_least else ''} found in {found.took_ms:.0f} ms.")
