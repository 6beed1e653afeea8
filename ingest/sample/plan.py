"""Description of each file of the sample library, and the function that makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from search.media import Kind

FIRST_DAY = datetime(2021, 3, 6, 8, 0, tzinfo=UTC)
"""No sample picture was taken before this."""


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file of a sample library with its ground truth.

    Attributes:
        path: relative to the library's folder, POSIX.
        kind: what it is by its name; a broken file is of the kind that it claims to be.
        subjects: what it shows, in the order of a video's shots; empty for sounds.
        photographer: whose picture it is; None for videos and sounds.
        motion: how a video moves.  sound: what a sound, or the sound track of a video, is of.
        carries: path of the sound file whose sound this video carries.
        copy_of: path of the file with the same bytes.  edit_of: path of the file that this is an edit of.
        edit: what was done to it, in a word or two.
        broken: it cannot be decoded.
    """

    path: str
    kind: Kind
    subjects: tuple[str, ...] = ()
    photographer: str | None = None
    motion: str | None = None
    sound: str | None = None
    carries: str | None = None
    copy_of: str | None = None
    edit_of: str | None = None
    edit: str | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class SampleItem:
    """A file to be made.

    Attributes:
        make: its bytes, given the library's folder; reads nothing there but the file it is a copy or an edit of.
    """

    file: SampleFile
    make: Callable[[Path], bytes]


def generator(path: str) -> np.random.Generator:
    """A random generator for a path: the same in every run, and different for each path."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(path.encode()).digest()[:8]))


def moment_of(path: str) -> datetime:
    """The invented moment at which a file was made: within three years of :data:`FIRST_DAY`, to the second."""
    number = int.from_bytes(hashlib.sha256(b"moment" + path.encode()).digest()[:4])
    return FIRST_DAY + timedelta(days=number % 1000, seconds=number // 1000 % 43_200)
