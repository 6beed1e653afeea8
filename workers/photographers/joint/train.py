"""Train the joint model on a library's photos, from pictures to files."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from search.errors import UsageError
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.grouping import groups
from search.photographers.space import LOGS, PLOTS, JointReport, PhaseTime, PhotographerSpace, Plane
from workers.photographers.joint.autoencoder import SPREAD, Autoencoder, codes_of, train_autoencoder
from workers.photographers.joint.budget import PhaseClock, StoppedError, TrainingBudget
from workers.photographers.joint.experiments import (
    JointData,
    LearntVectors,
    agreement,
    clusters_of,
    fit_published,
    learn,
    pseudo_photographers,
)
from workers.photographers.joint.files import write_result
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.pictures import Pictures, PictureSubset
from workers.photographers.joint.plots import write_plots
from workers.photographers.joint.split import held_out
from workers.photographers.joint.targets.style import FINGERPRINT, extract, open_reader
from workers.photographers.joint.tensorboard import TensorBoardLog

__all__ = ["JointResult", "StoppedError", "train"]

LEAST_PHOTOS = 3
"""Photos under which a photographer is left out: two to learn from and one to measure on."""

_AUTOENCODER_SHARE = 0.5
"""Of the time that extracting features has left; the rest is for the joint models."""

_FEW = 100
"""Held-out photos under which the errors are more chance than measurement."""


@dataclass(frozen=True, slots=True)
class JointResult:
    """Result of a training; ``files`` are relative to ``folder``."""

    folder: Path
    report: JointReport
    files: tuple[str, ...]


def train(
    folder: Path,
    photos: PhotoSet,
    pictures: NDArray[np.uint8],
    options: JointOptions | None = None,
    say: Callable[[str], None] = print,
    goes_on: Callable[[], bool] = lambda: True,
) -> JointResult:
    """Train on ``photos`` and leave everything that ``PhotographerSpace.load`` and ``fold_in`` need in ``folder``.

    Args:
        folder: is created; ``manifest.json`` is written last, so that a folder with one is complete.
        pictures: uint8 (n, 224, 224, 3), the photos' whole pictures in their order; may be memory-mapped. An all-black
            picture, which stands for a missing one, is left out.
        say: called with progress in words, a line at a time.
        goes_on: called often; False stops the training.

    Raises:
        UsageError: there are fewer than two photographers with enough photos.
        StoppedError: ``goes_on`` returned False.
        ModelError: the network of the style space cannot be had.
    """
    options = options or JointOptions()
    torch.set_num_threads(options.threads)
    began, clock = time.monotonic(), PhaseClock(TrainingBudget(goes_on, options.seconds))
    rows, names, notes = _usable_photos(photos, pictures)
    for note in notes:
        say(note)
    say(f"Learning from {len(rows)} photos of {len(names)} photographers.")
    data, autoencoder, more = _prepare(
        photos.take(rows), names, PictureSubset(pictures, rows), options, clock, say, folder / LOGS
    )
    notes += more
    with TensorBoardLog(folder / LOGS) as log, clock.phase("vectors", 0.4) as share:
        say("Learning the photographers' vectors")
        learnt = learn(data, options, share, log.value)
        log.vectors(names, learnt.fitted.vectors, int(learnt.fitted.steps[-1]))
    say("Learning the published set-up on the same photos, to compare")
    with clock.phase("published set-up", 0.3) as share:
        baseline, _ = fit_published(data, options, share)
    clusters = clusters_of(data.features, options.clusters, options.seed)
    pseudo = None
    if clusters.max() > 0:
        with clock.phase("published set-up on clusters", 0.4) as share:
            pseudo = pseudo_photographers(data, clusters, options, share)
    say("Learning again from random vectors, to see whether the vectors agree")
    with clock.phase("agreement", 0.9) as share:
        agreed = agreement(data, learnt, options, share)
    spread = Plane.of(data.codes).explained[0]
    notes += _caveats(data, learnt, clock, spread)
    report = JointReport(
        photographers=len(names),
        photos=len(rows),
        held_out=int(data.held.sum()),
        dimensions=options.dimensions,
        seed=options.seed,
        steps=int(learnt.fitted.steps[-1]),
        seconds=time.monotonic() - began,
        digest=photos.digest,
        fingerprint=FINGERPRINT,
        errors=learnt.errors,
        published=baseline,
        pseudo=pseudo,
        agreement=agreed.kept,
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        notes=tuple(notes),
        random_agreement=agreed.random,
        codes_spread=spread,
        phases=tuple(clock.phases),
    )
    ids = tuple(photos.ids[row] for row in rows)
    write_result(folder, names, ids, data, clusters, learnt, autoencoder, agreed, report)
    say("Drawing the maps")
    write_plots(PhotographerSpace.load(folder), folder / PLOTS)
    for line in summary_lines(report):
        say(line)
    files = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
    return JointResult(folder, report, files)


def summary_lines(report: JointReport) -> tuple[str, ...]:
    """Errors and agreement of a training, in lines for people."""
    errors, baseline = report.errors, report.published
    lines = [
        f"Held-out photos' style is foretold with an error of {errors.right.value:.2f} by the right photographer's "
        f"vector and {errors.wrong.value:.2f} by others', {errors.ratio:.1f} times as much ({errors.right.n} photos).",
        f"The published set-up, on four global features: {baseline.right.value:.2f} and {baseline.wrong.value:.2f}, "
        f"{baseline.ratio:.1f} times.",
    ]
    if report.pseudo is not None:
        pseudo = report.pseudo
        lines.append(
            f"With {pseudo.clusters} KMeans clusters for photographers: {pseudo.errors.right.value:.2f} and "
            f"{pseudo.errors.wrong.value:.2f}; the nearest centroid on the same features is right in "
            f"{100 * pseudo.nearest_centroid.value:.0f} % of cases. {pseudo.words}"
        )
    if report.agreement is not None:
        lines.append(
            f"Vectors of other seeds, learnt from random beginnings, agree with these to a Procrustes R² of "
            f"{report.agreement:.2f}"
            + ("." if report.random_agreement is None else f", and among themselves of {report.random_agreement:.2f}.")
        )
    if report.codes_spread is not None:
        lines.append(f"Of the variance of image codes {report.codes_spread:.0%} lies in their first component.")
    if report.phases:
        lines.append("Time: " + ", ".join(map(_phase_words, report.phases)) + ".")
    return tuple(lines)


def _phase_words(phase: PhaseTime) -> str:
    """``vectors 12 of 40 s``, with ``(cut short)`` where it ended for its time."""
    given = "" if phase.budget is None else f" of {phase.budget:.0f}"
    return f"{phase.name} {phase.seconds:.0f}{given} s{' (cut short)' if phase.cut_short else ''}"


def _usable_photos(
    photos: PhotoSet, pictures: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], tuple[str, ...], list[str]]:
    """Usable rows intp (k,), photographers' names in order, and notes about what was left out."""
    if pictures.shape != (len(photos), 224, 224, 3):
        raise UsageError(f"{len(photos)} photos came with pictures of the shape {pictures.shape}.")
    credited = np.flatnonzero(photos.labelled)
    if not len(credited):
        raise UsageError("No photo is credited to anybody.", "Say who took what: `likewise photographers label`.")
    seen = np.array([row for row in credited if pictures[row].any()], np.intp)
    notes = []
    if len(seen) < len(credited):
        notes.append(f"{len(credited) - len(seen)} photos are all black or have no picture any more; left out.")
    counts = Counter(photos.names[row] for row in seen)
    names = tuple(sorted(name for name, n in counts.items() if name is not None and n >= LEAST_PHOTOS))
    if len(names) < 2:
        raise UsageError(
            f"A space of photographers needs two of them with {LEAST_PHOTOS} usable photos each; there "
            f"{'is one' if names else 'is none'}.",
            "Credit more photos: `likewise photographers label`.",
        )
    few = len(counts) - len(names)
    if few:
        notes.append(f"Left out for fewer than {LEAST_PHOTOS} usable photos: {few} of {len(counts)} photographers.")
    known = frozenset(names)
    return np.array([row for row in seen if photos.names[row] in known], np.intp), names, notes


def _prepare(
    photos: PhotoSet,
    names: tuple[str, ...],
    pictures: Pictures,
    options: JointOptions,
    clock: PhaseClock,
    say: Callable[[str], None],
    logs: Path,
) -> tuple[JointData, Autoencoder, list[str]]:
    """Features of all pictures, the autoencoder, and notes; the autoencoder, too, is not trained on held-out photos."""
    read, number = open_reader(), {name: row for row, name in enumerate(names)}
    owners = np.array([number[name] for name in photos.names if name is not None], np.int64)
    together, notes = groups(photos), []
    rng = np.random.default_rng(options.seed)
    held = held_out(owners, together, options.held_out, rng)
    if not held.any():
        notes.append(
            "Everybody's photos are of one session, or alike: some were measured on although others like them were "
            "learnt from, so the errors are too good."
        )
        together = np.arange(len(owners), dtype=np.int64)
        held = held_out(owners, together, options.held_out, rng)
    say("Looking at tone and style of the pictures")
    with clock.phase("statistics", 1) as budget:
        features, statistics = extract(pictures, budget, say)
    with TensorBoardLog(logs) as log, clock.phase("autoencoder", _AUTOENCODER_SHARE) as budget:
        rows = np.flatnonzero(~held)
        autoencoder = train_autoencoder(
            pictures, rows, options.autoencoder_epochs, options.seed, budget, say, log.value
        )
    with clock.phase("codes", 1) as budget:
        codes = codes_of(autoencoder, pictures, budget)
    return JointData(codes, features, statistics, read(statistics), owners, together, held), autoencoder, notes


def _caveats(data: JointData, learnt: LearntVectors, clock: PhaseClock, spread: float) -> list[str]:
    notes = []
    short = [phase.name for phase in clock.phases if phase.cut_short]
    if short:
        notes.append(f"The time was up before everything had been learnt to its end: {', '.join(short)}.")
    if spread > SPREAD:
        notes.append(
            f"Image codes lie near a line: {spread:.0%} of their variance is in one component. More photos, or more "
            "time, spread them."
        )
    unmeasured = data.people - len(np.unique(data.owners[data.held]))
    if unmeasured:
        notes.append(
            f"The errors say nothing of {unmeasured} of {data.people} photographers: their photos are of one session."
        )
    if data.held.sum() < _FEW:
        notes.append(f"The errors were measured on {int(data.held.sum())} photos, which is few.")
    if learnt.errors.ratio < 1.5:
        notes.append("These photographers hardly differ in how they develop; distances between them mean little.")
    return notes
