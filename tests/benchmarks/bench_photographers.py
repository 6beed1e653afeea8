"""How right the photographers' classifier is on real photographers, next to simple recipes and without metadata.

    .venv/bin/python tests/benchmarks/bench_photographers.py [FOLDER …] [--unseen FOLDER] [--seed N]

By default photographers_fsa_color and photographers_web of ../shared/data, labelled by their manifests. Every photo is
decoded, measured, embedded and stored as in an ingest, read back as the classifier's photos, learnt from, and measured
in folds that keep sessions and near duplicates together; every figure is printed with n and its 95 % interval. Then the
same folds are asked about copies whose tags are gone. With ``--unseen`` the model learnt from the (one) folder also
names the photos of another folder; call it twice, with the folders changed over, to ask both ways.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_ingest import describe, open_home

from search.evaluation.statistics import Estimate, GroupBootstrap
from search.labels import read_labels
from search.media import Kind
from search.photographers.answers import Basis
from search.photographers.classifier.classifier import Classifier
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.file_facts import FILE_FACTS
from search.photographers.photos.dataset import PhotoSet, read_photos
from search.photographers.photos.grouping import groups
from search.settings import Settings
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, Status
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.choice import choose_models
from workers.embedders.models import Models
from workers.photographers.classifier.fitting.ensemble import fit_ensemble
from workers.photographers.classifier.fitting.splits import grouped_folds
from workers.photographers.classifier.measure import FOLDS
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.scores import calibration_error, macro_f1, share, top
from workers.photographers.classifier.train import train
from workers.photographers.classifier.training_set import training_set

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SETS = ("photographers_fsa_color", "photographers_web")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folders", nargs="*", type=Path, help="one folder a photographer, or with a manifest.csv")
    parser.add_argument("--unseen", type=Path, help="photos by the same photographers that are named, not learnt from")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    folders = chosen.folders or [DATA / name for name in SETS]
    if not chosen.folders and not DATA.is_dir():
        print("Not measured: ../shared/data is absent, and no folder was named.")
        return
    if chosen.unseen and len(folders) != 1:
        parser.error("--unseen goes with exactly one folder to learn from")
    for folder in folders:
        print(f"== {folder.name}", flush=True)
        photos = photos_of(folder)
        with tempfile.TemporaryDirectory() as place:
            model = Path(place) / "model"
            train(
                photos,
                ClassifierOptions(seed=chosen.seed),
                model,
                lambda text: print("  " + text),
            )
            show(json.loads((model / "report.json").read_text("utf-8")))
            show_stripped(photos, chosen.seed)
            if chosen.unseen:
                show_unseen(
                    Classifier.load(model, photos.visual_space, photos.style_space, photos.appearance_space),
                    chosen.unseen,
                    chosen.seed,
                )


def photos_of(folder: Path) -> PhotoSet:
    """The labelled photos of a folder, by way of decoders, models and store."""
    labels = read_labels(folder)
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(home=Path(place) / "home", device="cpu")
        models = Models(settings, choose_models(settings, {}))
        store = open_home(settings.home, models)
        try:
            with DecodePool(settings, clips=models.needs_clips) as pool:
                batch = Batch("bench", "bench", Kind.IMAGE, tuple(describe(Path(path)) for path in labels))
                (report,) = LocalRunner(BatchProcessor(settings, store, pool, models)).run(iter([batch]))
            if refused := [one for one in report.outcomes if one.status not in (Status.EMBEDDED, Status.DUPLICATE)]:
                sys.exit(f"Not everything was embedded: {refused[0]}")
            photos = read_photos(store)
        finally:
            store.close()
    return replace(photos, names=tuple(labels[path] for path in photos.paths))


def show(report: Mapping[str, Any]) -> None:
    print(f"{report['photos']} photos, {report['photographers']} photographers, {report['groups']} groups")
    rows = [report["product"], report["by_style"], report["by_subject"], *report["simple"], *report["ablation"]]
    rows += [report["kept"], report["stripped"], report["camera_alone"]]
    for row in rows:
        lead = f"   lead over it {told(row['lead'])}" if row["lead"] else ""
        print(f"{row['words']:60} {told(row['accuracy'])}   macro F1 {row['macro_f1']['value']:.3f}{lead}")
    print(f"{'lead over ' + report['lead_over']:60} {told(report['lead'])}")
    print(f"{'lead with file and camera':60} {told(report['lead_everything'])}")
    if report["known_shoots"]:
        print(f"{'known shoots: right':60} {told(report['known_shoots']['accuracy'])}")
        print(f"{'known shoots: expected calibration error':60} {told(report['known_shoots']['ece'])}")
    print(f"{'sets of names, stated ' + format(report['coverage_stated'], '.0%'):60} {told(report['coverage'])}")
    print(f"{'first three candidates':60} {told(report['top3'])}")
    print(f"{'expected calibration error':60} {told(report['ece'])}")
    if report["open_set"]:
        print(f"{'AUROC against unknown photographers':60} {told(report['open_set']['auroc'])}")
    for check in report["checks"]:
        print(f"  {'!' if check['passed'] is False else '-'} {check['words']}")
    for warning in report["warnings"]:
        print(f"  ! {warning}")


def show_stripped(photos: PhotoSet, seed: int) -> None:
    """Photos without any fact of file, clock and camera are asked about, of models that learnt from whole ones."""
    training = training_set(photos, seed)
    labels, shoots = training.labels, training.shoots
    stripped = training.photos.features.copy()
    stripped[:, FILE_FACTS] = np.nan
    asked = Inputs.of(replace(training.photos, features=stripped))
    wrong, fine = ({basis: np.zeros(len(labels), bool) for basis in Basis} for _ in range(2))
    for fold in grouped_folds(labels, shoots.shoots, FOLDS, seed):
        rows = fold.train
        model = fit_ensemble(
            Inputs.of(training.photos).take(rows),
            labels[rows],
            len(training.names),
            shoots.take(rows),
            seed,
            TrainingProgress(),
        )
        for basis in Basis:
            given = model.probabilities(asked.take(fold.test), basis)
            right = given.argmax(axis=1) == labels[fold.test]
            named = given.max(axis=1) >= model.thresholds(asked.take(fold.test), basis)
            wrong[basis][fold.test] = ~right & named & (given.max(axis=1) >= 0.5)
            fine[basis][fold.test] = right | ~named
    drawn = GroupBootstrap(shoots.shoots, seed)
    for words, hits in (("named wrongly at .5 or more", wrong), ("right or unknown", fine)):
        for basis in Basis:
            print(f"{f'tags gone, {basis}: {words}':60} {told(vars_of(drawn.estimate(share(hits[basis]))))}")


def show_unseen(model: Classifier, folder: Path, seed: int) -> None:
    photos = photos_of(folder)
    known = photos.take(np.array([name in model.names for name in photos.names]))
    truth = np.array([model.names.index(name) for name in known.names if name is not None])
    drawn = GroupBootstrap(groups(known), seed)
    print(f"unseen: {len(known)} photos of {folder.name}")
    for basis in Basis:
        given = model.probabilities(known, basis)
        right, sure = given.argmax(axis=1) == truth, given.max(axis=1)
        print(f"{f'{basis}: right':60} {told(vars_of(drawn.estimate(share(right))))}")
        print(f"{f'{basis}: macro F1':60} {told(vars_of(drawn.estimate(macro_f1(truth, given.argmax(axis=1)))))}")
        print(f"{f'{basis}: first three candidates':60} {told(vars_of(drawn.estimate(share(top(given, truth, 3)))))}")
        print(f"{f'{basis}: calibration error':60} {told(vars_of(drawn.estimate(calibration_error(sure, right))))}")


def vars_of(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def told(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}] n = {figure['n']}"


if __name__ == "__main__":
    main()
