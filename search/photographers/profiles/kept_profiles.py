"""Styles of all photographers in one view, kept in a file until photos change."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.photographers.profiles.styles import Profile, profile_of

LAYOUT = 1
"""Version of the file, raised also where styles are found in another way; another one is not read."""

log = logging.getLogger(__name__)


def profiles_of(
    view: NDArray[np.float64], rows: Mapping[str, NDArray[np.intp]], kept: Path | None = None
) -> Mapping[str, Profile]:
    """Profile of each photographer who has photos in a view, see :func:`~.styles.profile_of`.

    Args:
        view: float64 ``(n, d)``, NaN where unknown.  rows: photographer to positions, intp.
        kept: file of the profiles, which are read from it where they are those of this view and these positions, and
            else are written to it. It is a cache: what cannot be read counts as absent, and what cannot be written is
            logged. None keeps none.
    """
    key = _digest(view, rows) if kept is not None else ""
    if kept is not None and (found := _read(kept, key, list(rows))) is not None:
        return found
    made = {name: profile for name, own in rows.items() if (profile := profile_of(view, own)) is not None}
    if kept is not None:
        _write(kept, key, list(rows), made)
    return made


def _digest(view: NDArray[np.float64], rows: Mapping[str, NDArray[np.intp]]) -> str:
    hashed = hashlib.sha256(json.dumps([LAYOUT, view.shape, [(name, len(own)) for name, own in rows.items()]]).encode())
    hashed.update(np.ascontiguousarray(view).tobytes())
    for own in rows.values():
        hashed.update(own.tobytes())
    return hashed.hexdigest()


def _read(path: Path, key: str, names: list[str]) -> dict[str, Profile] | None:
    with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile), np.load(path, allow_pickle=False) as arrays:
        if str(arrays["key"]) != key:
            return None
        members = np.split(arrays["members"], np.cumsum(arrays["sizes"])[:-1])
        centres, shares = arrays["centres"], arrays["shares"]
        ends = np.cumsum(arrays["styles"]).tolist()
        return {
            name: Profile(centres[begin:end], shares[begin:end], tuple(members[begin:end]))
            for name, begin, end in zip(names, [0, *ends[:-1]], ends, strict=True)
            if end > begin
        }
    return None


def _write(path: Path, key: str, names: list[str], profiles: Mapping[str, Profile]) -> None:
    if not profiles:
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    members = [some for profile in profiles.values() for some in profile.members]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(
                file,
                key=np.array(key),
                styles=np.array([len(profiles[name].shares) if name in profiles else 0 for name in names]),
                centres=np.concatenate([profile.centres for profile in profiles.values()]),
                shares=np.concatenate([profile.shares for profile in profiles.values()]),
                sizes=np.array([len(some) for some in members]),
                members=np.concatenate(members),
            )
        partial.replace(path)
    except OSError as error:
        log.warning("The styles of photographers could not be kept in %s: %s", path, error)
