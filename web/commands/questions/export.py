"""``likewise export``: vectors and file names, for other programs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from web.client import Client
    from web.export import Rows

SPACE_OF = {"images": "visual", "videos": "visual", "audio": "sound"}
SUFFIX_OF = {".npz": "npz", ".parquet": "parquet", ".joblib": "joblib"}
TABLE_SUFFIX_OF = {".csv": "csv", ".parquet": "parquet", ".npz": "npz"}
"""Of tables of features."""


@click.command("export", short_help="Write vectors with file names to a file.")
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format", "kind", type=click.Choice(["npz", "parquet", "joblib", "csv"]), help="[default: by the name of OUT]"
)
@click.option("--collection", type=click.Choice(list(SPACE_OF)), default="images", show_default=True, help="Of what.")
@click.option("--space", help="Which vectors.  [default: visual, for audio sound]")
@click.option("--base", type=click.Path(path_type=Path), help="Write names relative to this folder, of files below it.")
@click.option(
    "--features", is_flag=True, help="Write the table of the pictures' features instead: .csv too, no .joblib."
)
@common
def command(
    call: Call,
    target: Path,
    kind: str | None,
    collection: str,
    space: str | None,
    base: Path | None,
    features: bool,
) -> None:
    """Write the vectors of a collection to OUT, one row a vector (a video's visual vectors: one row a key frame).

    \b
    npz      numpy arrays embeddings (n, d), filenames, ids, moments
    parquet  columns filename, id, moment, embedding
    joblib   a dictionary of embeddings (n, d) and filenames

    With --features the 78 features of pictures, one row a picture, in the order in which their visual vectors are
    written: row n of both is the same picture.

    \b
    csv, parquet  columns filename, id, photographer and one for each feature
    npz           numpy arrays features (n, 78), columns (their names), filenames, ids, photographers
    """
    from search.errors import UsageError
    from web.client import connect
    from web.export import write

    suffixes = TABLE_SUFFIX_OF if features else SUFFIX_OF
    kind = kind or kind_of(target, suffixes)
    if kind not in suffixes.values():
        what = "Features" if features else "Vectors"
        raise UsageError(f"{what} are not written as {kind}.", f"Choose {', '.join(suffixes.values())}.")
    if features:
        _export_features(call, target, kind, collection, space, base)
        return
    space = space or SPACE_OF[collection]
    with connect(call.settings()) as client:
        read = pages(client, collection, space)
        if base is not None:
            read = relative(read, base.expanduser().absolute())
        rows, dim = write(kind, target.expanduser(), read)
    answer = {"path": str(target), "format": kind, "collection": collection, "space": space, "rows": rows, "dim": dim}
    call.answer(answer, lambda console: console.print(f"{rows} vectors of {dim} numbers written to {target}."))


def _export_features(
    call: Call, target: Path, kind: str, collection: str, space: str | None, base: Path | None
) -> None:
    """
    Raises:
        UsageError: something else than pictures is meant.
    """
    from search.errors import UsageError
    from search.photographers.photos.features import FEATURES, UNMEASURED
    from web.client import connect
    from web.commands.questions.feature_table import feature_pages, write_features

    if collection != "images" or space is not None:
        raise UsageError("Only pictures have features, and these are in no space.", "Leave out --collection, --space.")
    with connect(call.settings()) as client:
        rows = write_features(kind, target.expanduser(), feature_pages(client, base))
    empty = [FEATURES[at].name for at in UNMEASURED]
    answer = {"path": str(target), "format": kind, "rows": rows, "columns": len(FEATURES), "unmeasured": empty}
    told = (
        f"{rows} rows of {len(FEATURES)} features written to {target}. Nothing measures {' and '.join(empty)}: empty."
    )
    call.answer(answer, lambda console: console.print(told))


def kind_of(target: Path, suffixes: Mapping[str, str] = SUFFIX_OF) -> str:
    """Format that a file's name tells, by its suffix.

    Raises:
        UsageError: it tells none.
    """
    from search.errors import UsageError

    kind = suffixes.get(target.suffix.lower())
    if kind is None:
        known = ", ".join(suffixes)
        raise UsageError(f"The name '{target.name}' does not tell a format.", f"Let it end in {known}.")
    return kind


def relative(read: Iterator[Rows], base: Path) -> Iterator[Rows]:
    """Pages with the names of files below ``base`` relative to it; others keep their whole path."""
    from dataclasses import replace

    start = str(base).rstrip("/") + "/"
    for page in read:
        yield replace(page, filenames=[name.removeprefix(start) for name in page.filenames])


def pages(client: Client, collection: str, space: str) -> Iterator[Rows]:
    """The vectors, a page at a time."""
    import numpy as np

    from web.api.vectors import VectorPage
    from web.export import Rows
    from web.plain import load

    asked = {"collection": collection, "space": space}
    after: str | None = None
    while True:
        page: VectorPage = load(VectorPage, client.get("/vectors", asked | ({"after": after} if after else {})))
        names, ids, moments = [], [], []
        for item in page.items:
            names += [item.paths[0] if item.paths else ""] * item.rows
            ids += [item.id] * item.rows
            moments += list(item.moments) if len(item.moments) == item.rows else [float("nan")] * item.rows
        data = b"".join(base64.b64decode(item.data) for item in page.items)
        yield Rows(names, ids, moments, np.frombuffer(data, "<f4").reshape(-1, page.dim))
        after = page.after
        if after is None:
            return
