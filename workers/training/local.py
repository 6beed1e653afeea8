"""Training in a child process, supervised to its end."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import workers
from search.errors import TrainingError, error_of
from search.photographers.model_registry import ModelKind, untrained
from search.settings import Settings
from workers.decode.sandbox.process import child_environment
from workers.training.child import MEMORY_HINT, OUT_OF_MEMORY
from workers.training.pictures import MOST, MOST_FOLDED_IN_BY, gather_pictures
from workers.training.request import MODEL, Trained, TrainingOrder
from workers.training.shared_models import SharedModels

COMMAND = (sys.executable, "-m", "workers.training.child")
_PACKAGES = Path(workers.__file__).parents[1]
"""Folder of the packages: the child's working directory, which ``python -m`` searches first."""

_THREADS_OF = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables from which numerical libraries read their number of threads when they are loaded."""

POLL_SECONDS = 0.5
"""Interval at which ``goes_on`` is called."""

STOP_SECONDS = 10.0
"""Time that a child has to stop on SIGTERM before SIGKILL."""

LOG = "said.txt"
"""File in the training's folder with the output of libraries."""

QUOTED_CHARACTERS = 400
"""Characters at the end of that file which the error of a crashed child quotes."""


class ChildTrainer:
    """A ``workers.training.request.Trainer``. Each call has a child of its own.

    Args:
        command: program that gets the folder and the number of threads as arguments.
    """

    def __init__(self, settings: Settings, command: Sequence[str] | None = None) -> None:
        self._settings, self._command = settings, tuple(command or COMMAND)

    def train(
        self, folder: Path, order: TrainingOrder, say: Callable[[str], object], goes_on: Callable[[], bool]
    ) -> Trained | None:
        """See ``workers.training.request.Trainer``.

        Raises:
            TrainingError: the child failed, crashed, or took longer than ``Settings.train_seconds``.
        """
        ends = time.monotonic() + self._settings.train_seconds
        left_out: tuple[str, ...] | None = ()
        if order.kind is ModelKind.JOINT:
            say("Fetching the pictures.")
            most = MOST_FOLDED_IN_BY if order.place else MOST
            left_out = gather_pictures(self._settings, folder, say, goes_on, most)
        if left_out is None:
            return None
        if order.place:
            self._copy_space(folder / MODEL)
        order.save(folder)
        with self._started(folder) as child:
            for message in _messages(child):
                if message is None:
                    if not goes_on():
                        return None
                    if time.monotonic() > ends:
                        raise TrainingError(
                            f"The training took longer than {self._settings.train_seconds:g} s.",
                            "Give it less to do (--seconds), or raise LIKEWISE_TRAIN_SECONDS.",
                        )
                elif "say" in message:
                    say(str(message["say"]))
                elif "error" in message:
                    raise error_of(**message["error"])
                elif "stopped" in message:
                    return None
                elif "done" in message:
                    return Trained(folder / MODEL, (*left_out, *message["done"]["notes"]))
            raise _crash(child.wait(), folder / LOG)

    def _copy_space(self, model: Path) -> None:
        """Copy the photographer space in use into this folder.

        Raises:
            NotFoundError: there is none.
        """
        models = SharedModels(self._settings)
        version = models.current(ModelKind.JOINT)
        if version is None:
            raise untrained(ModelKind.JOINT)
        shutil.copytree(models.folder(ModelKind.JOINT, version), model)

    @contextmanager
    def _started(self, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A child process, which has ended at the end of the block.

        Raises:
            TrainingError: no process can be started.
        """
        try:
            with (folder / LOG).open("wb") as log:
                child = subprocess.Popen(
                    [*self._command, str(folder), str(self._threads)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=_PACKAGES,
                    env=child_environment() | dict.fromkeys(_THREADS_OF, str(self._threads)),
                    process_group=0,
                )
        except OSError as error:
            raise TrainingError(
                f"No process can be started to train in: {error.strerror or error}.",
                "Is the machine out of memory or processes?",
            ) from error
        try:
            yield child
        finally:
            _end(child)

    @property
    def _threads(self) -> int:
        """The setting ``threads``, or else half the cores, at least one: queries need the others."""
        return self._settings.threads or max(1, self._settings.cores // 2)


def _messages(child: subprocess.Popen[bytes]) -> Iterator[Mapping[str, Any] | None]:
    """Messages of the child until it closes its pipe, and None every :data:`POLL_SECONDS`."""
    assert child.stdout is not None
    pipe, pending = child.stdout.fileno(), b""
    polled = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            ready = selector.select(POLL_SECONDS)
            if not ready or time.monotonic() - polled > POLL_SECONDS:
                polled = time.monotonic()
                yield None
            if not ready:
                continue
            if not (read := os.read(pipe, 1 << 16)):
                return
            *lines, pending = (pending + read).split(b"\n")
            for line in lines:
                yield json.loads(line)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Terminate the child, and kill it if it does not end in time."""
    assert child.stdout is not None
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()


def _crash(status: int, log: Path) -> TrainingError:
    """Error of a child that ended without a final message."""
    if status == -signal.SIGKILL:
        return TrainingError(f"{OUT_OF_MEMORY[:-1]}, or was killed (SIGKILL).", MEMORY_HINT)
    if status < 0:
        try:
            cause = signal.Signals(-status).name
        except ValueError:
            cause = f"signal {-status}"
        return TrainingError(f"The process that trained was ended by {cause}.", _quoted_log(log))
    return TrainingError(f"The process that trained ended with status {status}.", _quoted_log(log))


def _quoted_log(log: Path) -> str:
    text = " ".join(log.read_bytes().decode("utf-8", "replace").split())
    return f"It last said: {text[-QUOTED_CHARACTERS:]}" if text else ""
