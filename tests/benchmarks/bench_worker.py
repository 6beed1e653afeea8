"""Pictures a second of one worker, files on disk to vectors, next to what decoding alone and the model alone allow.

The worker does batches one after the other as it is sent them, previews included, and sends back points; Redis is not
in it (``bench_cluster.py`` has that). With a GPU the limit is the lower of the two rates; on a CPU both share the
cores, so the limit is that of doing one after the other. ResNet-18's weights are random: they do not change the speed.

    .venv/bin/python tests/benchmarks/bench_worker.py [--pictures N] [--rounds N] [--batch-files N] [--batch-size N]
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import models as torchvision_models

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from workers.batch.report import Batch, FileRef, Status
from workers.cluster.serialization import BatchOrder
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.sandbox.pool import DecodePool
from workers.device import choose_device
from workers.embedders.models import Models
from workers.worker.state import WorkerState

SIZE = (816, 612)
"""Half a megapixel."""

CHOICE = ModelChoice("resnet18", "frames_resnet18")


def make_pictures(folder: Path, count: int) -> list[FileRef]:
    """JPEGs at quality 90 with detail of every scale, no two the same."""
    made = []
    for number in range(count):
        rng = np.random.default_rng(number)
        mixed = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
        for octave, cells in enumerate((4, 16, 64, 256)):
            noise = Image.fromarray(rng.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8))
            mixed += np.asarray(noise.resize(SIZE, Image.Resampling.BICUBIC), np.float32) / 2 ** (octave + 1)
        path = folder / f"{number:05}.jpg"
        Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8)).save(path, quality=90)
        facts, digest = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
        made.append(FileRef(str(path), "bench", facts.st_size, facts.st_mtime, digest))
    return made


def decode_all(pool: DecodePool, files: list[FileRef]) -> None:
    """Every file once, as many ahead as keep all decoders busy."""
    under_way = deque(pool.submit(file.path, Kind.IMAGE) for file in files[: 4 * pool.workers])
    for file in files[4 * pool.workers :]:
        under_way.popleft().result()
        under_way.append(pool.submit(file.path, Kind.IMAGE))
    for future in under_way:
        future.result()


def embed_all(models: Models, count: int, size: int) -> None:
    """As many crops, in full groups."""
    crops = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    group = [Decoded(Kind.IMAGE, "image/jpeg", MediaFacts(), crops)] * size
    for start in range(0, count, size):
        models.embed(group[: count - start])


def orders(files: list[FileRef], size: int) -> Iterator[BatchOrder]:
    for start in range(0, len(files), size):
        batch = Batch(f"bench-{start}", "bench", Kind.IMAGE, tuple(files[start : start + size]))
        yield BatchOrder(batch, CHOICE, "report")


def work(worker_state: WorkerState, files: list[FileRef], size: int) -> None:
    for order in orders(files, size):
        report = worker_state.embed(order)
        if any(outcome.status is not Status.EMBEDDED for outcome in report.outcomes):
            sys.exit(f"Not everything was embedded: {report.outcomes[:1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pictures", type=int, default=512, help="half-megapixel JPEGs a round (default 512)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each, alternating (default 3)")
    parser.add_argument("--batch-files", type=int, default=64, help="pictures an order (LIKEWISE_BATCH_FILES)")
    parser.add_argument("--batch-size", type=int, default=16, help="pictures a forward pass (LIKEWISE_BATCH_SIZE)")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    torch.manual_seed(0)
    state = torchvision_models.resnet18(weights=None).state_dict()
    rates: dict[str, list[float]] = {"decoding alone": [], "model alone": [], "worker": []}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", device=options.device, batch_size=options.batch_size)
        device = choose_device(settings)
        models = Models(settings, CHOICE, states={"resnet18": state})
        worker_state = WorkerState(settings, lambda _, __: models)
        (Path(folder) / "media").mkdir()
        files = make_pictures(Path(folder) / "media", options.pictures)
        print(f"{len(files)} JPEGs of {SIZE[0]} x {SIZE[1]}, {settings.cores} cores, models on {device}")
        with DecodePool(settings) as pool:
            tasks = {
                "decoding alone": lambda: decode_all(pool, files),
                "model alone": lambda: embed_all(models, len(files), options.batch_size),
                "worker": lambda: work(worker_state, files, options.batch_files),
            }
            for task in tasks.values():  # once unmeasured: decoders start, models load and warm up
                task()
            for _ in range(options.rounds):
                for name, task in tasks.items():
                    began = time.perf_counter()
                    task()
                    rates[name].append(len(files) / (time.perf_counter() - began))
        worker_state.abandon()
    shared = device.type == "cpu"
    shares = [
        worker / (1 / (1 / decode + 1 / model) if shared else min(decode, model))
        for decode, model, worker in zip(*rates.values(), strict=True)
    ]
    for name, measured in rates.items():
        print(f"{name:16} {statistics.median(measured):9.1f} pictures/s")
    limit = "doing one after the other on the same cores" if shared else "the lower of the two"
    print(f"the worker reaches {statistics.median(shares):.0%} of {limit}")


if __name__ == "__main__":
    main()
