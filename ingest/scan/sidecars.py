"""The sidecars beside a file, as one text that changes whenever one of them is edited, added or removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from search.sidecars import sidecar_names

Sidecars: TypeAlias = Mapping[str, tuple[int, int]]
"""The sidecars in one folder: name to size in bytes and modification time in nanoseconds."""


def describe_sidecars(name: str, beside: Sidecars) -> str:
    """What the ledger keeps of the sidecars of a file; empty where there are none.

    Args:
        name: of the file.
        beside: the sidecars in its folder.
    """
    if not beside:
        return ""
    found = [[each, *beside[each]] for each in sidecar_names(name) if each in beside]
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


def names_of_sidecars(described: str) -> tuple[str, ...]:
    """The names in a text of :func:`describe_sidecars`."""
    return tuple(str(name) for name, *_ in json.loads(described)) if described else ()
