"""How long 12-megapixel JPEGs take to decode, without and with a colour profile, next to another checkout.

    python tests/benchmarks/bench_decode.py [--against CHECKOUT] [--rounds 40]

It makes its own pictures. Each round decodes every picture once in each of two processes, in turns, so that whatever
else the machine does meets both. Printed: medians in milliseconds, and the median of the ratios of each round.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parents[2]
SIZE = (4000, 3000)
CHILD = """
import sys, time
import cv2
from search.settings import Settings
from workers.decode.file import decode_file
from workers.decode.opened import open_media
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound
from workers.runtime import keep_freed
cv2.setNumThreads(1)
keep_freed(64 << 20, 32 << 20)
options = DecodeOptions.of(Settings())
for line in sys.stdin:
    start = time.perf_counter()
    with open_media(line.strip(), options.max_bytes) as media:
        decode_file(media, None, options, Sound())
    print(time.perf_counter() - start, flush=True)
"""


def photo() -> Image.Image:
    """A picture with edges, gradients and grain."""
    numbers = np.random.default_rng(7)
    small = numbers.integers(0, 256, (48, 64, 3), np.uint8)
    base = np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC), np.int16)
    grain = numbers.integers(-10, 11, (*base.shape[:2], 1), np.int16)
    return Image.fromarray((base + grain).clip(0, 255).astype(np.uint8))


def display_p3() -> bytes:
    sys.path.insert(0, str(HERE))
    from workers.decode.image.matrix_profiles import D65, rgb_profile

    return rgb_profile(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), D65), 2.2)


def child(checkout: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", CHILD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def timed(process: subprocess.Popen[str], path: Path) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{path}\n")
    process.stdin.flush()
    return 1000 * float(process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, default=HERE, help="another checkout of this repository")
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain, profiled = Path(folder, "plain.jpg"), Path(folder, "p3.jpg")
        buffer = io.BytesIO()
        photo().save(buffer, "JPEG", quality=90)
        plain.write_bytes(buffer.getvalue())
        with Image.open(buffer) as picture:
            picture.save(profiled, "JPEG", quality="keep", icc_profile=display_p3())
        new, old = child(HERE), child(chosen.against)
        for name, path in (("without profile", plain), ("with profile", profiled)):
            pairs = []
            for at in range(chosen.rounds + 3):
                order = (new, old) if at % 2 else (old, new)
                times = {process: timed(process, path) for process in order}
                pairs.append((times[new], times[old]))
            pairs = pairs[3:]
            ratios = [here / there for here, there in pairs]
            here, there = (statistics.median(side) for side in zip(*pairs, strict=True))
            spread = statistics.quantiles(ratios, n=4)
            print(
                f"{name}: {here:.1f} ms here, {there:.1f} ms there, ratio {statistics.median(ratios):.3f} "
                f"(quartiles {spread[0]:.3f} to {spread[2]:.3f}), n = {len(pairs)}"
            )
        for process in (new, old):
            process.terminate()


if __name__ == "__main__":
    main()
