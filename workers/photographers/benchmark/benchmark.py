"""The preset benchmark on a folder of photos, from files to the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from search.evaluation.statistics import Estimate, Floats
from search.settings import Settings
from search.store.temporary_folders import temporary_folder
from workers.decode.sandbox.pool import DecodePool
from workers.photographers.benchmark import controls
from workers.photographers.benchmark.intervals import estimate, margin
from workers.photographers.benchmark.observe import LoadedModels, ProductPipeline
from workers.photographers.benchmark.open_set import OpenSetTrial, auroc
from workers.photographers.benchmark.options import PresetOptions
from workers.photographers.benchmark.photos import Album, Split, read_subjects, split
from workers.photographers.benchmark.presets import JITTER
from workers.photographers.benchmark.results import (
    BenchmarkCheck,
    BenchmarkRow,
    Level,
    PresetBenchmark,
    check,
    unmeasured,
)
from workers.photographers.benchmark.rows import CONTENT_CHECKED, POOLED, REPRESENTATIONS, STYLE_VECTORS, Representation
from workers.photographers.benchmark.trial import SeedResult, evaluate_trial, render, render_steps
from workers.photographers.benchmark.vectors.train import vector_checks

OPEN_ONE, OPEN_TEN = 0.85, 0.95
"""Least AUROC between known and unknown photographers."""

ReportLine = Callable[[str], None]


def measure(folder: Path, options: PresetOptions, settings: Settings, say: ReportLine) -> PresetBenchmark:
    """Everything, at every jitter level asked for. Photos of the folder are only read.

    Args:
        say: called with progress in words, a line at a time.

    Raises:
        NotFoundError: there is no such folder.
        UsageError: it holds too few photos, or too few subjects to split.
        ModelError: the models cannot be had.
    """
    from workers.photographers.benchmark import product_models

    began = time.monotonic()
    subjects, classes = read_subjects(folder)
    names = len(set(subjects.values())) if classes else 0
    notes: list[str] = []
    if classes:
        say(f"{len(subjects)} photos of {names} subjects; no subject is both learnt from and asked about.")
    else:
        notes.append("The folder has no classes, so photos were split singly: alike subjects may be on both sides.")
        say(notes[-1])
    with DecodePool(settings) as pool, temporary_folder("likewise-presets-") as scratch:
        models = product_models.open_models(settings)
        album = Album(pool)
        splits = [
            split(
                subjects, album, options.gallery, options.question, options.practice, np.random.default_rng((seed, 0))
            )
            for seed in range(options.seeds)
        ]
        pipeline = ProductPipeline(pool, models, scratch)
        progress = BenchmarkProgress(
            say, len(options.jitter) * sum(render_steps(one) + len(REPRESENTATIONS) for one in splits)
        )
        levels = tuple(_level(name, splits, classes, options, pipeline, models, progress) for name in options.jitter)
    return PresetBenchmark(
        folder=str(folder),
        photos=len(subjects),
        subjects=names,
        presets=options.presets,
        seeds=options.seeds,
        gallery=min(len(one.gallery) for one in splits),
        question=min(len(one.question) for one in splits),
        chance=1 / options.presets,
        models=models.words,
        levels=levels,
        seconds=time.monotonic() - began,
        notes=tuple(notes),
    )


class BenchmarkProgress:
    """Says from time to time how far it is and how long it will take."""

    SECONDS = 15.0

    def __init__(self, say: ReportLine, steps: int) -> None:
        self._say, self._steps, self._done = say, steps, 0
        self._began = self._said = time.monotonic()

    def tick(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._said >= self.SECONDS:
            self._said = now
            minutes = (now - self._began) / self._done * (self._steps - self._done) / 60
            self._say(f"{self._done} of {self._steps} steps, about {minutes:.0f} minutes left.")

    def say(self, text: str) -> None:
        self._say(text)


def _level(
    name: str,
    splits: Sequence[Split],
    classes: bool,
    options: PresetOptions,
    pipeline: ProductPipeline,
    models: LoadedModels,
    progress: BenchmarkProgress,
) -> Level:
    results: list[SeedResult] = []
    for seed, one in enumerate(splits):
        progress.say(f"Jitter {name}, seed {seed + 1} of {len(splits)}: developing and looking.")
        rendered = render(one, options, JITTER[name], pipeline, models, seed, progress.tick)
        results.append(evaluate_trial(rendered, [photo.subject for photo in one.question], seed, progress.tick))
    rows = _rows(results)
    checks = _checks(results, splits, classes) + vector_checks(splits[0], JITTER[name], options, progress.say)
    return Level(name, JITTER[name], rows, _margin(results, rows), tuple(checks))


def _rows(results: Sequence[SeedResult]) -> tuple[BenchmarkRow, ...]:
    return tuple(
        BenchmarkRow(
            representation.name,
            representation.words,
            _share([result.one[representation.name] for result in results]),
            _share([result.ten[representation.name] for result in results]),
            representation.target_one,
            representation.target_ten,
            representation.note,
        )
        for representation in REPRESENTATIONS
    )


def _share(hits: Sequence[Floats]) -> Estimate:
    return estimate([table.mean(axis=1) for table in hits], hits[0].shape[1])


def _margin(results: Sequence[SeedResult], rows: Sequence[BenchmarkRow]) -> Estimate:
    style = {representation.name for representation in REPRESENTATIONS if representation.style}
    best = max((row for row in rows if row.name in style), key=lambda row: row.one.value).name
    return margin(
        [result.one[best].mean(axis=1) for result in results], [result.one[POOLED].mean(axis=1) for result in results]
    )


def _checks(results: Sequence[SeedResult], splits: Sequence[Split], classes: bool) -> list[BenchmarkCheck]:
    shared = sum(one.shared for one in splits)
    asked = sum(len(one.question) for one in splits)
    found = [
        controls.separated(shared, asked, classes),
        controls.at_chance("shuffled", "shuffled labels, all vectors, LDA", [one.shuffled for one in results]),
        controls.at_chance(
            "identity", "photographers without a preset, all vectors, LDA", [one.flat for one in results]
        ),
        controls.at_chance(
            "metadata", "the 20 features that are not of the picture, CatBoost", [one.metadata for one in results]
        ),
        controls.even_split([one.twins for one in results]),
    ]
    found += [_entangled(representation, results, classes) for representation in CONTENT_CHECKED]
    found += [
        _open("open_one", "known from unknown photographers, one photo", [one.open_one for one in results], OPEN_ONE),
        _open("open_ten", "known from unknown photographers, ten photos", [one.open_ten for one in results], OPEN_TEN),
    ]
    return found


def _entangled(representation: Representation, results: Sequence[SeedResult], classes: bool) -> BenchmarkCheck:
    """Bounded for style vectors; what they are made from, and the pooled vector, stand beside them."""
    name, words = (
        f"content_{representation.name}",
        f"nearest photo shows the same subject, less chance: {representation.words.split(',')[0]}",
    )
    if not classes:
        return unmeasured(name, words, "the folder has no classes")
    seeds = [one.content[representation.name] for one in results if len(one.content[representation.name])]
    if not seeds:
        return unmeasured(name, words, "no subject has two photos that are asked about")
    if representation.name not in STYLE_VECTORS:
        return check(name, words, estimate(seeds), note="no bound is set for it")
    return check(name, words, estimate(seeds), high=controls.ENTANGLEMENT)


def _open(name: str, words: str, seeds: Sequence[OpenSetTrial], least: float) -> BenchmarkCheck:
    kept, refused = np.mean([one.kept for one in seeds]), np.mean([one.found for one in seeds])
    note = (
        f"at the threshold from validation photographers {kept:.0%} of known are kept and {refused:.0%} of unknown told"
    )
    return check(name, f"AUROC, {words}", auroc(seeds), low=least, note=note)
