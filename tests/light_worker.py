"""A real worker process that embeds with ``QuickModels``; settings come from the environment, as for `likewise worker`.

    python tests/light_worker.py [--queues a,b] [--seconds S] [--decoder SCRIPT] [--child SCRIPT]

Pictures in some colours do what a bad day does: a magenta one kills the process that embeds it, a cyan one keeps it for
ever, and so does a yellow one, which will not listen to a time limit either.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from plugins.quick_models import QuickModels

import workers.training.local
import workers.worker.state
from search.settings import load_settings
from workers.cluster.app import QUEUES
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.models import Embedded
from workers.worker.process import run_worker

DEADLY, HANGING, DEAF = (255, 0, 255), (0, 255, 255), (255, 255, 0)
NEAR = 8


class LightModels(QuickModels):
    """Quick models with bad days.

    Args:
        seconds: what every forward pass takes.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(before_embedding=lambda: time.sleep(seconds))

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        for item in items:
            if shows(item, DEADLY):
                os.kill(os.getpid(), signal.SIGKILL)
            if shows(item, DEAF):
                signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            if shows(item, HANGING) or shows(item, DEAF):
                time.sleep(3600)
        return super().embed(items)


def shows(item: Decoded, colour: tuple[int, int, int]) -> bool:
    if not len(item.crops):
        return False
    mean = item.crops.reshape(-1, 3).mean(axis=0)
    return bool((np.abs(mean - colour) < NEAR).all())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--queues", default=",".join(QUEUES))
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--decoder", help="script that runs as decoder child")
    parser.add_argument("--child", help="script that runs as training child")
    options = parser.parse_args()
    if options.child:
        workers.training.local.COMMAND = (sys.executable, options.child)
    if options.decoder:
        workers.worker.state.DecodePool = partial(DecodePool, command=(sys.executable, options.decoder))
    return run_worker(
        load_settings(), options.queues.split(","), build=lambda _, __: LightModels(options.seconds), warm=False
    )


if __name__ == "__main__":
    sys.exit(main())
