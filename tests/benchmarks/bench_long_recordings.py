"""Whether excerpts find their moment in long recordings, and what ten hours take.

    python tests/benchmarks/bench_long_recordings.py moments [--data DIR]
    python tests/benchmarks/bench_long_recordings.py memory [--hours 10] [--model aisfx]
    python tests/benchmarks/bench_long_recordings.py search [--hours 1000]

``moments`` joins the sounds of ``DIR`` (speech, instruments and samples, each file once) to recordings of five minutes
and to one of half an hour, takes them into a library, and asks with excerpts of 12 seconds, encoded anew as MP3. An
excerpt is found where the first hit is its recording and its moment lies within 5 s of where the excerpt begins.

``memory`` decodes and embeds a recording of ten minutes and one of ten hours, each in a process of its own, and prints
the most memory that this and its decoder took.

``search`` fills a store with rows of nothing in particular, for so many hours in recordings of one hour, and prints how
long questions take.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import wilson
from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.records.sound_rows import as_runs
from search.settings import Settings, load_settings
from search.similar.find import find_similar
from search.similar.questions import Probe, Question
from search.store.base import Point
from search.store.edge.store import EdgeStore
from web.client import connect_inside
from web.commands.library.ingest import take_in
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.models import Models

RATE = 16_000
EXCERPT, WITHIN = 12.0, 5.0
SETS = ("audio_speakers_librispeech", "audio_gender_librispeech", "audio_instruments_fsd", "audio_samples_sonicpi")
SUFFIXES = (".wav", ".ogg", ".flac", ".mp3")
MIB = 2**20

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A recording's number, and the second at which the excerpt begins there."""

    recording: int
    start: float


def samples_of(path: Path, speed: float = 1.0) -> Samples:
    """A sound, mono at 16 kHz, played at a speed."""
    resampler = av.AudioResampler("flt", "mono", round(RATE / speed))
    with av.open(str(path)) as container:
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    joined = np.concatenate([*parts, *(part.to_ndarray()[0] for part in resampler.resample(None))])
    return (joined / max(1e-6, float(np.abs(joined).max())) * 0.5).astype(np.float32)


def write(path: Path, samples: Samples, codec: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        size = stream.codec_context.frame_size or None
        resampler = av.AudioResampler(stream.codec_context.format, "mono", RATE, size)
        for at in range(0, len(samples), 60 * RATE):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 60 * RATE], "fltp", "mono")
            frame.sample_rate = RATE
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        for part in resampler.resample(None):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def joined(data: Path, rng: np.random.Generator, minutes: float) -> Samples:
    """So many minutes of the sounds, at most 25 s of each, in an order drawn at random: each once, and then again
    faster and slower, as long as there is room."""
    files = [path for name in SETS for path in sorted((data / name).rglob("*.*")) if path.suffix in SUFFIXES]
    parts: list[Samples] = []
    for speed in (1.0, 1.19, 0.84):
        for at in rng.permutation(len(files)):
            samples = samples_of(files[at], speed)[: 25 * RATE]
            parts.append(samples)
            if sum(map(len, parts)) >= 60 * minutes * RATE:
                return np.concatenate(parts)
    return np.concatenate(parts)


def excerpts(recordings: Sequence[Samples], count: int, rng: np.random.Generator) -> list[Excerpt]:
    """Of recordings in turn, at moments drawn at random."""
    drawn = []
    for number in range(count):
        at = number % len(recordings)
        latest = len(recordings[at]) / RATE - EXCERPT
        drawn.append(Excerpt(at, float(rng.uniform(0, latest))))
    return drawn


def moments(data: Path, count: int, seed: int, model: str) -> None:
    rng = np.random.default_rng(seed)
    whole = joined(data, rng, 30)
    short = [whole[at : at + 300 * RATE] for at in range(0, len(whole) - 120 * RATE, 300 * RATE)]
    for name, recordings in (
        (f"{len(short)} recordings of five minutes", short),
        ("one of half an hour", [joined(data, rng, 30)]),
    ):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
            home, media, asked = Path(scratch, "home"), Path(scratch, "media"), Path(scratch, "asked")
            media.mkdir()
            asked.mkdir()
            paths = [str(write(media / f"{at}.flac", one, "flac")) for at, one in enumerate(recordings)]
            settings = Settings.model_validate(load_settings().model_dump() | {"home": home, "sound_model": model})
            with connect_inside(settings) as (client, node):
                take_in(client, (str(media),))
                found, off = 0, []
                for number, one in enumerate(excerpts(recordings, count, rng)):
                    at = int(one.start * RATE)
                    samples = recordings[one.recording][at : at + int(EXCERPT * RATE)]
                    file = write(asked / f"{number}.mp3", samples, "libmp3lame")
                    question = Question((node.encoder.probe(str(file)),), collections=("audio",))
                    best = find_similar(node.store, question).hits[0]
                    same = best.paths == (paths[one.recording],) and best.moment is not None
                    found += same
                    off.append(abs((best.moment or 0.0) - one.start) if same else np.inf)
                right = int(np.sum(np.array(off) <= WITHIN))
                low, high = wilson(right / count, count)
                print(
                    f"{name}: recording {found / count:.2f}, moment {right / count:.2f} [{low:.2f}, {high:.2f}] of "
                    f"{count}; seconds off: {', '.join(f'{one:.1f}' for one in sorted(off))}",
                    flush=True,
                )


def repeated(path: Path, seconds: int, times: int) -> Path:
    """FLAC packets of speech-like noise, ``times`` times one after another."""
    rng = np.random.default_rng(1)
    loud = np.repeat(rng.uniform(0.05, 0.4, 4 * seconds), RATE // 4).astype(np.float32)
    part = write(path.with_suffix(".part.flac"), loud * rng.standard_normal(len(loud)).astype(np.float32) * 0.3, "flac")
    with av.open(str(part)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        packets = [packet for packet in source.demux(audio=0) if packet.size]
        step = packets[-1].pts - packets[0].pts + (packets[-1].duration or 20)
        base = source.streams.audio[0].time_base
        for turn in range(times):
            for packet in packets:
                copy = av.Packet(bytes(packet))
                copy.pts = copy.dts = packet.pts + turn * step
                copy.time_base, copy.stream = base, stream
                target.mux(copy)
    part.unlink()
    return path


def embed_one(path: str, model: str) -> None:
    """Decode and embed one file, and print what that took, as JSON."""
    settings = Settings.model_validate(load_settings().model_dump() | {"sound_model": model, "decode_workers": 1})
    choice = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", model)
    models = Models(settings, choice)
    began = time.monotonic()
    with DecodePool(settings) as pool:
        decoded = pool.submit(path).result()
        read = time.monotonic()
        made = models.embed([decoded])[0]
    told = {
        "seconds": decoded.facts.duration,
        "rows": len(made.spans),
        "decoding": read - began,
        "embedding": time.monotonic() - read,
        "this": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "decoder": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    print(json.dumps(told))


def memory(hours: float, model: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        for minutes in (10, round(60 * hours)):
            path = repeated(Path(scratch, f"{minutes}.mka"), 60, minutes)
            command = [sys.executable, __file__, "one", str(path), "--model", model]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(
                f"{minutes} min ({path.stat().st_size / MIB:.0f} MiB): {told['seconds']:.0f} s, {told['rows']} rows; "
                f"decoded in {told['decoding']:.1f} s, embedded in {told['embedding']:.1f} s by {model}; most memory: "
                f"this process {told['this']:.0f} MiB, decoder {told['decoder']:.0f} MiB"
            )


def search(hours: int, rows: int = 388) -> None:
    """Rows of unit length, like their neighbours, as segments of recordings are."""
    schema = schemas_of(ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", "aisfx"))[2]
    field = schema.by_name["sound_voice"]
    rng = np.random.default_rng(2)

    def some(count: int) -> Samples:
        drift = rng.standard_normal(field.space.dim) + 0.7 * rng.standard_normal((count, field.space.dim))
        return (drift / np.linalg.norm(drift, axis=1, keepdims=True)).astype(np.float32)

    spans = np.stack([9.288 * np.arange(rows), 9.288 * np.arange(1, rows + 1)], axis=1)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        store = EdgeStore(Path(scratch))
        store.ensure(schema)
        began = time.monotonic()
        for at in range(hours):
            record = MediaRecord(
                media_id(str(at)), Kind.AUDIO, (f"/{at}.flac",), duration=3600.0, sound_runs=as_runs(spans)
            )
            store.upsert("audio", [Point(record.id, {"sound_voice": some(rows)}, record.to_payload())])
        print(f"{hours} hours, {hours * rows:,} rows, written in {time.monotonic() - began:.0f} s")
        for asking in (1, 3, 32):
            times, busy = [], []
            for _ in range(7):
                probe = Probe(Kind.AUDIO, {"sound_voice": some(asking)}, {"sound_voice": field.space.fingerprint})
                began, used = time.monotonic(), time.process_time()
                find_similar(store, Question((probe,), collections=("audio",)))
                times.append(time.monotonic() - began)
                busy.append(time.process_time() - used)
            print(
                f"{asking} rows ask: {1000 * float(np.median(times)):.0f} ms, {1000 * float(np.median(busy)):.0f} ms "
                f"of a processor (the first time {1000 * times[0]:.0f}, {1000 * busy[0]:.0f})",
                flush=True,
            )
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("moments", "memory", "search", "one"))
    parser.add_argument("path", nargs="?")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "../shared/data")
    parser.add_argument("--hours", type=float)
    parser.add_argument("--model", default="aisfx")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=20)
    asked = parser.parse_args()
    if asked.what == "moments":
        moments(asked.data, asked.count, asked.seed, asked.model)
    elif asked.what == "memory":
        memory(asked.hours or 10, asked.model)
    elif asked.what == "search":
        search(round(asked.hours or 1000))
    else:
        embed_one(asked.path, asked.model)


if __name__ == "__main__":
    main()
