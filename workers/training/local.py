"""Training in a child process of this one, watched to its end."""

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
from workers.training.pictures import MOST, MOST_PLACED_BY, gather_pictures
from workers.training.request import MODEL, Trained, TrainingOrder
from workers.training.shared_models import SharedModels

COMMAND = (sys.executable, "-m", "workers.training.child")
_PACKAGES = Path(workers.__file__).parents[1]
"""Where the packages are found: the child's working directory, which ``python -m`` searches first."""

_THREADS_OF = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What the libraries that compute ask for their number of threads, once, when they are loaded."""

LOOK_SECONDS = 0.5
"""How often it is asked whether the training is to go on."""

STOP_SECONDS = 10.0
"""How long a child may take to stop when it is asked to."""

LOG = "said.txt"
"""In the training's folder: what libraries print."""

LAST_WORDS = 400
"""Characters of that which are quoted when a child dies of itself."""


class ChildTrainer:
    """A ``workers.training.request.Trainer``. Each call has a child of its own.

    Args:
        command: what to run with the folder and the number of threads.
    """

    def __init__(self, settings: Settings, command: Sequence[str] | None = None) -> None:
        self._settings, self._command = settings, tuple(command or COMMAND)

    def train(
        self, folder: Path, order: TrainingOrder, say: Callable[[str], object], goes_on: Callable[[], bool]
    ) -> Trained | None:
        ends = time.monotonic() + self._settings.train_seconds
        left_out: tuple[str, ...] | None = ()
        if order.kind is ModelKind.JOINT:
            say("Fetching the pictures.")
            most = MOST_PLACED_BY if order.place else MOST
            left_out = gather_pictures(self._settings, folder, say, goes_on, most)
        if left_out is None:
            return None
        if order.place:
            self._take_space(folder / MODEL)
        order.save(folder)
        with self._started(folder) as child:
            for told in _lines(child):
                if told is None:
                    if not goes_on():
                        return None
                    if time.monotonic() > ends:
                        raise TrainingError(
                            f"The training took longer than {self._settings.train_seconds:g} s.",
                            "Give it less to do (--seconds), or raise LIKEWISE_TRAIN_SECONDS.",
                        )
                elif "say" in told:
                    say(str(told["say"]))
                elif "error" in told:
                    raise error_of(**told["error"])
                elif "stopped" in told:
                    return None
                elif "done" in told:
                    return Trained(folder / MODEL, (*left_out, *told["done"]["notes"]))
            raise _died(child.wait(), folder / LOG)

    def _take_space(self, model: Path) -> None:
        """Begin with a copy of the photographer space in use.

        Raises:
            NotFoundError: there is none.
        """
        shelf = SharedModels(self._settings)
        version = shelf.current(ModelKind.JOINT)
        if version is None:
            raise untrained(ModelKind.JOINT)
        shutil.copytree(shelf.folder(ModelKind.JOINT, version), model)

    @contextmanager
    def _started(self, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A child that has ended when the block has."""
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
        """Half the cores, at least one, unless the settings say how many: others are waiting for answers."""
        return self._settings.threads or max(1, self._settings.cores // 2)


def _lines(child: subprocess.Popen[bytes]) -> Iterator[Mapping[str, Any] | None]:
    """What the child tells until it closes its pipe, and None whenever it has told nothing for a while."""
    assert child.stdout is not None
    pipe, gathered = child.stdout.fileno(), b""
    looked = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            ready = selector.select(LOOK_SECONDS)
            if not ready or time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                yield None
            if not ready:
                continue
            if not (read := os.read(pipe, 1 << 16)):
                return
            *whole, gathered = (gathered + read).split(b"\n")
            for line in whole:
                yield json.loads(line)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and make it when it does not listen."""
    assert child.stdout is not None
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()


def _died(status: int, log: Path) -> TrainingError:
    """Why a child that said nothing has ended."""
    if status == -signal.SIGKILL:
        return TrainingError(f"{OUT_OF_MEMORY[:-1]}, or was killed (SIGKILL).", MEMORY_HINT)
    if status < 0:
        try:
            cause = signal.Signals(-status).name
        except ValueError:
            cause = f"signal {-status}"
        return TrainingError(f"The process that trained was ended by {cause}.", _last_words(log))
    return TrainingError(f"The process that trained ended with status {status}.", _last_words(log))


def _last_words(log: Path) -> str:
    said = " ".join(log.read_bytes().decode("utf-8", "replace").split())
    return f"It last said: {said[-LAST_WORDS:]}" if said else ""
