"""SHA-256 of files, a few at a time, ahead of whoever needs them."""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.
# ruff: noqa: PTH123

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from search.media import Kind

THREADS = 2
"""Hashing is bound by the disk and shares the processor with decoding."""

AHEAD = 32
"""Files hashed, or being hashed, before they are asked for."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be read, as planned."""

    path: str
    folder: str
    library: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Read:
    """A file that has been read: size and time are those of the very bytes that were hashed."""

    task: Task
    sha256: str
    size: int
    mtime_ns: int

    @property
    def path(self) -> str:
        return self.task.path


def read_file(task: Task) -> Read:
    """Hash one file.

    Raises:
        OSError: it cannot be opened or read.
    """
    with open(task.path, "rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Read(task, digest, status.st_size, status.st_mtime_ns)


def read_files(tasks: Iterable[Task]) -> Iterator[tuple[Task, Read | OSError]]:
    """Hash files in their order, ``AHEAD`` of the consumer."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="hash") as pool:
        waiting: deque[tuple[Task, Future[Read]]] = deque()
        try:
            for task in tasks:
                waiting.append((task, pool.submit(read_file, task)))
                if len(waiting) >= AHEAD:
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(task: Task, future: Future[Read]) -> tuple[Task, Read | OSError]:
    try:
        return task, future.result()
    except OSError as error:
        return task, error
