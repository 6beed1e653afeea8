"""Writes files that are whole after a crash, copies sparse files, and reports a full disk early."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from search.errors import DiskFullError, LikewiseError, StoreError
from search.store.temporary_folders import temporary_folder

RESERVE = 192 * 2**20
"""Bytes that must stay free for a write to be let through.

Qdrant Edge writes through memory maps that grow by chunks of up to 32 MiB. When the disk cannot back a mapped page the
kernel kills the process with SIGBUS, so the engine must not get that far. One write to a new home was seen to take more
than 100 MiB while it ran (chunks and log segments of three collections), so half as much again is kept in hand.
"""

LAYOUT = "layout"
"""Key of the number that says how a JSON file of the store is laid out."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_TEXT = re.compile(r"no space left|disk quota|file too large|not enough (disk )?space|out of disk", re.IGNORECASE)
_PANICS = "pyo3_runtime"
"""Module of the exception that stands for a panic of the engine, which is no Exception; it cannot be imported."""

_COPY_CHUNK = 2**24
_SYNC_THREADS = 32

_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_MEMORY_NEEDED = 2**28
"""Bytes that must be free in memory to build a shard there; one takes about 30 MB."""


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace ``path`` atomically and durably: after a crash it holds the old object or the new one."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync(path.parent)


def read_json(path: Path, newest: int) -> dict[str, Any]:
    """The object in a file of the store that :func:`write_json` wrote, with its :data:`LAYOUT` taken out; a file that
    names none has layout 1.

    Args:
        newest: the latest layout that this version of Likewise reads.

    Raises:
        StoreError: a later version of Likewise has written it.
        ValueError, OSError: it is no JSON, or cannot be read.
    """
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    layout = value.pop(LAYOUT, 1)
    if layout > newest:
        raise StoreError(
            f"'{path}' has layout {layout}, and this version of Likewise reads layouts up to {newest}.",
            "A later version has written it: use that one, or restore a backup made by this one.",
        )
    return value


def sync(path: Path) -> None:
    """Make a file's content, or the renames and removals in a folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Make every file and folder below ``folder``, and itself, durable.

    All at once, as file systems commit what is asked for together in one go: 200 files one after another take as long
    as 200 commits.
    """
    with ThreadPoolExecutor(_SYNC_THREADS) as threads:
        list(threads.map(sync, [*folder.rglob("*"), folder]))


@contextmanager
def quick_folder(beside: Path) -> Iterator[Path]:
    """A temporary folder in memory where there is room, else in ``beside``; removed in the end."""
    memory = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and _free(_MEMORY) >= _MEMORY_NEEDED
    with temporary_folder("shard-likewise-", _MEMORY if memory else beside) as made:
        yield made


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a folder, leaving holes as holes: a shard preallocates its files many times larger than their content."""
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_dir():
            copy_sparse(entry, target / entry.name)
        else:
            _copy_file(entry, target / entry.name)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as read, target.open("wb", buffering=0) as write:
        size = os.fstat(read.fileno()).st_size
        write.truncate(size)
        start = 0
        while start < size:
            try:
                start = os.lseek(read.fileno(), start, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nothing but a hole from here on
                    return
                raise
            end = os.lseek(read.fileno(), start, os.SEEK_HOLE)
            while start < end:
                chunk = os.pread(read.fileno(), min(_COPY_CHUNK, end - start), start)
                if not chunk:
                    return
                start += os.pwrite(write.fileno(), chunk, start)


def size_on_disk(folder: Path) -> int:
    """Bytes allocated to the files below ``folder``."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def back_holes(folder: Path) -> None:
    """Give every page of the payload indexes below ``folder`` its memory, on a file system in memory (tmpfs) alone.

    There even reading a hole takes a page, and a process that finds none is killed; the engine reads these files whole
    when it opens them.

    Raises:
        OSError: no space is left.
    """
    if sys.platform != "linux" or not _is_in_memory(folder):
        return
    for path in folder.rglob("payload_index/*/*.dat"):
        if path.is_file() and (size := path.stat().st_size) > path.stat().st_blocks * 512:
            handle = os.open(path, os.O_RDWR)
            try:
                os.posix_fallocate(handle, 0, size)
            finally:
                os.close(handle)


def _is_in_memory(folder: Path) -> bool:
    """Whether a folder is on tmpfs, by the kernel's list of mounts."""
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(line.split()[2] == wanted and " - tmpfs " in line for line in mounts)


def check_space(folder: Path, wanted: int = 0) -> None:
    """Raises:
    DiskFullError: ``folder``'s disk has less than ``wanted`` bytes beyond the reserve.
    """
    free = _free(folder)
    if free < RESERVE + wanted:
        raise disk_full(folder, f"{free // 2**20} MiB are free and {(RESERVE + wanted) // 2**20} MiB are needed")


def _free(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def disk_full(folder: Path, reason: str) -> DiskFullError:
    return DiskFullError(
        f"The disk of '{folder}' is full: {reason}.",
        "Free some space or move the data directory; what was stored before is intact.",
    )


@contextmanager
def engine_errors(folder: Path) -> Iterator[None]:
    """Turn what Qdrant Edge and the file system raise into errors of Likewise, keeping the cause.

    Raises:
        DiskFullError: the disk is full.
        StoreError: anything else failed.
    """
    try:
        yield
    except LikewiseError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(folder, str(error)) from error
        raise StoreError(f"The store in '{folder}' could not be read or written: {error}.") from error
    except Exception as error:
        # The engine raises bare Exception for everything it refuses; only the text says what it was.
        raise failure(folder, str(error)) from error
    except BaseException as error:
        if type(error).__module__ != _PANICS:
            raise
        raise failure(folder, f"the engine stopped at '{error}', as it does where its files are damaged") from error


def says_disk_full(text: str) -> bool:
    """Whether an engine's message is about a full disk: it gives no code, only words."""
    return _FULL_TEXT.search(text) is not None


def failure(folder: Path, text: str) -> StoreError:
    """The error for a message of the engine."""
    if says_disk_full(text):
        return disk_full(folder, text)
    return StoreError(
        f"The store in '{folder}' failed: {text.strip() or 'without a message'}.",
        "Where it fails again, `likewise verify` says what is damaged.",
    )
