"""SHA-256 of files, several at a time, ahead of their use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

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


def read_files(tasks: Iterable[HashTask], files: FileAccess) -> Iterator[tuple[HashTask, HashedFile | OSError]]:
    """Hash files in their order, ``AHEAD`` of the consumer; each with its result or the error of reading it."""
    with ExitStack() as stack:
        near = ThreadPoolExecutor(THREADS, thread_name_prefix="hash")
        far = ThreadPoolExecutor(REMOTE_THREADS, thread_name_prefix="fetch")  # starts threads only when needed
        for pool in (near, far):
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        waiting: deque[tuple[HashTask, Future[HashedFile]]] = deque()
        for task in tasks:
            pool = far if addresses.is_remote(files.local_address(task.path)) else near
            waiting.append((task, pool.submit(_read, task, files)))
            if len(waiting) >= AHEAD:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())


def _read(task: HashTask, files: FileAccess) -> HashedFile:
    contents = files.read(task.path)
    return HashedFile(task, contents.sha256, contents.size, contents.mtime_ns, contents.ctime_ns)


def _result(task: HashTask, future: Future[HashedFile]) -> tuple[HashTask, HashedFile | OSError]:
    try:
        return task, future.result()
    except OSError as error:
        return task, error
