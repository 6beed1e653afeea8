"""``likewise reembed``: change the model of a space without downtime, or decode anew what an older version decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from search.model_descriptions.registry import models_by_space, models_in_words
from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("reembed", short_help="Make a space anew with another model, or decode anew.")
@click.option("--space", help=f"Space to make anew: {', '.join(models_by_space())}.")
@click.option("--model", help=f"{models_in_words()}; the others need none.")
@click.option("--decoding", is_flag=True, help="Decode anew what an older version decoded otherwise.")
@click.option("--drop-old", is_flag=True, help="Delete the vectors that questions do not go to any more.")
@common
def command(call: Call, space: str | None, model: str | None, decoding: bool, drop_old: bool) -> int:
    """Embed everything anew with another model for one space.

    Questions are answered from the old vectors until every record that can be embedded has its new one; then they go
    to the new ones in one step. Cut off, the same command goes on where it was. The old vectors are kept until
    --drop-old; asking for their model again brings them up to date instead of embedding all over. Without options,
    what there is is listed.

    --space style, concepts or meaning fills in, for files imported earlier, every one of these spaces that the library
    has, and pictures' features. With another model for visual, concepts are made anew too, as they are made from it.
    --space meaning needs LIKEWISE_TEXT_MODEL.

    --decoding decodes and embeds anew the files whose records an older version made and this one makes otherwise, as
    counted by `likewise status`, and no others. Each record answers as it was until it is replaced.
    """
    from web.client import connect
    from web.commands.job_progress import follow, prepare

    if model and not space:
        raise click.UsageError("--model says what to make a space with: name that with --space.")
    if decoding and space:
        raise click.UsageError("--decoding makes every space of the files concerned: it goes without --space.")
    if drop_old and (space or decoding):
        raise click.UsageError("Drop the old vectors once the new ones are in place: --drop-old goes alone.")
    with connect(call.settings()) as client:
        if drop_old:
            dropped = client.post("/generations/drop")
            names = ", ".join(dropped["dropped"]) or "nothing; there was none"
            call.answer(dropped, lambda console: console.print(f"Deleted: {names}."))
            return 0
        if space is None and not decoding:
            found = client.get("/generations")
            call.answer(found, lambda console: _show(found, console))
            return 0
        started = client.post("/reembed", {"space": space or "", "model": model or "", "decoding": decoding})
        prepare(client)
        ended = follow(client, started["id"])
    call.answer(ended.to_json(), lambda console: console.print(ended.message))
    return 1 if ended.failed else 0


def _show(generations: Json, console: Console) -> None:
    from rich.table import Table

    if not generations:
        console.print("Nothing is stored yet.")
        return
    table = Table("generation", "records", "coverage", "asked", "spaces", box=None, pad_edge=False)
    for one in generations:
        spaces = ", ".join(f"{name} = {model}" for name, model in one["spaces"].items() if not name.endswith("_raw"))
        asked = "yes" if one["current"] else ""
        table.add_row(one["name"], str(one["points"]), f"{one['coverage']:.0%}", asked, spaces)
    console.print(table)
