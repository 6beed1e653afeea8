"""``likewise evaluate``: how well each space finds what belongs together, on labelled files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.call import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from search.evaluate import Evaluation
    from search.settings import Settings
    from search.store.base import Store


@click.command("evaluate", short_help="Measure the answers on labelled files.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--k", type=click.IntRange(1, 500), help="Precision at so many.  [default: 10, or 5 where classes are small]"
)
@common
def command(call: Call, folder: Path, k: int | None) -> int:
    """Take in DIR and ask every file for its like: precision at 1 and k, mean average precision, and recall of the
    index against exact search.

    Labels are the folders in DIR, or the columns path and label of DIR/manifest.csv. Works in a data directory of its
    own that is deleted afterwards; with --home in that one, which is kept, so that a second run embeds nothing.
    """
    from search.evaluate import evaluate
    from search.labels import read_labels
    from web.client import connect_inside
    from web.commands.ingest import exit_status, take_in

    labels = read_labels(folder)
    with _home(call) as settings, connect_inside(settings) as (client, node):
        progress = take_in(client, (str(folder.absolute()),))
        call.say(f"{progress.done} files taken in, {progress.failed} failed. Measuring.")
        node.optimise()
        evaluation = evaluate(node.store, labels_by_id(node.store, labels), k=k)
    call.answer(evaluation, lambda console: _show(evaluation, console))
    return exit_status(progress)


@contextmanager
def _home(call: Call) -> Iterator[Settings]:
    if call.home is not None:
        yield call.settings()
        return
    with tempfile.TemporaryDirectory(prefix="likewise-evaluate-") as folder:
        yield call.settings(home=Path(folder))


def labels_by_id(store: Store, labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of paths as labels of what is stored; links on the way to a file make no difference."""
    real = {os.path.realpath(path): label for path, label in labels.items()}
    found: dict[str, str] = {}
    for collection in store.collections():
        for point in store.scroll(collection):
            for path in point.payload["paths"]:
                if (label := real.get(os.path.realpath(path))) is not None:
                    found[point.id] = label
    return found


def _show(evaluation: Evaluation, console: Console) -> None:
    from rich.table import Table

    table = Table("space", "n", "classes", "P@1", "P@k", "k", "mAP", "index recall", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, space in evaluation.spaces.items():
        figures = (f"{space.p_at_1:.3f}", f"{space.p_at_k:.3f}", str(space.k), f"{space.map:.3f}")
        table.add_row(name, str(space.n), str(space.classes), *figures, f"{space.index_recall:.3f}")
    console.print(table)
