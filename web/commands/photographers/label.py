"""``likewise photographers label``: take photographers' names from files, folders, a table or groups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from web.client import Params

SOURCES = ("exif", "folder", "csv", "kmeans", "none")
CREDITS = ("exif", "folder", "csv", "kmeans", "person", "all")


@click.command("label", short_help="Say who took what: from files, folders, a table, or likeness.")
@click.option("--from", "source", type=click.Choice(SOURCES), required=True, help="Where the names come from.")
@click.argument("path", required=False)
@click.option("--overwrite", is_flag=True, help="Let these names count before those of better sources.")
@click.option("--depth", type=click.IntRange(0, 64), help="folder: 1 holds the photo (default), 2 is above, 0 on top.")
@click.option("--groups", type=click.IntRange(2, 10_000), help="kmeans: so many.  [default: 30]")
@click.option(
    "--features",
    type=click.Choice(["picture", "global"]),
    help="kmeans: by 58 features of the picture (default), or by the published four.",
)
@click.option("--seed", type=click.IntRange(0), help="kmeans: equal seeds make equal groups.")
@click.option("--of", type=click.Choice(CREDITS), help="none: whose word to take back.")
@click.option(
    "--undo", metavar="JOB", help="none: take back what this job credited; what was said before counts again."
)
@common
def command(
    call: Call,
    source: str,
    path: str | None,
    overwrite: bool,
    depth: int | None,
    groups: int | None,
    features: str | None,
    seed: int | None,
    of: str | None,
    undo: str | None,
) -> int:
    """Note whose work photos and videos are.

    \b
    exif     what the files themselves say (EXIF Artist, XMP, IPTC)
    folder   the names of the folders they lie in
    csv      PATH is a table with the columns path and photographer; a path may be
             a folder or a pattern
    kmeans   groups of alike photos, as if each were a photographer's; with
             --features global by contrast and the means of red, green and blue
    none     takes back what the source --of has said, or the job --undo

    PATH narrows it to a folder, but for csv. A person's word counts before a table, a table before folders, folders
    before the files, and these before groups.

    Folders, tables and groups name what has been imported by now. Files that come later go by what they say themselves,
    until the same is done again.
    """
    from web.client import connect
    from web.commands.job_progress import follow

    if source == "csv" and path is None:
        raise click.UsageError("--from csv needs the table's PATH.")
    new: Params = {"from": source, "overwrite": overwrite, "depth": depth, "groups": groups, "seed": seed}
    new |= {} if features is None else {"features": features}
    new |= {} if of is None else {"of": of}
    new |= {} if undo is None else {"undo": undo}
    if path is not None:
        new |= _table(Path(path)) if source == "csv" else {"path": _absolute(path)}
    with connect(call.settings()) as client:
        ended = follow(client, client.post("/photographers/label", new)["id"])
    call.answer(ended.to_json(), lambda console: console.print(one_line(ended.message)))
    return 1 if ended.failed else 0


def _table(path: Path) -> Params:
    """A table as the API takes it: the file is read by this process, wherever the job then runs.

    Raises:
        UsageError: it is not a text file.
    """
    from search.photographers.photos.labels import decoded

    return {"table": decoded(path.expanduser().read_bytes()), "base": str(path.expanduser().absolute().parent)}


def _absolute(path: str) -> str:
    from search import addresses

    return path if addresses.is_remote(path) else str(Path(path).expanduser().absolute())
