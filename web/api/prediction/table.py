"""Predictions as a table: the CSV that ``likewise photographers predict --csv`` writes and the page offers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

PREDICTED = (
    "file",
    "unknown",
    "photographer",
    "display_name",
    "probability",
    "threshold",
    "one_of",
    "coverage",
    "model",
    "error",
)
"""Columns: ``photographer`` is the first candidate, also where the answer is "unknown"; ``one_of`` joins names with
``"; "``."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def predictions_csv(photos: Sequence[Mapping[str, Any]]) -> bytes:
    """A CSV (RFC 4180, UTF-8) with the columns :data:`PREDICTED`, one row a photo.

    Args:
        photos: ``file``, ``prediction`` (of the API, or None) and ``error`` (a text, or None) of each.
    """
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(PREDICTED)
    lines.writerows(_row(photo) for photo in photos)
    return text.getvalue().encode("utf-8", "backslashreplace")


def plain_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it.

    Source: OWASP, "CSV Injection".
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _row(photo: Mapping[str, Any]) -> list[str]:
    prediction, name = photo["prediction"], plain_cell(photo["file"])
    if prediction is None:
        return [name, *[""] * (len(PREDICTED) - 2), plain_cell(photo["error"] or "")]
    best = prediction["candidates"][0] if prediction["candidates"] else None
    return [
        name,
        "yes" if prediction["unknown"] or best is None else "no",
        plain_cell(best["photographer"]) if best else "",
        plain_cell(best.get("display_name", "")) if best else "",
        f"{best['probability']:.6f}" if best else "",
        f"{prediction['threshold']:.6f}",
        plain_cell("; ".join(prediction["one_of"])),
        "" if prediction["coverage"] is None else f"{prediction['coverage']:g}",
        prediction["model"],
        "",
    ]
