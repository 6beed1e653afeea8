"""Whether spans of edited films and sounds are found in their sources, and what comparing a large library takes.

    python tests/benchmarks/bench_reuse.py films [--part dev|test] [--data DIR]
    python tests/benchmarks/bench_reuse.py sounds [--part dev|test] [--data DIR]
    python tests/benchmarks/bench_reuse.py scale [--hours 1000] [--data DIR]

``films`` makes nine edits of each of 16 clips of video_scenes (drawn: 16 for development, on which the constants of
``search.similar.reuse`` were chosen, and 16 others for the test), encodes them, decodes all by the decoder processes,
and compares all. An edit is found where a span of at least 1.5 s has its offset within .25 s. It also counts spans of
different clips of video_scenes, of which there are none, and the pairs of video_neardup_tmk.

``sounds`` does so with excerpts of 2.5 to 6 s of recordings of at least 3 s, and counts spans of different recordings.

``scale`` makes fingerprints of films from parts of photos of images_caltech101 that the picture moves over, as many as
asked for by exchanging rows and columns of bits, and prints what it takes to compare another film with all of them.
"""

from __future__ import annotations

import argparse
import fractions
import io
import itertools
import os
import random
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import wilson
from search.settings import Settings
from search.similar.reuse.footprints import FRAMES_A_SECOND, GRID, Footprints
from search.similar.reuse.overlaps import LEAST_SECONDS, Overlap
from search.similar.reuse.search import find_overlaps
from workers.decode.fingerprints.frames import FilmFrames, frame_fingerprint
from workers.decode.fingerprints.landmarks import sound_landmarks
from workers.decode.sandbox.pool import DecodePool

SOURCES = 16
WITHIN = 0.25
RATE = 16_000
SOUNDS = ("audio_gender_librispeech", "audio_speakers_librispeech", "audio_instruments_fsd", "audio_samples_sonicpi")

Picture = NDArray[np.uint8]
Film = list[tuple[float, Picture]]
"""Frames with their seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("films", "sounds", "scale"))
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--hours", type=float, default=1000.0)
    given = parser.parse_args()
    if given.what == "films":
        films(given.data, given.part)
    elif given.what == "sounds":
        sounds(given.data, given.part)
    else:
        scale(given.data, given.hours)


def films(data: Path, part: str) -> None:
    clips = sorted((data / "video_scenes").glob("*/*.m*"))
    sources = _sources(clips, part)
    with tempfile.TemporaryDirectory() as folder:
        offsets: dict[Path, tuple[str, Path, float]] = {}
        for source in sources:
            for name, film, offset in _edits(_load(source), source, clips, random.Random(source.name)):
                made = Path(folder) / f"{name}-{source.stem}.mp4"
                _save(made, film)
                offsets[made] = (name, source, offset)
        tmk = sorted((data / "video_neardup_tmk").glob("*/*.mp4"))
        prints = _decoded([*clips, *offsets, *tmk])
    found = _found([*map(str, sources), *map(str, offsets)], prints)
    hits: dict[str, list[bool]] = defaultdict(list)
    errors: list[float] = []
    for made, (name, source, offset) in offsets.items():
        seen = [one.seen_from(str(source)) for one in found[frozenset((str(source), str(made)))]]
        off = [abs(one.other_start - one.start - offset) for one in seen if one.flipped == (name == "flipped")]
        hits[name].append(min(off, default=9.0) <= WITHIN)
        errors += [error for error in off if error <= WITHIN]
    _print(hits, errors)
    pairs = _found([*map(str, clips)], prints)
    print(f"spans of different clips: {sum(map(len, pairs.values()))} in {len(clips) * (len(clips) - 1) // 2:,} pairs")
    pattern = [str(path) for path in tmk if path.parent.name == "pattern"]
    copies = _found([*map(str, tmk)], prints)
    of_one = sum(bool(copies[frozenset(pair)]) for pair in itertools.combinations(pattern, 2))
    print(f"video_neardup_tmk: {of_one} of {len(pattern) * (len(pattern) - 1) // 2} pairs of one film, ", end="")
    print(f"{sum(bool(spans) for spans in copies.values()) - of_one} of different ones")
    _print_cost(clips)


def sounds(data: Path, part: str) -> None:
    paths = sorted(path for name in SOUNDS for path in (data / name).glob("*/*") if path.is_file())
    heard = {path: samples for path in paths if len(samples := _listen(str(path))) >= 3 * RATE}
    began = time.process_time()
    prints = {str(path): Footprints(landmarks=sound_landmarks(samples)) for path, samples in heard.items()}
    seconds = sum(map(len, heard.values())) / RATE
    print(f"{1000 * (time.process_time() - began) / seconds:.1f} ms of one core a second of sound")
    pairs = _found([*prints], prints)
    print(f"spans of different sounds: {sum(map(len, pairs.values()))} in {len(heard) * (len(heard) - 1) // 2:,} pairs")
    hits: dict[str, list[bool]] = defaultdict(list)
    errors: list[float] = []
    names = [*heard][0 if part == "dev" else 1 :: 2]
    for path in names:
        rng = random.Random(path.name)
        other = heard[rng.choice([one for one in names if one != path])]
        for name, samples, offset in _excerpts(heard[path], other, rng):
            edit = {"edit": Footprints(landmarks=sound_landmarks(samples))}
            spans = find_overlaps(["edit"], ["edit", *prints], (edit | prints).get)
            off = [abs(one.start - one.other_start - offset) for one in spans if one.other == str(path)]
            hits[name].append(min(off, default=9.0) <= WITHIN)
            errors += [error for error in off if error <= WITHIN]
    _print(hits, errors)


def scale(data: Path, hours: float) -> None:
    base = _moving_over_photos(sorted((data / "images_caltech101").glob("*/*.jpg")), 4 * 3600 * FRAMES_A_SECOND)
    prints = {str(number): Footprints(_other_film(base, number)) for number in range(round(2 * hours))}
    asked = {f"asked {number}": Footprints(_other_film(base, -1 - number)) for number in range(2)}
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    spans = [*find_overlaps([*asked], [*prints, *asked], (prints | asked).get)]
    took = time.process_time() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
    print(f"an hour of film compared with {hours:,.0f}: {took:,.0f} s of one core, {grown >> 10:,} MiB,", end=" ")
    print(f"{len(spans)} spans")
    began = time.process_time()
    [*find_overlaps([], [*prints], prints.get)]
    indexed = time.process_time() - began
    print(f"of which {indexed:,.0f} s are for indexes; each further hour takes {took - indexed:,.0f} s")


def _print(hits: Mapping[str, Sequence[bool]], errors: Sequence[float]) -> None:
    for name, found in hits.items():
        low, high = wilson(float(np.mean(found)), len(found))
        print(f"{name:20} {np.mean(found):.2f} [{low:.2f}, {high:.2f}] of {len(found)}")
    if errors:
        print(f"offset wrong by {np.mean(errors):.3f} s on average, {max(errors):.3f} at most")


def _found(ids: list[str], prints: Mapping[str, Footprints]) -> dict[frozenset[str], list[Overlap]]:
    found: dict[frozenset[str], list[Overlap]] = defaultdict(list)
    for one in find_overlaps(ids, ids, prints.get):
        found[frozenset((one.one, one.other))].append(one)
    return found


def _sources(clips: Sequence[Path], part: str) -> list[Path]:
    """Clips drawn in turns from each scene: every second of the first for development, of the others those for the test
    that can hold a span."""
    rng = random.Random(7)
    by_scene = [[*paths] for _, paths in itertools.groupby(clips, lambda path: path.parent)]
    for paths in by_scene:
        rng.shuffle(paths)
    drawn = [path for turn in itertools.zip_longest(*by_scene) for path in turn if path is not None]
    tuned = drawn[: 2 * SOURCES : 2]
    others = [path for path in drawn if path not in tuned and _load(path)[-1][0] > LEAST_SECONDS]
    return tuned if part == "dev" else others[:SOURCES]


def _load(path: Path) -> Film:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        start = float((stream.start_time or 0) * (stream.time_base or 0))
        return [
            (float(frame.time or 0) - start, frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)
        ]


def _save(path: Path, film: Film) -> None:
    height, width = (side - side % 2 for side in film[0][1].shape[:2])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "26", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = stream.time_base = fractions.Fraction(1, 1000)
        last = -1
        for moment, picture in film:
            last = max(last + 1, round(1000 * moment))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            frame.pts, frame.time_base = last, fractions.Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _edits(film: Film, source: Path, clips: Sequence[Path], rng: random.Random) -> Iterator[tuple[str, Film, float]]:
    """Name, film, and the second of the edit at which the source's begins."""

    def each(change: Callable[[Picture], Picture]) -> Film:
        return [(moment, change(picture)) for moment, picture in film]

    height, width = film[0][1].shape[:2]
    length = film[-1][0] + film[-1][0] / (len(film) - 1)
    cut = rng.uniform(0.05, max(0.1, min(0.3, length - 1.6)))
    kept = [(moment, picture) for moment, picture in film if moment >= cut]
    yield "cut", [(moment - kept[0][0], picture) for moment, picture in kept], -kept[0][0]
    small = (round(0.4 * width), round(0.4 * height))
    yield "small and gray", each(lambda picture: _gray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA))), 0.0
    yield "logo", each(lambda picture: _with_box(picture, 0.85, 0.05, 0.12, 0.1, (230, 230, 230))), 0.0
    yield "large logo", each(lambda picture: _with_box(picture, 0.72, 0.72, 0.22, 0.2, (230, 40, 40))), 0.0
    before, after = (_load(path) for path in rng.sample([path for path in clips if path.parent != source.parent], 2))
    joined: Film = []
    begins = 0.0
    for part in (before, film, after):
        start = joined[-1][0] + 0.04 if joined else 0.0
        begins = start if part is film else begins
        joined += [(start + moment, cv2.resize(picture, (width, height))) for moment, picture in part]
    yield "between others", joined, begins
    warm = np.array([1.1, 1.0, 0.8])
    yield "graded", each(lambda picture: np.clip(255 * (picture / 255) ** 0.7 * warm, 0, 255).astype(np.uint8)), 0.0
    bars = round(0.15 * height)
    yield "letterboxed", each(lambda picture: np.pad(picture, ((bars, bars), (0, 0), (0, 0)))), 0.0
    yield "flipped", each(lambda picture: picture[:, ::-1]), 0.0
    top, left = round(0.08 * height), round(0.08 * width)
    yield "cropped by 8 %", each(lambda picture: picture[top : height - top, left : width - left]), 0.0


def _gray(picture: Picture) -> Picture:
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., np.newaxis], 3, axis=2)


def _with_box(
    picture: Picture, x: float, y: float, width: float, height: float, colour: tuple[int, int, int]
) -> Picture:
    rows, columns = picture.shape[:2]
    changed = picture.copy()
    changed[round(y * rows) : round((y + height) * rows), round(x * columns) : round((x + width) * columns)] = colour
    return changed


def _decoded(paths: Sequence[Path]) -> dict[str, Footprints]:
    """Fingerprints over time as the decoder processes make them."""
    with tempfile.TemporaryDirectory() as home:
        pool = DecodePool(Settings(home=Path(home)))
        try:
            waiting = {str(path): pool.submit(str(path)) for path in paths}
            decoded = {path: future.result().footprints for path, future in waiting.items()}
        finally:
            pool.close()
    return {path: prints for path, prints in decoded.items() if prints is not None}


def _print_cost(clips: Sequence[Path]) -> None:
    """What fingerprints take beside decoding."""
    decoding = made = seconds = 0.0
    for path in clips[::4]:
        for prints in (None, FilmFrames()):
            began = time.process_time()
            with av.open(str(path)) as container:
                for frame in container.decode(video=0):
                    if prints is not None:
                        prints.offer(float(frame.time or 0), frame)
            took = time.process_time() - began
            if prints is None:
                decoding += took
            else:
                made += took
                seconds += len(prints.rows()) / FRAMES_A_SECOND
    print(f"ms of one core a second of film: decoding {1000 * decoding / seconds:.1f}, with fingerprints", end=" ")
    print(f"{1000 * made / seconds:.1f}")


def _listen(path: str | io.BytesIO) -> NDArray[np.float32]:
    resampler = av.AudioResampler("flt", "mono", RATE)
    with av.open(path) as container:
        if not container.streams.audio:
            return np.empty(0, np.float32)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate([part.to_ndarray().ravel() for part in (*frames, *resampler.resample(None))])
    return samples / max(1.0, float(np.abs(samples).max()))


def _excerpts(
    samples: NDArray[np.float32], other: NDArray[np.float32], rng: random.Random
) -> Iterator[tuple[str, NDArray[np.float32], float]]:
    """Name, sound, and the second of the edit at which the source's begins."""
    length = min(len(samples), round(rng.uniform(2.5, 6.0) * RATE))
    start = rng.randint(0, len(samples) - length)
    part = samples[start : start + length]
    loudness = float(np.sqrt(np.mean(np.square(part))))
    yield "excerpt", part, -start / RATE
    yield "MP3, 64 kbit/s", _as_mp3(part), -start / RATE
    yield "a tenth as loud", part * np.float32(0.1), -start / RATE
    noise = np.random.default_rng(start).normal(0, 0.316 * loudness, length).astype(np.float32)
    yield "noise 10 dB below", part + noise, -start / RATE
    before, after = other[: 5 * RATE], other[:RATE]
    yield "between others", np.concatenate([before, part, after]), (len(before) - start) / RATE
    mixed = np.resize(other, length)
    as_loud = loudness / max(1e-6, float(np.sqrt(np.mean(np.square(mixed)))))
    yield "mixed at 0 dB", (part + mixed * as_loud).astype(np.float32), -start / RATE


def _as_mp3(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    written = io.BytesIO()
    with av.open(written, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=22_050, layout="mono", options={"b": "64k"})
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format.name, "mono", 22_050, frame_size=1152)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode())
    written.seek(0)
    return _listen(written)


def _moving_over_photos(photos: Sequence[Path], frames: int) -> NDArray[np.uint8]:
    """Fingerprints of shots of 2 to 10 s, most of which move."""
    rng, noise = random.Random(3), np.random.default_rng(3)
    pictures = [cv2.resize(cv2.imread(os.fspath(path), 0), (320, 240)) for path in photos]
    rows: list[bytes] = []
    while len(rows) < frames:
        picture, length, zoom = rng.choice(pictures), rng.randint(8, 40), rng.uniform(0.5, 0.9)
        width, height, move = round(320 * zoom), round(240 * zoom), 0.0 if rng.random() < 0.4 else 0.4
        from_x, from_y, to_x, to_y = (rng.random() for _ in range(4))
        for at in range(length):
            x = round((from_x + (to_x - from_x) * move * at / length) * (320 - width))
            y = round((from_y + (to_y - from_y) * move * at / length) * (240 - height))
            part = picture[y : y + height, x : x + width].astype(np.int16)
            grained = np.clip(part + noise.integers(-6, 7, part.shape), 0, 255).astype(np.uint8)
            rows.append(frame_fingerprint(grained))
    return np.frombuffer(b"".join(rows[:frames]), np.uint8).reshape(-1, 32)


def _other_film(base: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Half an hour of a film that shares nothing with others, but is of their kind."""
    rng = np.random.default_rng(number + 2**31)
    length = 1800 * FRAMES_A_SECOND
    start = int(rng.integers(0, len(base) - length))
    bits = np.unpackbits(base[start : start + length], axis=1).reshape(-1, GRID, GRID)
    exchanged = bits[:, rng.permutation(GRID)][:, :, rng.permutation(GRID)]
    return np.packbits(exchanged.reshape(length, -1), axis=1)


if __name__ == "__main__":
    main()
