"""Photographers placed in a photographer space after it was learnt: ``placed.json`` in the model's folder.

The space itself stays as it was learnt. The next training learns from them as from everybody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from search.errors import ModelError

FOLDED_IN = "placed.json"


@dataclass(frozen=True, slots=True)
class FoldedIn:
    """``vector`` (d,) of somebody, found from so many ``photos``."""

    name: str
    photos: int
    vector: tuple[float, ...]


def read_folded_in(folder: Path) -> tuple[FoldedIn, ...]:
    """
    Raises:
        ModelError: the file is damaged.
    """
    try:
        told = json.loads((folder / FOLDED_IN).read_text("ascii"))
        return tuple(
            FoldedIn(str(one["name"]), int(one["photos"]), tuple(float(value) for value in one["vector"]))
            for one in told
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{FOLDED_IN} in {folder.name} cannot be read: {error}.", "Train it again.") from error


def write_folded_in(folder: Path, placed: Iterable[FoldedIn]) -> None:
    """Keep these, and no others; of two of one name the last."""
    latest = {one.name: one for one in placed}
    # In ASCII: a name may hold half a character, which no encoding of files would take.
    (folder / FOLDED_IN).write_text(json.dumps([asdict(one) for one in latest.values()]), "ascii")
