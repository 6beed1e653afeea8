"""How near `likewise photographers develop` comes to a known way of developing, next to plain recipes.

    .venv/bin/python tests/benchmarks/bench_develop.py [FOLDER …] [--presets N] [--gallery N] [--each N] [--seed N]

Invented photographers develop photos of the gallery's side with some variation from photo to photo; their settings are
read as the product reads them, from vectors of style of JPEG copies. Then photos of other subjects are developed with
what was read, and compared with what the photographer would have made of them.

Without a folder: images_caltech101 of ../shared/data, encoder and reader learnt anew on half of its subjects, which are
neither in the gallery nor asked about. With folders: the shipped weights, which were learnt on images_caltech101; name
others. Presets are drawn for each run. 20 variants of the map of many photos and 6 of that of one were compared on
other presets and the photos of images_caltech101, so the photos without a folder have had a part in those two choices.

One thread computes: threads of one pass that wait for each other on a busy machine take four times the processor time.
The default run takes 160 s of it, so about three minutes on an idle core.

Grain is left out of the comparison of pictures, but for one row: two draws of it differ at every pixel, which nobody
sees. Intervals are of 95 %, by drawing photographers; every question photo is asked about once.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: threads that wait for a core turn round meanwhile

from search.evaluation.statistics import Estimate, GroupBootstrap
from search.photographers.develop.colours import to_tone
from search.photographers.develop.lut import cube
from search.photographers.develop.reading import SettingsReader, shipped_reader
from search.photographers.develop.settings import PARAMETERS, Preset, change
from search.settings import load_settings
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.style.network import StyleEncoder, shipped_encoder
from workers.embedders.style.training import StatisticsFunction, cpu_statistics, make_training_set, train
from workers.photographers.benchmark.photos import Album, read_subjects, split
from workers.photographers.benchmark.presets import JITTER, draw_presets, jitter
from workers.photographers.benchmark.vectors.colour_distance import delta_e_2000, lab
from workers.photographers.develop.render import apply
from workers.photographers.develop.train import examples_of, learn, statistics_of_photos, styles_of

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LEARNT_EACH, LEARNT_PRESETS = 8, 300
"""Photographers that develop each photo to learn from, and how many there are."""

POOLED = 2
"""Every so many pixels of each side count for the comparison, and for the distributions that baselines match."""

MOST_POOLED = 20_000
"""Pixels of a photographer's photos whose mean and deviation are taken in CIELAB."""

LUTS = 20
"""Photos on which FFmpeg applies a written LUT."""

FROM_CAMERA, DEFAULT = "likewise, as it came from the camera", "likewise, as developed (default)"
STORED = "likewise, stored, its photographer known"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: a photo as it is given, what it should become, and what each method makes of it, ΔE by method."""

    photographer: int
    differences: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """Median of the photos' mean ΔE2000, and its ratio to no change."""

    method: str
    median: Estimate
    ratio: Estimate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folders", nargs="*", type=Path, help="photos that the shipped weights were not learnt on")
    parser.add_argument("--presets", type=int, default=30, help="photographers (30)")
    parser.add_argument("--gallery", type=int, default=20, help="photos that each is read from (20)")
    parser.add_argument("--each", type=int, default=4, help="photos of other subjects developed like each (4)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    folders = chosen.folders or [DATA / "images_caltech101"]
    if not chosen.folders and not DATA.is_dir():
        print("Not measured: ../shared/data is absent, and no folder was named.")
        return
    rng = np.random.default_rng(chosen.seed)
    learnt, gallery, question = photos_of(
        folders, 6 * chosen.gallery, chosen.presets * chosen.each, not chosen.folders, rng
    )
    statistics_of = cpu_statistics()
    if chosen.folders:
        learnt, encoder, reader = [], shipped_encoder(), shipped_reader()
    else:
        encoder, reader = learnt_from(learnt, statistics_of, chosen.seed)

    def styles(pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        return styles_of(encoder, statistics_of_photos(pictures, statistics_of))

    measured = measure(gallery, question, reader, styles, chosen.presets, chosen.gallery, rng)
    if chosen.json:
        print(json.dumps(measured, default=asdict))
        return
    weights = f"learnt on {len(learnt)} photos of other subjects" if learnt else "shipped weights"
    print(f"{weights}; {len(gallery)} photos to read from, {len(question)} of other subjects to develop")
    print(f"{chosen.presets} photographers, {chosen.gallery} photos each, medium jitter, seed {chosen.seed}")
    for title, rows in measured["rows"].items():
        print(f"\n{title}\n{'':44} median ΔE2000 of photos      share of no change")
        for row in rows:
            print(f"{row.method:44} {shown(row.median)}   {shown(row.ratio)}   n = {row.median.n}")
    print("\nSettings, root of the mean squared error in deviations between presets (1: as good as the mean preset)")
    for name, estimate in measured["settings"].items():
        print(f"{name:44} {shown(estimate)}   n = {estimate.n} photographers")
    lut = measured["lut"]
    print(f"\nWritten .cube applied by FFmpeg against the preview without vignette and grain: mean ΔE2000 "
          f"{lut['mean']:.3f}, worst photo {lut['worst']:.3f}, n = {lut['n']}")  # fmt: skip


def shown(estimate: Estimate) -> str:
    return f"{estimate.value:6.2f} [{estimate.low:5.2f}, {estimate.high:5.2f}]"


def photos_of(
    folders: Sequence[Path], gallery: int, question: int, learning: bool, rng: np.random.Generator
) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
    """Base photos of three sides, to learn from (none unless ``learning``), to read from, and to ask about: no subject
    on two of them, copies left out."""
    subjects = {path: f"{folder}:{name}" for folder in folders for path, name in read_subjects(folder)[0].items()}
    names = sorted(set(subjects.values()))
    half = {names[at] for at in rng.permutation(len(names))[: len(names) // 2]} if learning else set()
    with DecodePool(load_settings()) as pool:
        album = Album(pool)
        learnt = [album.photo(path, name) for path, name in subjects.items() if name in half]
        others = {path: name for path, name in subjects.items() if name not in half}
        sides = split(others, album, gallery, question, 0, rng)
    assert sides.shared == 0
    pixels = ([photo.pixels for photo in side if photo] for side in (learnt, sides.gallery, sides.question))
    return tuple(pixels)  # type: ignore[return-value]


def learnt_from(
    photos: Sequence[Pixels], statistics_of: StatisticsFunction, seed: int
) -> tuple[StyleEncoder, SettingsReader]:
    developed = make_training_set(photos, LEARNT_EACH, seed + 1000, statistics_of, LEARNT_PRESETS)
    encoder = train(developed)
    return encoder, learn(examples_of(encoder, developed, statistics_of_photos(photos, statistics_of)))


def measure(
    gallery: Sequence[Pixels],
    question: Sequence[Pixels],
    reader: SettingsReader,
    styles: Callable[[Sequence[Pixels]], NDArray[np.float32]],
    presets: int,
    each: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    people = draw_presets(presets, rng)
    works = [
        [apply(gallery[at], jitter(preset, JITTER["medium"], rng), rng) for at in rng.permutation(len(gallery))[:each]]
        for preset in people
    ]
    vectors = [styles(work) for work in works]
    readings = [Preset.of_vector(reader.readings(some).mean(axis=0)) for some in vectors]
    errors = [(read.vector - preset.vector) ** 2 for read, preset in zip(readings, people, strict=True)]
    untouched: list[Asked] = []
    developed: list[Asked] = []
    luts: list[float] = []
    for who, (preset, read) in enumerate(zip(people, readings, strict=True)):
        pool = np.concatenate([picture[::POOLED, ::POOLED].reshape(-1, 3) for picture in works[who]])
        asked = question[who::presets]
        sources = [(who + 1 + at) % presets for at in range(len(asked))]
        given = [apply(photo, people[source], rng) for photo, source in zip(asked, sources, strict=True)]
        own, own_given = styles(asked), styles(given)
        for at, photo in enumerate(asked):
            luts += [lut_difference(photo, read)] if len(luts) < LUTS else []
            camera = {FROM_CAMERA: read}
            made = camera | {DEFAULT: change(reader.photo(own[at]), read)}
            untouched.append(compared(who, photo, photo, preset, made, pool, rng))
            source = people[sources[at]]
            plain = apply(photo, replace(source, grain=0.0), rng)
            made = camera | {
                DEFAULT: change(reader.photo(own_given[at]), read),
                STORED: change(reader.photo(own_given[at], vectors[sources[at]]), read),
                "(the true change of settings)": change(source, preset),
            }
            developed.append(compared(who, photo, plain, preset, made, pool, rng))
    bootstrap = GroupBootstrap(np.arange(presets))
    table = np.array(errors)
    settings = {name: _rmse(bootstrap, table[:, [at]]) for at, name in enumerate(PARAMETERS)}
    return {
        "rows": {
            "Photos to which nothing was done": rows(untouched),
            "Photos that somebody else has developed": rows(developed),
        },
        "settings": {"all": _rmse(bootstrap, table), **settings},
        "lut": {"mean": float(np.mean(luts)), "worst": float(np.max(luts)), "n": len(luts)},
    }


def _rmse(bootstrap: GroupBootstrap, squares: NDArray[np.float64]) -> Estimate:
    return bootstrap.estimate(lambda weights: float(np.sqrt(np.average(squares.mean(axis=1), weights=weights))))


def compared(
    who: int,
    photo: Pixels,
    given: Pixels,
    preset: Preset,
    settings: Mapping[str, Preset],
    pool: Pixels,
    rng: np.random.Generator,
) -> Asked:
    """Mean ΔE of what each method makes of a photo as it is given, to what the photographer makes of the original."""
    truth = lab(apply(photo, replace(preset, grain=0.0), rng)[::POOLED, ::POOLED])
    small = given[::POOLED, ::POOLED]

    def difference(picture: Pixels, wanted: NDArray[np.float32] = truth) -> float:
        return float(delta_e_2000(wanted, lab(picture)).mean())

    found = {
        "no change": difference(small),
        "Reinhard colour transfer": difference(reinhard(small, pool)),
        "histogram matching": difference(matched(small, pool)),
    }
    for name, made in settings.items():
        found[name] = difference(apply(given, replace(made, grain=0.0), rng)[::POOLED, ::POOLED])
    grained = lab(apply(photo, preset, rng)[::POOLED, ::POOLED])
    default = settings[DEFAULT]
    found["default, with grain in both"] = difference(apply(given, default, rng)[::POOLED, ::POOLED], grained)
    return Asked(who, found)


def rows(asked: Sequence[Asked]) -> list[Row]:
    bootstrap = GroupBootstrap(np.array([one.photographer for one in asked]))
    columns = {name: np.array([one.differences[name] for one in asked]) for name in asked[0].differences}
    nothing = columns["no change"]
    return [
        Row(
            name,
            bootstrap.estimate(lambda weights, column=column: median(column, weights)),
            bootstrap.estimate(lambda weights, column=column: median(column, weights) / median(nothing, weights)),
        )
        for name, column in columns.items()
    ]


def median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(np.median(np.repeat(values, weights.astype(int))))


def reinhard(picture: Pixels, pool: Pixels) -> Pixels:
    """Means and deviations of the photographer's photos, in CIELAB. Source: Reinhard et al., "Color transfer between
    images", IEEE Computer Graphics and Applications, 2001."""
    mine = lab(picture).reshape(-1, 3)
    theirs = lab(pool[:: max(1, len(pool) // MOST_POOLED)])
    scaled = (mine - mine.mean(axis=0)) / (mine.std(axis=0) + 1e-6) * theirs.std(axis=0) + theirs.mean(axis=0)
    return of_lab(scaled).reshape(picture.shape)


def of_lab(colours: NDArray[np.float32]) -> Pixels:
    """sRGB of CIELAB colours (n, 3), clipped."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    y = (colours[:, 0] + 16) / 116
    bent = np.stack([y + colours[:, 1] / 500, y, y - colours[:, 2] / 200], axis=1).astype(np.float64)
    light = np.where(bent > 6 / 29, bent**3, (bent - 4 / 29) * 3 * (6 / 29) ** 2) * to_xyz.sum(axis=1)
    linear = np.clip(light @ np.linalg.inv(to_xyz).T, 0.0, 1.0)
    return np.rint(255 * to_tone(linear)).astype(np.uint8)


def matched(picture: Pixels, pool: Pixels) -> Pixels:
    """The distribution of red, green and blue of the photographer's photos, each by itself."""
    made = np.empty_like(picture)
    for channel in range(3):
        mine, theirs = (np.bincount(some[..., channel].ravel(), minlength=256) for some in (picture, pool))
        ranks = (np.cumsum(mine) - mine / 2) / mine.sum()
        levels = np.interp(ranks, (np.cumsum(theirs) - theirs / 2) / theirs.sum(), np.arange(256))
        made[..., channel] = np.rint(levels)[picture[..., channel]]
    return made


def lut_difference(photo: Pixels, preset: Preset) -> float:
    """Mean ΔE between the preview without vignette and grain, and what FFmpeg makes of the photo with the LUT."""
    plain = replace(preset, vignette=0.0, grain=0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "like.cube"
        path.write_text(cube(plain, "bench"), "ascii")
        through = by_ffmpeg(photo, path)
    return float(delta_e_2000(lab(apply(photo, plain, np.random.default_rng(0))), lab(through)).mean())


def by_ffmpeg(photo: Pixels, path: Path) -> Pixels:
    import av
    from av.filter import Graph

    graph = Graph()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(photo), format="rgb24")
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))
    nodes = [source, graph.add("lut3d", f"file={path}"), graph.add("format", "rgb24"), graph.add("buffersink")]
    for one, other in itertools.pairwise(nodes):
        one.link_to(other)
    graph.configure()
    graph.push(frame)
    made = graph.pull()
    assert isinstance(made, av.VideoFrame)
    return np.asarray(made.to_ndarray(format="rgb24"), np.uint8)


if __name__ == "__main__":
    main()
