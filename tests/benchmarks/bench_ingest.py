"""Pictures a second from files on disk into the embedded store, next to the plain recipe, in one run.

The plain recipe reads one picture at a time: Pillow in full, torchvision's transforms, eager ResNet-18; its vectors are
upserted into the same kind of store. Likewise runs its whole path: sandboxed decoders, batches, handcrafted features,
style, previews, records. Each run has a process of its own, which has loaded its model when the clock starts; decoders
start within the time. The rounds alternate, so that a busy machine slows both. ResNet-18's weights are random: they do
not change the speed.

    .venv/bin/python tests/benchmarks/bench_ingest.py [--pictures N] [--rounds N] [--threads N]
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.store import open_store
from search.store.base import Point, Store
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, FileRef, Status
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.models import Models
from workers.runtime import make_ready_for_models

SIZE = (4000, 3000)
BATCH = 32
PLAIN = "plain recipe, resnet18"
OURS = {f"Likewise, {image}": image for image in ("resnet18", "efficientnet_lite0")}


def make_pictures(folder: Path, count: int) -> list[Path]:
    """12-megapixel JPEGs at quality 90 with the detail of photographs (about 3 MB): clouds of every scale and grain."""
    paths = []
    for number in range(count):
        rng = np.random.default_rng(number)
        mixed = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
        for octave, cells in enumerate((4, 16, 64, 256, 1024)):
            noise = Image.fromarray(rng.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8))
            mixed += np.asarray(noise.resize(SIZE, Image.Resampling.BICUBIC), np.float32) / 2 ** (octave + 1)
        grain = rng.integers(-6, 7, (SIZE[1], SIZE[0], 1), dtype=np.int8)
        path = folder / f"{number:04}.jpg"
        Image.fromarray(np.clip(mixed + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
        paths.append(path)
    return paths


def open_home(home: Path, models: Models) -> Store:
    home.mkdir()
    store = open_store(Settings(home=home))
    for schema in models.schemas:
        store.ensure(schema)
    return store


def measure(name: str, paths: list[Path], home: Path, threads: int) -> float:
    """Pictures a second of one recipe; runs in a process of its own."""
    run = likewise(OURS[name], threads) if name in OURS else plain_recipe(threads)
    began = time.perf_counter()
    run(paths, home)
    return len(paths) / (time.perf_counter() - began)


def plain_recipe(threads: int) -> Callable[[list[Path], Path], None]:
    """Everything in this process, one picture at a time."""
    import torch
    from torch import nn
    from torchvision import models, transforms

    torch.set_num_threads(threads or Settings().cores)
    network = models.resnet18(weights=None)
    network.fc = nn.Identity()
    network.eval()
    prepare = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    schemas = Models(Settings(), ModelChoice("resnet18", "frames_resnet18"))

    def run(paths: list[Path], home: Path) -> None:
        store = open_home(home, schemas)
        for path in paths:
            with Image.open(path) as picture, torch.inference_mode():
                vector = nn.functional.normalize(network(prepare(picture.convert("RGB"))[None])).numpy()
            payload = {"id": str(uuid.uuid4()), "kind": "image", "paths": [str(path)], "missing": False}
            store.upsert("images", [Point(payload["id"], {"visual": vector}, payload)])
        store.close()

    return run


def likewise(image: str, threads: int) -> Callable[[list[Path], Path], None]:
    """The product's path; hashing the files, which its planner does, is part of it."""
    make_ready_for_models()
    from torchvision.models import resnet18

    def batches(paths: list[Path]) -> Iterator[Batch]:
        for start in range(0, len(paths), BATCH):
            files = tuple(describe(path) for path in paths[start : start + BATCH])
            yield Batch(f"bench-{start}", "bench", Kind.IMAGE, files)

    settings = Settings(device="cpu", threads=threads)
    states = {"resnet18": resnet18(weights=None).state_dict()}
    models = Models(settings, ModelChoice(image, f"frames_{image}"), states)
    models.load()

    def run(paths: list[Path], home: Path) -> None:
        at_home = settings.model_copy(update={"home": home})
        store = open_home(home, models)
        with DecodePool(at_home) as pool:
            runner = LocalRunner(BatchProcessor(at_home, store, pool, models))
            outcomes = [outcome for report in runner.run(batches(paths)) for outcome in report.outcomes]
        store.close()
        wrong = [outcome for outcome in outcomes if outcome.status is not Status.EMBEDDED]
        if wrong or len(outcomes) != len(paths):
            raise SystemExit(f"{len(wrong)} of {len(paths)} pictures were not embedded: {wrong[:1]}")

    return run


def describe(path: Path) -> FileRef:
    facts = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRef(str(path), "bench", facts.st_size, facts.st_mtime, digest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pictures", type=int, default=320, help="12-megapixel pictures a round (default 320)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each recipe, alternating (default 2)")
    parser.add_argument("--threads", type=int, default=0, help="threads of the model; 0 means one a core")
    options = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in (PLAIN, *OURS)}
    alone = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1)
    with alone, tempfile.TemporaryDirectory() as folder:
        pictures = make_pictures(Path(folder), options.pictures)
        size = sum(path.stat().st_size for path in pictures) / len(pictures) / 1e6
        print(f"{len(pictures)} JPEGs of {SIZE[0]} x {SIZE[1]}, {size:.1f} MB each, {Settings().cores} cores")
        for number in range(options.rounds):
            for place, name in enumerate(rates):
                home = Path(folder) / f"home-{number}-{place}"
                rates[name].append(alone.submit(measure, name, pictures, home, options.threads).result())
    for name, measured in rates.items():
        factor = statistics.median(ours / plain for ours, plain in zip(measured, rates[PLAIN], strict=True))
        print(f"{name:30} {statistics.median(measured):7.2f} pictures/s {factor:6.2f} x")


if __name__ == "__main__":
    main()
