"""Make the sample library in a folder, and describe its files."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest.sample.copies import broken_items, copy_items
from ingest.sample.pictures import picture_items
from ingest.sample.plan import SampleFile, SampleItem, moment_of
from ingest.sample.sounds import sound_items
from ingest.sample.videos import video_items
from search.media import Kind

VERSION = 1
"""Incremented whenever the generated files change, so that an older library is made again."""

MARKER = ".likewise-sample.json"
"""JSON file in the library's folder with its ``version``; hidden, so that it is not ingested."""


@dataclass(frozen=True, slots=True)
class SampleLibrary:
    """A sample library on disk: its folder, and what is true of every file in it, in a fixed order."""

    folder: Path
    files: tuple[SampleFile, ...]

    def of(self, kind: Kind) -> tuple[SampleFile, ...]:
        """The files of a kind that can be decoded."""
        return tuple(file for file in self.files if file.kind is kind and not file.broken)

    @property
    def broken(self) -> tuple[SampleFile, ...]:
        """The files that cannot be decoded."""
        return tuple(file for file in self.files if file.broken)


def make_sample_library(folder: Path) -> SampleLibrary:
    """Make the sample library in a folder, or complete the one that is there.

    The same versions of the libraries used make the same bytes. Files already made by this version are left as they
    are, so a second call costs little and an interrupted one continues. Nothing else in the folder is touched.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    originals = [*video_items(), *picture_items(), *sound_items(), *broken_items()]
    copies = copy_items()
    if read_version(folder) != VERSION:
        for item in (*originals, *copies):
            (folder / item.file.path).unlink(missing_ok=True)
        write_atomically(folder / MARKER, json.dumps({"version": VERSION}).encode())
    # numpy, OpenCV and the encoders release the GIL, so threads use every core.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for stage in (originals, copies):
            list(threads.map(partial(make_file, folder), stage))
    return SampleLibrary(folder, tuple(item.file for item in (*originals, *copies)))


def make_file(folder: Path, item: SampleItem) -> None:
    """Make one file unless it exists, with a modification time like that of a camera's file.

    Raises:
        OSError: it cannot be written.
    """
    target = folder / item.file.path
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, item.make(folder))
    moment = moment_of(item.file.path).timestamp()
    os.utime(target, (moment, moment))


def read_version(folder: Path) -> int | None:
    """Version of the library in a folder; None when there is none, or its marker cannot be read."""
    try:
        version = json.loads((folder / MARKER).read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None


def write_atomically(target: Path, content: bytes) -> None:
    """Write a file in one step, so that an interrupted write leaves none.

    Raises:
        OSError: it cannot be written.
    """
    partial_file = target.with_name(f".{target.name}.part")
    partial_file.write_bytes(content)
    partial_file.replace(target)
