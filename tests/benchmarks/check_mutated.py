"""Decode 156 mutated media in decoder children with and without powers, and compare what came of each.

    python tests/benchmarks/check_mutated.py [DIR…] [--seed 14] [--keep FOLDER]

Whole files are drawn by code, and with DIR… (the labelled media) the smallest file of each kind there is taken instead.
They are flipped, cut, spliced, given lengths that are too large, and so on, always the same for a seed; sidecars are
bombs of XML and ZIP. Prints how many were decoded and refused for which reason, and exits with 1 if an outcome is
another without the sandbox, has no reason of the vocabulary, or takes longer than a decoder may, if this process has
died or grown, or a child has taken more memory than it may.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

import mutated_media as media

from search.settings import Settings

MOST_GROWTH_MB = 200
START_MB = 600
"""Memory of a child before it decodes, at most; the limit comes on top."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--seed", type=int, default=media.SEED)
    parser.add_argument("--keep", type=Path, help="leave the mutated files in this folder")
    arguments = parser.parse_args()
    whole = media.drawn()
    for folder in arguments.folders:
        whole |= media.found(folder)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch) / "media"
        folder.mkdir(parents=True, exist_ok=True)
        names = []
        for name, files in media.mutated(whole, arguments.seed):
            names.append(name)
            for each, content in files.items():
                (folder / each).write_bytes(content)
        settings = Settings(home=Path(scratch) / "home", decode_workers=1)
        before = memory_mb(resource.RUSAGE_SELF)
        confined, slowest = decode(settings, "required", folder, names)
        free, slowest_free = decode(settings, "off", folder, names)
    grown, child = memory_mb(resource.RUSAGE_SELF) - before, memory_mb(resource.RUSAGE_CHILDREN)
    faults = [f"{name}: {confined[name]} confined, {free[name]} free" for name in names if confined[name] != free[name]]
    faults += [f"{name}: {confined[name][0]}" for name in names if confined[name][0].startswith("no reason")]
    limits = ((max(slowest, slowest_free), media.TIMEOUT_S + 10, "s for a file"),)
    limits += ((grown, MOST_GROWTH_MB, "MB more in this process"), (child, START_MB + media.MEMORY_MB, "MB in a child"))
    faults += [f"{value:,.1f} {what}, more than {most:,.0f}" for value, most, what in limits if value > most]
    counts = Counter(code for code, _ in confined.values())
    print(f"{len(names)} files: {', '.join(f'{count} {code}' for code, count in counts.most_common())}")
    print(
        f"Slowest {slowest:.1f} s confined and {slowest_free:.1f} s free; {grown:,.0f} MB more in this process, "
        f"{child:,.0f} MB in the largest child."
    )
    print("\n".join(faults) or "All alike with and without the sandbox.")
    return 1 if faults else 0


def decode(
    settings: Settings, sandbox: str, folder: Path, names: list[str]
) -> tuple[dict[str, tuple[str, object]], float]:
    """Outcomes by name, and the seconds of the slowest file."""
    found, slowest = {}, 0.0
    with media.pool_of(settings, sandbox) as pool:
        pool.confinement()
        for name in names:
            began = time.monotonic()
            found[name] = media.outcome(pool.submit(str(folder / name)))
            slowest = max(slowest, time.monotonic() - began)
    return found, slowest


def memory_mb(whose: int) -> float:
    return resource.getrusage(whose).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
