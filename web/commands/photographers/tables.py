"""Tables of the commands about photographers: with a title on a terminal, and of predictions as a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from web.api.prediction.table import plain_cell as plain_cell
from web.api.prediction.table import predictions_csv
from web.commands.context import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


def show_table(console: Console, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table and its title; nothing without rows."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    if table.row_count:
        console.print(f"\n{title}", highlight=False)
        console.print(table)


def write_predictions(target: Path, photos: Sequence[Json]) -> None:
    """Write a CSV with the columns of ``web.api.prediction.table``, one row a photo; an existing file is replaced once
    the new one is complete.

    Args:
        photos: ``file``, ``prediction`` (of the API, or None) and ``error`` (a text, or None) of each.

    Raises:
        OSError: it cannot be written.
    """
    from web.export import replacing

    with replacing(target.expanduser()) as fresh:
        fresh.write_bytes(predictions_csv(photos))
