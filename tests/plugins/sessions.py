"""How a session runs: temporary folders in memory, number of processes, order and markers of tests."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
import pytest

TESTS = Path(__file__).resolve().parents[1]

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 12 * 2**30
"""Bytes that must be free for temporary folders to be in memory: an open library takes some 500 MB, a process of tests
1.5 GB."""

LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Bytes that the processes of a container may use, or "max"."""

SLOW: Mapping[str, tuple[str, ...]] = {
    "browser": (),
    "chaos": ("chaos", "ingest/test_kill.py", "ingest/moving/test_kill.py", "workers/process"),
    "models": (
        "search/photographers/test_classifier.py",
        "search/photographers/test_report.py",
        "workers/joint",
        "workers/presets",
        "workers/style",
    ),
    "slow": (
        "deploy/test_[cik]*.py",
        "deploy/test_redis.py",
        "ingest/moving",
        "ingest/test_[bcjo]*.py",
        "ingest/test_extremes.py",
        "ingest/test_full_disk.py",
        "ingest/test_missing.py",
        "ingest/test_unseen_edits.py",
        "ingest/test_l[ae]*.py",
        "ingest/test_[prs]*.py",
        "release",
        "search/photographers/test_familiarity.py",
        "search/photographers/test_people.py",
        "search/store/test_[ce]*.py",
        "search/test_browse.py",
        "search/test_evaluate.py",
        "search/test_same_everywhere.py",
        "search/test_transfer.py",
        "search/test_similar.py",
        "search/test_words.py",
        "search/words/test_[efp]*.py",
        "test_package.py",
        "test_structure.py",
        "version_before",
        "web/pages/*_pages.py",
        "web/pages/photographers/test_report_figures.py",
        "web/pages/test_duplicates_page.py",
        "web/pages/photographers/*_pages.py",
        "web/pages/test_pages.py",
        "web/server",
        "web/test_[cmnr]*.py",
        "web/test_api_answers.py",
        "web/test_api_extremes.py",
        "web/test_full_disk.py",
        "web/test_duplicates_and_bursts.py",
        "workers/decode/image/test_colour_table.py",
        "workers/decode/image/test_truncated.py",
        "workers/decode/test_damage.py",
        "workers/decode/test_film_colours.py",
        "workers/decode/test_image.py",
        "workers/decode/test_listening.py",
        "workers/decode/test_nasty.py",
        "workers/decode/test_perceptual.py",
        "workers/decode/test_pool.py",
        "workers/decode/test_video.py",
        "workers/embedders/test_models.py",
        "workers/embedders/test_n*.py",
        "workers/test_[bcp]*.py",
        "workers/test_alignment.py",
        "workers/test_records.py",
        "workers/test_delivery.py",
        "workers/test_files.py",
        "workers/test_forged_reports.py",
        "workers/test_renew.py",
        "workers/test_standardise.py",
        "workers/test_task_lookup.py",
        "workers/training",
    ),
}
"""Markers that `make test-fast` leaves out, and the folders and modules of tests, or patterns of modules, that have
them altogether."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary folders in memory where there is room: on a disk, tests mostly wait for it to synchronise.

    Compiled modules are kept, whatever the environment says: without them, a process of a test compiles for seconds.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if config.option.basetemp or "PYTEST_DEBUG_TEMPROOT" in os.environ or not MEMORY.is_dir():
        return
    for lock in MEMORY.glob("pytest-of-*/pytest-*/.lock"):  # it holds the number of the process that made the folder
        with suppress(OSError, ValueError):  # another session may be making or removing it
            if not psutil.pid_exists(int(lock.read_text())):
                shutil.rmtree(lock.parent, ignore_errors=True)
    limit = LIMIT.read_text().strip() if LIMIT.is_file() else "max"
    free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    if min(free, int(limit) if limit.isdigit() else free) > MEMORY_NEEDED:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Processes of ``-n auto``: two more than there are processors, because many tests wait."""
    return len(os.sched_getaffinity(0)) + 2


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are imported: nearly all of their objects stay, and looking at them again and
    again takes an eighth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later garbage collection; little of it is garbage."""
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what ``-m "not MARKER"`` leaves out altogether: imports take half of a quick run."""
    left_out = [marker for marker in SLOW if f"not {marker}" in config.option.markexpr]
    return True if any(_is_marked(collection_path, marker) for marker in left_out) else None


@cache
def _is_marked(path: Path, marker: str) -> bool:
    """Whether a module, or a folder, has this marker altogether."""
    if not path.is_relative_to(TESTS):
        return False
    at = path.relative_to(TESTS)
    return any(at.is_relative_to(place) or (path.is_file() and at.match(place)) for place in SLOW[marker])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow altogether, and put modules with slow tests first, so that none of them is left at the end."""
    order: dict[Path, int] = {}
    for item in items:
        for marker in SLOW:
            if _is_marked(item.path, marker):
                item.add_marker(marker)
        marked = {mark.name for mark in item.iter_markers()} & SLOW.keys()
        if marked:
            order[item.path] = min(order.get(item.path, 2), 1 if marked == {"slow"} else 0)
    items.sort(key=lambda item: order.get(item.path, 2))
