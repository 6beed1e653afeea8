"""CPU time that the features of pictures add to the ingest of 12-megapixel JPEGs, and what their style adds.

The whole path runs, from hashing to the embedded store, with decoders that leave the features out and with those of the
product. The rounds alternate and are compared in pairs. What is counted is CPU time of this process and its decoders,
all of which have started and warmed up; models take one thread, because several spin while they wait for each other.

    .venv/bin/python tests/benchmarks/bench_features.py [--pictures N] [--rounds N] [--model NAME]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import torch
from torchvision.models import resnet18

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_ingest import SIZE, describe, make_pictures, open_home

from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.store.base import Store
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, FileRef, Status
from workers.decode.decoded import Decoded
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.pool import COMMAND, DecodePool
from workers.decode.sound import Sound
from workers.embedders.models import Models
from workers.runtime import make_ready_for_models

HERE = Path(__file__).resolve()
LIMIT = 0.25
BARE, MEASURED, PRODUCT = "neither features nor style", "features", "features and style"


def child(parts: str, options: str) -> None:
    """A decoder child that leaves out the picture that style is read from and, if asked to, the features."""
    import cv2

    from workers.decode.file import decode_file
    from workers.decode.image import picture as image
    from workers.decode.sandbox.child import serve

    def decode(media: OpenedMedia, kind: Kind | None, limits: DecodeOptions) -> Decoded:
        return replace(decode_file(media, kind, limits, Sound()), whole=None)

    nothing = np.zeros((224, 224, 3), np.uint8)
    image.squeeze = lambda picture: nothing
    if parts == BARE:
        image.measure = lambda picture, frame, shot: ()
    cv2.setNumThreads(1)
    serve(decode, DecodeOptions.from_json(options))


def spent() -> float:
    """CPU seconds of this process and its children so far."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children())]
    return sum(time.user + time.system for time in times)


def ingest(files: list[FileRef], settings: Settings, store: Store, pool: DecodePool, models: Models) -> float:
    """CPU seconds a picture."""
    began = spent()
    batch = Batch("bench", "bench", Kind.IMAGE, tuple(describe(Path(file.path)) for file in files))
    (report,) = LocalRunner(BatchProcessor(settings, store, pool, models)).run(iter([batch]))
    took = spent() - began
    if any(outcome.status is not Status.EMBEDDED for outcome in report.outcomes):
        sys.exit(f"Not everything was embedded: {report.outcomes[:1]}")
    store.delete("images", [str(outcome.media_id) for outcome in report.outcomes])
    return took / len(files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pictures", type=int, default=12, help="12-megapixel pictures a round (default 12)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each kind, alternating (default 5)")
    parser.add_argument("--model", default="efficientnet_lite0", help="image model (default: the lighter one)")
    options = parser.parse_args()
    make_ready_for_models()
    torch.manual_seed(0)
    choice = ModelChoice(options.model, f"frames_{options.model}")
    models = Models(Settings(device="cpu", threads=1), choice, states={"resnet18": resnet18(weights=None).state_dict()})
    commands = {
        BARE: (sys.executable, str(HERE), BARE),
        MEASURED: (sys.executable, str(HERE), MEASURED),
        PRODUCT: COMMAND,
    }
    took: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        files = [describe(path) for path in make_pictures(Path(folder), options.pictures)]
        print(f"{len(files)} JPEGs of {SIZE[0]} x {SIZE[1]}, {options.model}, {options.rounds} rounds")
        settings = Settings(home=Path(folder) / "home", device="cpu", threads=1, decode_workers=1)
        store = open_home(settings.home, models)
        stack.callback(store.close)
        pools = {name: stack.enter_context(DecodePool(settings, command=command)) for name, command in commands.items()}
        for pool in pools.values():  # once unmeasured: decoders start, models load and warm up
            ingest(files[:4], settings, store, pool, models)
        for _ in range(options.rounds):
            for name, pool in pools.items():
                took[name].append(ingest(files, settings, store, pool, models))
    for name, seconds in took.items():
        print(f"{name:28} {1000 * statistics.median(seconds):7.1f} ms of CPU a picture")
    features, style = added(took[BARE], took[MEASURED]), added(took[MEASURED], took[PRODUCT])
    print(f"the features add {features:.1%} (limit {LIMIT:.0%}), the style {style:.1%}")
    if features >= LIMIT:
        sys.exit("The features cost too much.")


def added(before: list[float], after: list[float]) -> float:
    """Median over the rounds of the share by which ``after`` is more."""
    return statistics.median(more / less - 1 for less, more in zip(before, after, strict=True))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in (BARE, MEASURED):
        child(sys.argv[1], sys.argv[2])
    else:
        main()
