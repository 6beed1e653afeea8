"""How right the photographers' classifier is on real photographers, next to simple recipes and without metadata.

    .venv/bin/python tests/benchmarks/bench_photographers.py [FOLDER …] [--unseen FOLDER] [--seed N]

By default photographers_fsa_color and photographers_web of ../shared/data, labelled by their manifests. Every photo is
decoded, measured, embedded and stored as in an ingest, read back as the classifier's photos, learnt from, and measured
in folds that keep sessions and near duplicates together; every figure is printed with n and its 95 % interval. With
``--unseen`` the model learnt from the (one) folder also names the photos of another folder.
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
from search.photographers.classifier.classifier import Classifier
from search.photographers.photos.dataset import PhotoSet, read_photos
from search.photographers.photos.grouping import groups
from search.settings import Settings
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, Status
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.choice import choose_models
from workers.embedders.models import Models
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.scores import macro_f1, share, top
from workers.photographers.classifier.train import train

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
        print(f"{row['words']:60} {told(row['accuracy'])}   macro F1 {row['macro_f1']['value']:.3f}")
    print(f"{'lead over the best simple recipe':60} {told(report['lead'])}")
    print(f"{'first three candidates':60} {told(report['top3'])}")
    print(f"{'expected calibration error':60} {told(report['ece'])}")
    if report["open_set"]:
        print(f"{'AUROC against unknown photographers':60} {told(report['open_set']['auroc'])}")
    for check in report["checks"]:
        print(f"  {'!' if check['passed'] is False else '-'} {check['words']}")
    for warning in report["warnings"]:
        print(f"  ! {warning}")


def show_unseen(model: Classifier, folder: Path, seed: int) -> None:
    photos = photos_of(folder)
    known = photos.take(np.array([name in model.names for name in photos.names]))
    given = model.probabilities(known)
    truth = np.array([model.names.index(name) for name in known.names if name is not None])
    drawn = GroupBootstrap(groups(known), seed)
    right = given.argmax(axis=1) == truth
    print(f"unseen: {len(known)} photos of {folder.name}")
    print(f"{'accuracy':60} {told(vars_of(drawn.estimate(share(right))))}")
    print(f"{'macro F1':60} {told(vars_of(drawn.estimate(macro_f1(truth, given.argmax(axis=1)))))}")
    print(f"{'first three candidates':60} {told(vars_of(drawn.estimate(share(top(given, truth, 3)))))}")


def vars_of(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def told(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}] n = {figure['n']}"


if __name__ == "__main__":
    main()
