"""What points take in a Qdrant Edge shard, by part, on disk and in memory; the engine is that of the server.

Measured in processes of their own, so that memory is the shard's: ``python capacity_store.py FILL …`` fills and
optimises a shard, ``python capacity_store.py OPEN …`` opens one and asks it. ``bench_capacity.py`` calls both.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import qdrant_edge as qdrant

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench_search import make_vectors

from search.media import Kind, MediaRecord, Payload
from search.spaces import CollectionSchema, Space, VectorField
from search.store.edge.layout import edge_config, edge_indexes
from search.store.payloads import to_stored

PARTS = {
    "quantized vectors": r"quantized",
    "original vectors": r"vector_storage",
    "index (HNSW)": r"vector_index",
    "payloads": r"payload_storage",
    "payload indexes": r"payload_index",
    "ids": r"id_tracker|mutable_id|versions",
}
"""What a shard keeps, to the files that hold it."""

QUESTIONS = 300


@dataclass(frozen=True)
class Filled:
    """Bytes a point on disk by part, without the write-ahead log, which does not grow with the points; and seconds."""

    parts: dict[str, float]
    upsert_seconds: float
    optimise_seconds: float
    payload_json: float


@dataclass(frozen=True)
class Opened:
    """After questions that found nearly everything: bytes a point in the process's own memory, and of the shard's files
    in memory by part; milliseconds a question; share of the exact ten nearest found."""

    private: float
    resident: dict[str, float]
    milliseconds: float
    recall: float


def schema(dim: int) -> CollectionSchema:
    return CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "synthetic", "1", "seeded mixture", dim)),))


def vectors(n: int, dim: int) -> np.ndarray:
    """As a picture model's pooled features are; wider ones are made of several mixtures."""
    wide = np.hstack([make_vectors(n, seed) for seed in range(-(-dim // 512))])[:, :dim]
    return np.ascontiguousarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


def payload(n: int) -> Payload:
    """A photo in a family's or an agency's archive, with all that its camera says."""
    year, month, day = f"20{n % 25:02}", f"{n % 12 + 1:02}", f"{n % 28 + 1:02}"
    words = ("seashore", "lakeside", "promontory", "sandbar", "breakwater", "pier", "castle", "alp", "valley", "cliff")
    record = MediaRecord(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))),
        kind=Kind.IMAGE,
        paths=(f"/srv/archive/photos/{year}/{year}-{month}-{day} assignment {n // 400:05}/DSC_{n:07}.JPG",),
        libraries=("photos",),
        size=4_000_000 + n,
        mtime=1_600_000_000.0 + n,
        mime="image/jpeg",
        width=6000,
        height=4000,
        taken_at=f"{year}-{month}-{day}T12:{n % 60:02}:00",
        camera=f"NIKON D{750 + n % 7}",
        lens=f"AF-S NIKKOR 24-{70 + n % 5}mm f/2.8",
        iso=100.0 * (n % 64 + 1),
        aperture=2.8,
        exposure=0.004,
        focal_length=35.0,
        photographer=f"Photographer {n % 40}",
        tags=(words[n % 10], words[(n // 10) % 10], words[(n // 100) % 10]),
        fingerprints=(f"{n * 2654435761 % 2**64:016x}",),
        thumbnail=f"{n % 256:02x}/{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}.webp",
        job=str(n // 100_000 + 1),
    )
    return to_stored(record.to_payload())


def quantization(mode: str) -> object:
    """As ``search.store.server.layout`` asks a server for it."""
    if mode == "int8":
        return qdrant.ScalarQuantizationConfig(qdrant.ScalarType.Int8, quantile=0.99, always_ram=True)
    return qdrant.BinaryQuantizationConfig(always_ram=True) if mode == "binary" else None


def fill(folder: Path, n: int, dim: int, mode: str) -> Filled:
    config = edge_config(schema(dim))
    given = {"vectors": config.vectors, "hnsw_config": config.hnsw_config, "optimizers": config.optimizers}
    shard = qdrant.EdgeShard.create(
        str(folder), qdrant.EdgeConfig(**given, quantization_config=quantization(mode), on_disk_payload=True)
    )
    for operation in edge_indexes():
        shard.update(operation)
    rows, json_bytes, upserting = vectors(n, dim), 0, 0.0
    for start in range(0, n, 1000):
        payloads = [payload(number) for number in range(start, min(n, start + 1000))]
        json_bytes += sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in payloads)
        points = [
            qdrant.Point(one["id"], {"visual": rows[start + at].tolist()}, one) for at, one in enumerate(payloads)
        ]
        began = time.perf_counter()
        shard.update(qdrant.UpdateOperation.upsert_points(points))
        upserting += time.perf_counter() - began
    shard.flush()
    began = time.perf_counter()
    shard.optimize()
    optimising = time.perf_counter() - began
    shard.flush()
    shard.close()
    parts = dict.fromkeys((*PARTS, "other"), 0.0)
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).as_posix()
        if path.is_file() and not inside.startswith("wal"):
            parts[part_of(inside)] += path.stat().st_blocks * 512 / n
    return Filled(parts, upserting, optimising, json_bytes / n)


def part_of(path: str) -> str:
    return next((part for part, pattern in PARTS.items() if re.search(pattern, path)), "other")


def ask(folder: Path, n: int, dim: int, mode: str) -> Opened:
    rows = vectors(n, dim)
    rng = np.random.default_rng(7)
    asked = rows[rng.integers(0, n, QUESTIONS)] + rng.normal(scale=0.3 / dim**0.5, size=(QUESTIONS, dim))
    right = np.argsort(-(asked @ rows.T), axis=1)[:, :10]
    ids = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))) for number in range(n)]
    queries, wanted = asked.tolist(), [{ids[at] for at in row} for row in right]
    del rows, asked
    before = private_bytes()
    shard = qdrant.EdgeShard.load(str(folder))
    rescored = None if mode == "none" else qdrant.QuantizationSearchParams(rescore=True, oversampling=2.0)
    found, began = 0, time.perf_counter()
    for query, those in zip(queries, wanted, strict=True):
        hits = shard.query(
            qdrant.QueryRequest(
                limit=10,
                query=qdrant.Query.Nearest(query, using="visual"),
                params=qdrant.SearchParams(quantization=rescored),
            )
        )
        found += sum(str(hit.id) in those for hit in hits)
    milliseconds = (time.perf_counter() - began) / QUESTIONS * 1000
    resident = {part: size / n for part, size in resident_bytes(folder).items()}
    private = (private_bytes() - before) / n
    shard.close()
    return Opened(private, resident, milliseconds, found / QUESTIONS / 10)


def private_bytes() -> int:
    found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found.group(1)) * 1024


def resident_bytes(folder: Path) -> dict[str, int]:
    """How much of the files below ``folder``, but for the write-ahead log, this process has in memory."""
    parts, part = dict.fromkeys((*PARTS, "other"), 0), ""
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            _, mine, inside = line.partition(f"{folder}/")
            part = part_of(inside) if mine and not inside.startswith("wal") else ""
        elif part and line.startswith("Rss:"):
            parts[part] += int(line.split()[1]) * 1024
    return parts


def measured(folder: Path, n: int, dim: int, mode: str) -> tuple[Filled, Opened]:
    """Both measurements, each in a process of its own."""
    answers = []
    for step in ("FILL", "OPEN"):
        done = subprocess.run(
            [sys.executable, __file__, step, folder, str(n), str(dim), mode], capture_output=True, text=True, check=True
        )
        answers.append(json.loads(done.stdout))
    return Filled(**answers[0]), Opened(**answers[1])


if __name__ == "__main__":
    step, place, count, width, compression = sys.argv[1:]
    run = fill if step == "FILL" else ask
    Path(place).mkdir(parents=True, exist_ok=True)
    print(json.dumps(asdict(run(Path(place).resolve(), int(count), int(width), compression))))
