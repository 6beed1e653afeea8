"""Tables of the commands about photographers: with a title on a terminal, and of predictions as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from web.commands.context import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json

PREDICTED = ("file", "unknown", "photographer", "probability", "threshold", "one_of", "coverage", "model", "error")
"""Columns of predictions: ``photographer`` is the first candidate, also where the answer is "unknown"; ``one_of`` joins
names with ``"; "``."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


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
    """Write a CSV (RFC 4180, UTF-8) with the columns :data:`PREDICTED`, one row a photo; an existing file is replaced
    once the new one is complete.

    Args:
        photos: ``file``, ``prediction`` (of the API, or None) and ``error`` (a text, or None) of each.

    Raises:
        OSError: it cannot be written.
    """
    from web.export import replacing

    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(PREDICTED)
    lines.writerows(_predicted(photo) for photo in photos)
    with replacing(target.expanduser()) as fresh:
        fresh.write_bytes(text.getvalue().encode("utf-8", "backslashreplace"))


def plain_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it.

    Source: OWASP, "CSV Injection".
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _predicted(photo: Json) -> list[str]:
    prediction, name = photo["prediction"], plain_cell(photo["file"])
    if prediction is None:
        return [name, *[""] * (len(PREDICTED) - 2), plain_cell(photo["error"] or "")]
    best = prediction["candidates"][0] if prediction["candidates"] else None
    return [
        name,
        "yes" if prediction["unknown"] or best is None else "no",
        plain_cell(best["photographer"]) if best else "",
        f"{best['probability']:.6f}" if best else "",
        f"{prediction['threshold']:.6f}",
        plain_cell("; ".join(prediction["one_of"])),
        "" if prediction["coverage"] is None else f"{prediction['coverage']:g}",
        prediction["model"],
        "",
    ]
