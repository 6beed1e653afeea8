"""Builds the approximate index of a shard in a process of its own: ``python -P optimise.py SHARD``.

Qdrant Edge 0.9 holds the GIL from the first to the last second of ``optimize()``, so a process that answers questions
must never call it. This file is run as a script on a copy of the shard (``search.store.edge.shard`` makes the copy
and takes the result over); it imports nothing of Likewise, so that it starts at once wherever Likewise is installed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import qdrant_edge

BUILT, NOTHING_TO_DO = 0, 3
"""Exit statuses; anything else is a failure described on standard error."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(folder: str) -> int:
    """Optimise the shard in ``folder`` as far as it goes."""
    if sys.platform == "linux":
        # Once in optimize() no Python runs here, so only the kernel can end an orphan.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(10)
    shard = qdrant_edge.EdgeShard.load(folder)
    built = shard.optimize()
    shard.flush()
    shard.close()
    return BUILT if built else NOTHING_TO_DO


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
