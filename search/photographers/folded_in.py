"""Photographers folded into a trained photographer space, and their file ``placed.json``.

The space itself stays as it was trained. The next training takes their photos like all others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from search.errors import ModelError

FOLDED_IN = "placed.json"
LAYOUT = 2
"""Version of the file. Layout 1, of version 0.1.0, is the list of photographers alone; a newer one is refused."""


@dataclass(frozen=True, slots=True)
class FoldedIn:
    """A photographer's vector, ``(d,)``, computed from so many ``photos``."""

    name: str
    photos: int
    vector: tuple[float, ...]


def read_folded_in(folder: Path) -> tuple[FoldedIn, ...]:
    """Photographers folded into the model in this folder; none where the file is absent.

    Raises:
        ModelError: the file is damaged, or a newer version of Likewise wrote it.
    """
    try:
        stored = json.loads((folder / FOLDED_IN).read_text("ascii"))
        if isinstance(stored, list):
            stored = {"layout": 1, "photographers": stored}
        if stored["layout"] > LAYOUT:
            raise ModelError(
                f"{FOLDED_IN} in {folder.name} was written by a newer version of Likewise.", "Update Likewise."
            )
        return tuple(
            FoldedIn(str(one["name"]), int(one["photos"]), tuple(float(value) for value in one["vector"]))
            for one in stored["photographers"]
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{FOLDED_IN} in {folder.name} cannot be read: {error}.", "Train it again.") from error


def write_folded_in(folder: Path, photographers: Iterable[FoldedIn]) -> None:
    """Replace the file's photographers by these; of two with one name, the last is kept."""
    latest = {one.name: one for one in photographers}
    stored = {"layout": LAYOUT, "photographers": [asdict(one) for one in latest.values()]}
    # In ASCII: a name may hold half a character, which no encoding of files would take.
    (folder / FOLDED_IN).write_text(json.dumps(stored), "ascii")
