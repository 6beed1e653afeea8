"""Summary of a training for its job: a sentence or two."""

from __future__ import annotations

import json
from pathlib import Path

from search.evaluation.statistics import Estimate
from search.photographers.classifier.model_files import REPORT
from search.photographers.model_registry import ModelKind
from search.photographers.space import JointReport, PhotographerSpace


def training_summary(kind: ModelKind, folder: Path, notes: tuple[str, ...]) -> str:
    """Measured worth of a trained model and notes of its training.

    Args:
        folder: of the model.
        notes: what was left out or bounded.

    Raises:
        ModelError: the model cannot be read.
    """
    summary = (
        _classifier_summary(folder)
        if kind is ModelKind.CLASSIFIER
        else space_summary(PhotographerSpace.load(folder).report)
    )
    return " ".join([summary, *notes])


def space_summary(report: JointReport) -> str:
    """Error ratio of a photographer space in a sentence."""
    wrong = report.errors.wrong
    return (
        f"The photographer space holds {report.photographers:,} photographers: on {wrong.n:,} photos it had not learnt "
        f"from, the vector of another photographer makes {report.errors.ratio:.1f} times the error of the right one."
    )


def _classifier_summary(folder: Path) -> str:
    report = folder / REPORT
    if not report.is_file():
        return "The classifier is in use. What it is worth has not been measured."
    measured = json.loads(report.read_text("utf-8"))
    accuracy = Estimate(**measured["product"]["accuracy"])
    return (
        f"The classifier tells {measured['photographers']:,} photographers apart: of photos it had not learnt from it "
        f"names the right one for {percent(accuracy)}. `likewise photographers report` tells more."
    )


def percent(estimate: Estimate) -> str:
    """``62.1 % (95 % interval 58.0 to 66.3, n = 480)``"""
    value, low, high = (100 * share for share in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} % (95 % interval {low:.1f} to {high:.1f}, n = {estimate.n:,})"
