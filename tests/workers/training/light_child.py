"""A training child that learns nothing and has the bad days that a real one may have.

    python light_child.py FOLDER THREADS

What it does is said by the first photo's path: ``kill``, ``status``, ``memory``, ``crash``, ``refuse``, ``wait``,
``deaf``.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from search.errors import UsageError
from search.photographers.photos.dataset import PhotoSet
from workers.training.child import serve
from workers.training.request import MODEL, PHOTOS, TrainingOrder

LIMIT = 2 << 30


def train(
    folder: Path, order: TrainingOrder, threads: int, say: Callable[[str], None], goes_on: Callable[[], bool]
) -> tuple[str, ...] | None:
    photos = PhotoSet.load(folder / PHOTOS)
    say(f"Looking at {len(photos)} photos.")
    print("Libraries print what they like.")
    what = Path(photos.paths[0]).stem
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "status":
        print("Something is amiss.", file=sys.stderr, flush=True)
        os._exit(7)
    if what == "memory":
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
        np.ones(LIMIT, np.float64)
    if what == "crash":
        raise ZeroDivisionError("by nothing")
    if what == "refuse":
        raise UsageError("There is only one photographer.", "Label more.")
    if what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while what in ("wait", "deaf"):
        if what == "wait" and not goes_on():
            return None
        time.sleep(0.02)
    model = folder / MODEL
    model.mkdir()
    (model / "manifest.json").write_text(json.dumps({"kind": order.kind, "photos": len(photos), "threads": threads}))
    np.savez(model / "arrays.npz", weights=photos.visual.mean(axis=0))
    return ("It learnt nothing.",)


if __name__ == "__main__":
    serve(train, Path(sys.argv[1]), int(sys.argv[2]))
