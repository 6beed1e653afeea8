"""``likewise photographers facts``: note when and where photos were taken, by a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json, Params

SHOWN = 20
"""Changes and unusable lines on a terminal; ``--json`` has up to 500 of each."""


@click.command("facts", short_help="Note dates and places from a table.")
@click.argument("table", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preview", is_flag=True, help="Only say what would change.")
@click.option("--overwrite", is_flag=True, help="Let the table count before what files say.")
@click.option("--forget", is_flag=True, help="No TABLE: forget all that tables have told.")
@common
def command(call: Call, table: Path | None, preview: bool, overwrite: bool, forget: bool) -> int:
    """Note when and where photos were taken. TABLE is a CSV with a column path and some of taken (1942-06-15 or
    1942-06-15 14:30), place, latitude and longitude.

    A path may be a folder, a pattern such as harbour/*.jpg, or the name of a file that is there once. What a file says
    stays, but with --overwrite. No file is changed, and what is noted survives another scan and another model.

    Exits with 1 where lines could not be used.
    """
    from search.photographers.photos.labels import decoded
    from web.client import connect
    from web.commands.job_progress import follow

    if (table is None) != forget:
        raise click.UsageError("Give a TABLE, or --forget.")
    body: Params = {"forget": True}
    if table is not None:
        base = str(table.expanduser().absolute().parent)
        body = {"table": decoded(table.expanduser().read_bytes()), "base": base, "overwrite": overwrite}
    with connect(call.settings()) as client:
        if preview and table is not None:
            found = client.post("/photographers/facts/preview", body)
            call.answer(found, lambda console: _show(found, console))
            return 1 if found["wrong_lines"] else 0
        ended = follow(client, client.post("/photographers/facts", body)["id"])
    call.answer(ended.to_json(), lambda console: console.print(one_line(ended.message)))
    return 1 if ended.failed else 0


def _show(found: Json, console: Console) -> None:
    console.print(f"{found['changed']:,} photos would change, {found['same']:,} have it so already; of "
                  f"{found['kept']:,} the file says otherwise, which stays.")  # fmt: skip
    rows = [
        (change["path"], _facts(change["before"]), _facts(change["after"]), ", ".join(map(str, change["lines"])))
        for change in found["changes"][:SHOWN]
    ]
    show_table(console, "Changes", ("photo", "now", "then", "lines"), rows)
    for sentence in found["wrong"][:SHOWN]:
        console.print(one_line(sentence))
    if found["changed"] > SHOWN or found["wrong_lines"] > SHOWN:
        console.print(f"The first {SHOWN} are shown; --json has more.")


def _facts(one: Json) -> str:
    degrees = "" if one["latitude"] is None else f"{one['latitude']:.4f} {one['longitude']:.4f}"
    return ", ".join(filter(None, ((one["taken_at"] or "").replace("T", " "), one["place"], degrees))) or "unknown"
