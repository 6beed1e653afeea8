"""``likewise import``: vectors of another program, matched with this library's files and compared with its vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.questions.export import SPACE_OF, kind_of, pages

if TYPE_CHECKING:
    from rich.console import Console

    from search.store.base import Array

NEIGHBOURS, COMPARED, SHOWN = 10, 2000, 20


@dataclass(frozen=True, slots=True)
class ImportedVectors:
    """What an import found.

    Attributes:
        rows, dim: vectors in the cache, and their length.
        matched: rows whose file this library holds.
        unmatched: names of others, at most ``SHOWN``.
        cosine: median cosine of matched rows with the library's vectors; None where lengths differ or none matched.
        neighbours: share, 0 to 1, of the ten nearest files by the cache that are also among the ten nearest by the
            library's vectors, over at most ``COMPARED`` matched rows; None for fewer than twelve.
    """

    path: str
    rows: int
    dim: int
    matched: int
    unmatched: tuple[str, ...]
    cosine: float | None
    neighbours: float | None
    written: str = ""


@click.command("import", short_help="Vectors of another program, beside this library's.")
@click.argument("cache", metavar="CACHE", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--base", type=click.Path(path_type=Path), help="Folder that names are relative to.  [default: CACHE's]")
@click.option("--collection", type=click.Choice(list(SPACE_OF)), default="images", show_default=True, help="Of what.")
@click.option("--space", help="Compared with which vectors.  [default: visual, for audio sound]")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what matches: .npz, .joblib, .parquet.",
)
@common
def command(
    call: Call, cache: Path, base: Path | None, collection: str, space: str | None, target: Path | None
) -> None:
    """Read CACHE, an .npz or joblib file with embeddings (n, d) and filenames, and match it with this library.

    Joblib files are pickles, which can run programs; here they are read in a decoder process that builds arrays, lists
    and texts only and refuses the rest. Names are taken relative to --base; a name that no file has there counts for
    the one file of the library whose path ends with it.

    Says how many files match and how alike the vectors are: equal ones have a cosine of 1, and vectors of another model
    may still have the same neighbours. Vectors of different models are never mixed, so that none is put into the
    library; --to writes those that match, with the library's paths and ids.
    """
    import numpy as np

    from search.errors import UnreadableFileError
    from web.client import connect
    from web.export import Rows, write
    from workers.decode.cached_vectors import read_vector_cache

    kind = None if target is None else kind_of(target)
    settings = call.settings()
    found = read_vector_cache(settings, str(cache.expanduser().absolute()))
    with connect(settings) as client:
        listed = list(pages(client, collection, space or SPACE_OF[collection]))
    paths = [name for page in listed for name in page.filenames]
    ids = [id_ for page in listed for id_ in page.ids]
    rows, of = matched(found.names, paths, (base or cache.parent).expanduser().absolute())
    own = np.concatenate([page.embeddings for page in listed])[of] if of else np.empty((0, 0), np.float32)
    theirs = found.vectors[rows]
    if target is not None and kind is not None:
        written = Rows([paths[at] for at in of], [ids[at] for at in of], [float("nan")] * len(of), theirs)
        try:
            write(kind, target.expanduser(), [written])
        except OSError as error:
            raise UnreadableFileError(f"'{target}' cannot be written: {error.strerror}.") from error
    lost = sorted(set(range(len(found.names))) - set(rows))
    answer = ImportedVectors(
        str(cache),
        len(found.names),
        found.vectors.shape[1],
        len(rows),
        tuple(found.names[row] for row in lost[:SHOWN]),
        median_cosine(theirs, own),
        shared_neighbours(theirs, own),
        "" if target is None else str(target),
    )
    call.answer(answer, lambda console: _show(answer, console))


def matched(names: Sequence[str], paths: Sequence[str], base: Path) -> tuple[list[int], list[int]]:
    """Rows of ``names`` that are files of a library, and the row of each in ``paths``. A path of several rows, as of a
    video's key frames, counts for its first."""
    rows_of: dict[str, int] = {}
    for row, path in enumerate(paths):
        rows_of.setdefault(path, row)
    by_end = _by_end(rows_of)
    rows, of = [], []
    for row, name in enumerate(names):
        at = rows_of.get(str(base / name))
        if at is None:
            ends = [path for path in by_end.get(Path(name).name, ()) if path.endswith("/" + name.lstrip("./"))]
            at = rows_of[ends[0]] if len(ends) == 1 else None
        if at is not None:
            rows.append(row)
            of.append(at)
    return rows, of


def _by_end(paths: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found


def median_cosine(one: Array, other: Array) -> float | None:
    """Median cosine of rows (n, d) with rows (n, d); None without rows, or where lengths differ."""
    import numpy as np

    if one.shape != other.shape or not len(one):
        return None
    return float(np.median((_unit(one) * _unit(other)).sum(axis=1)))


def shared_neighbours(one: Array, other: Array) -> float | None:
    """Mean share of a row's ten nearest by (n, d) that are among its ten nearest by (n, k); None for few rows."""
    import numpy as np

    one, other = _unit(one[:COMPARED]), _unit(other[:COMPARED])
    if len(one) < NEIGHBOURS + 2:
        return None
    near = []
    for rows in (one, other):
        alike = rows @ rows.T
        np.fill_diagonal(alike, -2)
        near.append(np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBOURS])
    shares = [len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(near[0].tolist(), near[1].tolist(), strict=True)]
    return float(np.mean(shares))


def _unit(rows: Array) -> Array:
    import numpy as np

    lengths: Array = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Array = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def _show(found: ImportedVectors, console: Console) -> None:
    console.print(f"{found.rows:,} vectors of {found.dim:,} numbers; {found.matched:,} of them are of files here.")
    for name in found.unmatched:
        console.print(f"  not here: {one_line(name)}")
    if found.cosine is not None:
        console.print(f"Median cosine with this library's vectors: {found.cosine:.3f}")
    if found.neighbours is not None:
        console.print(f"Of the ten nearest by one, {found.neighbours:.0%} are among the ten nearest by the other.")
    if found.written:
        console.print(f"Written: {one_line(found.written)}")
