"""Child process of a training: ``python -m workers.training.child FOLDER THREADS``.

``request`` describes the folder. The child writes messages as JSON objects to standard output, a line each: ``{"say":
TEXT}`` any number of times, then one of ``{"done": {"notes": […]}}``, ``{"stopped": true}`` and ``{"error": {"code",
"message", "hint"}}``. SIGTERM asks it to stop. It ends with its parent, and when memory runs out the kernel kills it
before other processes.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from search.errors import LikewiseError, TrainingError
from search.photographers.model_registry import ModelKind
from search.photographers.photos.dataset import PhotoSet
from workers.runtime import make_ready_for_models
from workers.training.request import MODEL, PHOTOS, PICTURES, TrainingOrder

_PR_SET_PDEATHSIG = 1
NICENESS = 10
"""Queries and batches of this machine have priority."""

OOM_SCORE = "800"
"""``oom_score_adj`` of 1000: preference of the kernel to kill this process when memory runs out."""

_MEMORY = re.compile(r"out of memory|bad.?alloc|allocate memory", re.IGNORECASE)
"""Messages of the errors that torch and CatBoost raise when memory runs out."""

Train = Callable[[Path, TrainingOrder, int, Callable[[str], None], Callable[[], bool]], tuple[str, ...] | None]
"""From folder, order, threads, ``say`` and ``goes_on`` to the notes of a training; None when it was stopped."""


def serve(train: Train, folder: Path, threads: int) -> None:
    """Run the training of a folder and report how it ended."""
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then stops this process
    _lower_priority()
    send = _take_standard_output()

    def say(text: str) -> None:
        send({"say": text})

    try:
        notes = train(folder, TrainingOrder.load(folder), threads, say, lambda: not stopping)
        send({"stopped": True} if notes is None else {"done": {"notes": notes}})
    except LikewiseError as error:
        send({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
    except Exception as error:  # the boundary of a training: its parent reports it
        send({"error": _unexpected(error)})


def train_from_folder(
    folder: Path, order: TrainingOrder, threads: int, say: Callable[[str], None], goes_on: Callable[[], bool]
) -> tuple[str, ...] | None:
    """Train the kind of model that the order names on the folder's photos."""
    photos = PhotoSet.load(folder / PHOTOS)
    model = folder / MODEL
    if order.kind is ModelKind.CLASSIFIER:
        return _train_classifier(photos, model, order, threads, say, goes_on)
    if order.place:
        return _place(folder / PICTURES, model, order, threads, say)
    return _train_joint(photos, folder / PICTURES, model, order, threads, say, goes_on)


def _train_classifier(
    photos: PhotoSet,
    model: Path,
    order: TrainingOrder,
    threads: int,
    say: Callable[[str], None],
    goes_on: Callable[[], bool],
) -> tuple[str, ...] | None:
    from workers.photographers.classifier.options import ClassifierOptions
    from workers.photographers.classifier.progress import TrainingStoppedError
    from workers.photographers.classifier.train import train

    options = ClassifierOptions(seed=order.seed, threads=threads, report=order.report)
    try:
        return train(photos, options, model, say, goes_on).notes
    except TrainingStoppedError:
        return None


def _train_joint(
    photos: PhotoSet,
    pictures: Path,
    model: Path,
    order: TrainingOrder,
    threads: int,
    say: Callable[[str], None],
    goes_on: Callable[[], bool],
) -> tuple[str, ...] | None:
    import numpy as np

    from workers.photographers.joint.budget import StoppedError
    from workers.photographers.joint.options import JointOptions
    from workers.photographers.joint.train import train

    options = JointOptions(seed=order.seed, threads=threads)
    if order.seconds is not None:
        options = replace(options, seconds=order.seconds)
    try:
        made = train(model, photos, np.load(pictures, mmap_mode="r", allow_pickle=False), options, say, goes_on)
    except StoppedError:
        return None
    return tuple(made.report.notes)


def _place(
    pictures: Path, model: Path, order: TrainingOrder, threads: int, say: Callable[[str], None]
) -> tuple[str, ...]:
    import numpy as np
    import torch

    from workers.photographers.joint.fold_in import place

    torch.set_num_threads(threads)
    say("Looking at tone and style of the pictures.")
    place(model, order.place, np.load(pictures, mmap_mode="r", allow_pickle=False))
    return ()


def _unexpected(error: Exception) -> Mapping[str, str]:
    if isinstance(error, MemoryError) or _MEMORY.search(str(error)):
        return {"code": TrainingError.code, "message": OUT_OF_MEMORY, "hint": MEMORY_HINT}
    return {
        "code": TrainingError.code,
        "message": f"The training ended in an error of its own, {type(error).__name__}: {error}.",
        "hint": "",
    }


OUT_OF_MEMORY = "The training ran out of memory."
MEMORY_HINT = "Train on a machine with more, or label fewer photos."


def _take_standard_output() -> Callable[[Mapping[str, Any]], None]:
    """Reserve the pipe for messages; output of libraries goes to standard error."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(message: Mapping[str, Any]) -> None:
        try:
            pipe.write(json.dumps(message) + "\n")
            pipe.flush()
        except BrokenPipeError:  # the parent has ended, maybe before the kernel was asked to signal that
            os._exit(1)

    return send


def _lower_priority() -> None:
    """Yield processor and memory to other processes, and end with the parent."""
    os.nice(NICENESS)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


def main() -> None:
    """Entry point of the process."""
    make_ready_for_models()
    serve(train_from_folder, Path(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
