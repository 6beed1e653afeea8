"""SHA-256 of files, several at a time, ahead of their use."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from ingest.ledger.libraries import LibraryMap
from search import addresses
from search.media import Kind
from workers.storage.files import FileAccess

THREADS = 2
"""Threads for local files: hashing is bound by the disk and shares the processor with decoding."""

REMOTE_THREADS = 16
"""Threads for objects in buckets, which mostly wait for an answer."""

AHEAD = 32
"""Files that are hashed, or being hashed, before they are used."""


@dataclass(frozen=True, slots=True)
class HashTask:
    """A file to be read, as planned. ``sidecars`` are those beside it (``ingest.scan.sidecars``)."""

    path: str
    folder: str
    library: int
    kind: Kind
    sidecars: str = ""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A hashed file; size and times are those of the bytes that were hashed."""

    task: HashTask
    sha256: str
    size: int
    mtime_ns: int
    ctime_ns: int | None = None

    @property
    def path(self) -> str:
        """Path of the file."""
        return self.task.path


def read_files(
    tasks: Iterable[HashTask], files: FileAccess, roots: LibraryMap
) -> Iterator[tuple[HashTask, HashedFile | OSError]]:
    """Hash files in their order, ``AHEAD`` of the consumer; each with its result or the error of reading it.

    Args:
        roots: a file that a link has led out of all of these since the scan is not read.
    """
    with ExitStack() as stack:
        near = ThreadPoolExecutor(THREADS, thread_name_prefix="hash")
        far = ThreadPoolExecutor(REMOTE_THREADS, thread_name_prefix="fetch")  # starts threads only when needed
        for pool in (near, far):
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        waiting: deque[tuple[HashTask, Future[HashedFile]]] = deque()
        for task in tasks:
            pool = far if addresses.is_remote(files.local_address(task.path)) else near
            waiting.append((task, pool.submit(_read, task, files, roots)))
            if len(waiting) >= AHEAD:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())


def _read(task: HashTask, files: FileAccess, roots: LibraryMap) -> HashedFile:
    contents = files.read(task.path, _folder_of(task, files, roots))
    return HashedFile(task, contents.sha256, contents.size, contents.mtime_ns, contents.ctime_ns)


def _folder_of(task: HashTask, files: FileAccess, roots: LibraryMap) -> str | None:
    """The folder that a file has to lie in; None for an object, and where this machine sees the folder elsewhere."""
    if files.local_address(task.path) != task.path or addresses.is_remote(task.path):
        return None
    for path in (task.path, os.path.realpath(task.path)):
        with suppress(LookupError):
            base = roots.base_of(roots.root_of(path))
            if addresses.is_at_or_below(os.path.realpath(task.path), base):
                return base
    return addresses.parent(task.path)


def _result(task: HashTask, future: Future[HashedFile]) -> tuple[HashTask, HashedFile | OSError]:
    try:
        return task, future.result()
    except OSError as error:
        return task, error
