"""What a process is told before it computes; asked of new processes, because it holds for the whole of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = """
import resource, sys
from workers.runtime import make_ready_for_models
if sys.argv[1] == "ready":
    make_ready_for_models()
import numpy
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
numpy.ones(64 << 18, numpy.float32)
before = faults()
for _ in range(4):
    numpy.ones(64 << 18, numpy.float32)
print(faults() - before)
"""


def answer(repository: Path, script: str, *arguments: str, **environment: str) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | environment
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=repository, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_large_blocks_are_taken_from_the_system_once(repository: Path) -> None:
    kept, returned = (int(answer(repository, FAULTS, how)) for how in ("ready", "as it is"))
    assert kept < returned / 4  # pages, small or huge


def test_threads_that_wait_sleep_unless_somebody_wants_it_otherwise(repository: Path) -> None:
    script = "import os, workers.runtime as r; r.make_ready_for_models(); print(os.environ['OMP_WAIT_POLICY'])"
    assert answer(repository, script) == "passive"
    assert answer(repository, script, OMP_WAIT_POLICY="active") == "active"
