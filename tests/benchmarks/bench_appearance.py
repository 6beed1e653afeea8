"""CPU milliseconds that borders and the space ``appearance`` add to importing a picture, by kind of picture and model.

Each picture is decoded and embedded with both and with neither, in turn, in one process and on one thread, so that a
busy machine slows both; the figure is the median over pictures of the ratio. What else an import does (hashing, writing
points) is the same on both sides and left out, so that the share of the whole is smaller than said here. ResNet-18's
weights are random: they do not change the speed.

    .venv/bin/python tests/benchmarks/bench_appearance.py [--pictures N] [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_ingest import make_pictures

from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from workers.decode.image.picture import decode_image
from workers.decode.sandbox.options import DecodeOptions
from workers.embedders.models import Models
from workers.runtime import make_ready_for_models

MOST = 1.25
"""What an import may cost at most, of what it cost without."""


def importer(image: str, both: bool) -> Callable[[Path], None]:
    """Decodes and embeds a picture, with borders and ``appearance`` or without."""
    from torchvision.models import resnet18

    settings = Settings(device="cpu", threads=1, cut_borders=both)
    states = {"resnet18": resnet18(weights=None).state_dict()}
    models = Models(settings, ModelChoice(image, f"frames_{image}", appearance=both), states)
    models.load()
    options = DecodeOptions.of(settings)

    def run(path: Path) -> None:
        with path.open("rb") as file:
            models.embed([decode_image(file, path.name, options)])

    return run


def cpu_ms(run: Callable[[Path], None], path: Path) -> float:
    began = time.process_time()
    run(path)
    return 1e3 * (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--pictures", type=int, default=8, help="of each size (default 8)")
    parser.add_argument("--rounds", type=int, default=5, help="times each is imported either way (default 5)")
    options = parser.parse_args()
    make_ready_for_models()
    with tempfile.TemporaryDirectory() as folder:
        large = make_pictures(Path(folder), options.pictures)
        small = [path.with_name(f"small-{path.name}") for path in large]
        for path, smaller in zip(large, small, strict=True):
            with Image.open(path) as picture:
                picture.resize((816, 612)).save(smaller, quality=90)
        for image in ("resnet18", "efficientnet_lite0"):
            without, with_both = importer(image, both=False), importer(image, both=True)
            for name, paths in (("12 megapixels", large), ("half a megapixel", small)):
                pairs = []
                for path in paths:
                    times = [(cpu_ms(without, path), cpu_ms(with_both, path)) for _ in range(options.rounds)]
                    pairs.append(tuple(min(column) for column in zip(*times, strict=True)))
                before, after = (statistics.median(column) for column in zip(*pairs, strict=True))
                ratio = statistics.median(second / first for first, second in pairs)
                said = "" if ratio <= MOST else f", more than {MOST:g}"
                print(f"{image:20} {name:17} {before:6.1f} ms without, {after:6.1f} ms with both: {ratio:.3f} x{said}")


if __name__ == "__main__":
    main()
