"""What a training has come to, in a sentence or two at the end of its job."""

from __future__ import annotations

import json
from pathlib import Path

from search.evaluation.statistics import Estimate
from search.photographers.model_registry import ModelKind
from search.photographers.space import JointReport, PhotographerSpace

REPORT = "report.json"
"""In a classifier's folder: what it is worth."""


def training_summary(kind: ModelKind, folder: Path, notes: tuple[str, ...]) -> str:
    """
    Args:
        folder: of the trained model.
        notes: what was left out or bounded.
    """
    said = _classifier(folder) if kind is ModelKind.CLASSIFIER else space_summary(PhotographerSpace.load(folder).report)
    return " ".join([said, *notes])


def space_summary(report: JointReport) -> str:
    """What a photographer space is worth."""
    wrong = report.errors.wrong
    return (
        f"The photographer space holds {report.photographers:,} photographers: on {wrong.n:,} photos it had not learnt "
        f"from, the vector of another photographer makes {report.errors.ratio:.1f} times the error of the right one."
    )


def _classifier(folder: Path) -> str:
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
