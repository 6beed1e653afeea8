"""``likewise evaluate`` measures the answers on labelled files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.store.temporary_folders import temporary_folder
from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from search.evaluation.evaluate import Evaluation
    from search.evaluation.reliability import Reliability
    from search.evaluation.spaces import RankingFigures
    from search.evaluation.words import WordEvaluation
    from search.settings import Settings


@click.command("evaluate", short_help="Measure the answers on labelled files.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--k", type=click.IntRange(1, 500), help="Precision at so many.  [default: 10, or 5 where classes are small]"
)
@common
def command(call: Call, folders: tuple[Path, ...], k: int | None) -> int:
    """Take in each DIR and ask every file for its like: precision at 1 and k, mean average precision, and recall of the
    index against exact search for each space; the same for the one list of all kinds, with the share of questions whose
    own kind and label is missing from the first 40; words for labels; and likeness, said against true.

    Labels are the folders in DIR, or the columns path and label of DIR/manifest.csv; several DIRs have labels of their
    own. Intervals (95 %) draw labels, or what the manifest's column group names, such as speakers. Likeness in the
    space style is measured on DIRs whose names begin with "photographers", in others on the rest.
    Works in a data directory of its own that is deleted afterwards; with --home in that one, which is kept, so that a
    second run embeds nothing.
    """
    from search.evaluation.evaluate import evaluate
    from search.labels import labels_by_id, read_groups, read_labels
    from web.client import connect_inside
    from web.commands.library.ingest import exit_status, take_in

    names = set_names(folders)
    labelled = {folder: read_labels(folder) for folder in names}
    several = len(names) > 1
    labels = {
        path: f"{names[folder]}/{label}" if several else label
        for folder, found in labelled.items()
        for path, label in found.items()
    }
    groups = {path: f"{names[folder]}/{group}" for folder in names for path, group in read_groups(folder).items()}
    set_of = {path: names[folder] for folder, found in labelled.items() for path in found}
    with _home(call) as settings, connect_inside(settings) as (client, node):
        progress = take_in(client, tuple(str(folder.absolute()) for folder in names))
        call.say(f"{progress.done} files imported, {progress.failed} failed. Measuring.")
        node.optimise()
        by_id = labels_by_id(node.store, labels)
        evaluation = evaluate(
            node.store,
            by_id,
            sets=labels_by_id(node.store, set_of),
            groups=labels_by_id(node.store, groups),
            k=k,
        )
    call.answer(evaluation, lambda console: _show(evaluation, console))
    return exit_status(progress)


def set_names(folders: Sequence[Path]) -> dict[Path, str]:
    """Name of each folder, with its parent's where two have the same."""
    paths = {folder: folder.absolute() for folder in folders}
    last = Counter(path.name for path in paths.values())
    return {
        folder: path.name if last[path.name] == 1 else f"{path.parent.name}/{path.name}"
        for folder, path in paths.items()
    }


@contextmanager
def _home(call: Call) -> Iterator[Settings]:
    if call.home is not None:
        yield call.settings()
        return
    with temporary_folder("likewise-evaluate-") as folder:
        yield call.settings(home=folder)


def _show(evaluation: Evaluation, console: Console) -> None:
    spaces = [
        (name, s.n, s.classes, *_with_intervals(s), s.k, f"{s.index_recall:.3f}")
        for name, s in evaluation.spaces.items()
    ]
    _table(console, "", ("space", "n", "classes", "P@1", "P@k", "mAP", "k", "index recall"), spaces)
    fused = [
        (name, f.n, f.classes, *_with_intervals(f), f.k, f"{f.missing:.3f}", f"{f.row_p_at_1:.3f}",
         f"{f.row_p_at_k:.3f}")
        for name, f in evaluation.fused.items()
    ]  # fmt: skip
    columns = ("set", "n", "classes", "P@1", "P@k", "mAP", "k", "missing", "P@1 in row", "P@k in row")
    title = "One list of all kinds; missing: no answer of the own kind and label among the first 40"
    _table(console, title, columns, fused)
    if evaluation.words is not None:
        _show_words(evaluation.words, console)
    for space, reliability in evaluation.likeness.items():
        _show_reliability(space, reliability, console)


def _with_intervals(figures: RankingFigures) -> list[str]:
    """P@1, P@k and mAP, each as ``.740 [.618, .842]``."""
    return [
        f"{getattr(figures, name):.3f} [{low:.3f}, {high:.3f}]".replace("0.", ".")
        for name, (low, high) in figures.intervals.items()
    ]


def _show_words(words: WordEvaluation, console: Console) -> None:
    rows = [(one.word, str(one.relevant), f"{one.p_at_10:.3f}", f"{one.ap:.3f}") for one in words.labels.values()]
    mean = ("mean", "", f"{words.p_at_10:.3f}", f"{words.map:.3f}")
    _table(console, f"Labels as words ({words.passed_over} are none)", ("word", "n", "P@10", "AP"), [*rows, mean])


def _show_reliability(space: str, measured: Reliability, console: Console) -> None:
    title = f"Likeness in {space}: {measured.pairs:,} pairs of {measured.items:,} items, ECE {measured.ece:.3f}"
    rows = [
        (f"{at / 10:.1f} to {(at + 1) / 10:.1f}", one.pairs, f"{one.said:.3f}", f"{one.true:.3f}")
        for at, one in enumerate(measured.bins)
        if one.said is not None and one.true is not None
    ]
    _table(console, title, ("likeness", "pairs", "said", "true"), rows)


def _table(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.table import Table

    if not rows:
        return
    if title:
        console.print(f"\n{title}")
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*map(str, row))
    console.print(table)
