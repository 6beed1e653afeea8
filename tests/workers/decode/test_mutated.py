"""Damaged and hostile media are decoded, or refused with a reason, alike with and without powers; nothing hangs."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import mutated_media as media

from search.settings import Settings


def test_mutated_media_come_out_alike_in_the_sandbox_and_without(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """Every third of those that ``tests/benchmarks/check_mutated.py`` decodes."""
    cases = list(media.mutated(media.drawn()))
    assert len(cases) == media.COUNT
    settings, paths = make_settings(), []
    for name, files in cases[::3]:
        for each, content in files.items():
            (tmp_path / each).write_bytes(content)
        paths.append(tmp_path / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, longest = [], 0.0
    for sandbox in ("required", "off"):
        with media.pool_of(settings, sandbox) as pool:
            found = {}
            for path in paths:
                began = time.monotonic()
                found[path.name] = media.outcome(pool.submit(str(path)))
                longest = max(longest, time.monotonic() - began)
        outcomes.append(found)
    confined, free = outcomes
    assert confined == free
    assert [name for name, (code, _) in confined.items() if code.startswith("no reason")] == []
    assert longest < media.TIMEOUT_S + 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes, of the coordinator"
    assert len({code for code, _ in confined.values()}) >= 3
