"""Record what decoder children make of the files in folders, or compare two recordings.

    python tests/benchmarks/record_decoding.py record FILE DIR… [--workers 2]
    python tests/benchmarks/record_decoding.py compare BEFORE AFTER

``record`` sends every file below DIR… through a pool of decoder children and writes as JSON, by path, the code and the
words of its error, or its facts and a hash of each array. It prints the seconds of processor time that the children
took. A change that must not change what is decoded is checked by recording before and after it on one machine:
``compare`` prints every difference, numbers to 1e-6 of their size, as sums of floats depend on where arrays lie in
memory, and exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from search.errors import MediaError
from search.photographers.photos.features import FEATURES
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool

TOLERANCE = 1e-6
ARRAYS = ("crops", "clips", "whole", "sound")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    recording = commands.add_parser("record")
    recording.add_argument("file", type=Path)
    recording.add_argument("folders", type=Path, nargs="+")
    recording.add_argument("--workers", type=int, default=2)
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "record":
        return record(arguments.file, arguments.folders, arguments.workers)
    before, after = (json.loads(file.read_text("utf-8")) for file in (arguments.before, arguments.after))
    different = 0
    for path in sorted(before | after):
        lines = list(differences(before.get(path, {}), after.get(path, {})))
        different += bool(lines)
        print("".join(f"{path}: {line}\n" for line in lines), end="")
    print(f"{len(before | after)} files, {different} decoded otherwise.")
    return 1 if different else 0


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """A line for each part of an outcome that is not the same."""
    for key in sorted(before | after):
        one, other = before.get(key), after.get(key)
        if key == "features" and one and other:
            pairs = zip(FEATURES, one, other, strict=True)
            yield from (f"{feature.name} {a} before, {b} after" for feature, a, b in pairs if not same(a, b))
        elif one != other:
            yield f"{key} {one} before, {other} after"


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def record(target: Path, folders: list[Path], workers: int) -> int:
    paths = sorted(str(path) for folder in folders for path in folder.rglob("*") if path.is_file())
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), decode_workers=workers, decode_timeout=120)
        with DecodePool(settings, clips=True) as pool:
            futures = {path: pool.submit(path) for path in paths}
            found = {path: said(future) for path, future in futures.items()}
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    target.write_text(json.dumps(found, indent=1), "utf-8")
    failed = sum("code" in one for one in found.values())
    print(
        f"{len(found)} files, {failed} of them failed, in {seconds:.1f} s; the children took "
        f"{used.ru_utime:.1f} s of processor time and {used.ru_stime:.1f} s in the kernel ({os.cpu_count()} cores)."
    )
    return 0


def said(future: Any) -> dict[str, Any]:
    """The outcome of one file, arrays as the first 16 digits of their SHA-256 with dtype and shape."""
    error = future.exception()
    if error is not None:
        return {"code": error.code if isinstance(error, MediaError) else type(error).__name__, "message": str(error)}
    decoded: Decoded = future.result()
    arrays = {name: array for name in ARRAYS if (array := getattr(decoded, name)) is not None}
    arrays["preview"] = np.frombuffer(decoded.preview or b"", np.uint8)
    return {
        "kind": decoded.kind.value,
        "mime": decoded.mime,
        "facts": asdict(decoded.facts),
        "moments": list(decoded.moments),
        "fingerprints": list(decoded.fingerprints),
        "pixel_hash": decoded.pixel_hash,
        "features": list(decoded.features),
        "arrays": {name: digest(array) for name, array in arrays.items()},
    }


def digest(array: Any) -> str:
    return f"{array.dtype} {array.shape} {hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]}"


if __name__ == "__main__":
    sys.exit(main())
