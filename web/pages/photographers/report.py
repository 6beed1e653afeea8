"""What the classifier is worth: every figure with the number of photos it was measured on and its interval."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup
from pydantic import ValidationError

from search.errors import NotFoundError
from search.evaluation.statistics import Estimate, wilson
from search.photographers.report import Bin, Confusion, Report, Row
from web.api.operation import current_node
from web.api.params import adapter
from web.charts import calibration as drawn
from web.pages.photographers.shared import blueprint, underway

SHADES = 10
"""Steps of the confusion matrix' shading, ``.h0`` to ``.h10`` of the style sheet."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in words.

    Attributes:
        help: what it means.
        chance: what is reached without looking, where that means something.
    """

    words: str
    estimate: Estimate
    help: str = ""
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the confusion matrix; ``shade`` is its share of the row, 0 to :data:`SHADES`."""

    count: int
    shade: int


@blueprint.get("/report")
def report() -> str:
    node = current_node()
    told, problem = None, ""
    with suppress(NotFoundError):
        told = node.photographers.report()
    found: Report | None = None
    if told is not None:
        try:
            found = adapter(Report).validate_python(
                {name: told[name] for name in told if name not in {"version", "made"}}
            )
        except ValidationError:
            problem = "What was measured was written by another version of Likewise."
    return render_template(
        "photographers/report.html",
        report=found,
        trained=node.photographers.trained,
        problem=problem,
        made=str((told or {}).get("made", "")),
        figures=figures(found) if found else [],
        rows=rows(found) if found else [],
        curve=curve(found.reliability) if found else None,
        matrix=matrix(found.confusion) if found and found.confusion else [],
        jobs=underway(node),
    )


def figures(report: Report) -> list[Figure]:
    """The figures of the product's own answers."""
    product, stranger = report.product, report.open_set
    found = [
        Figure(
            "Right",
            product.accuracy,
            "The most probable name is the photographer's, whether it was given or not.",
            report.chance,
        ),
        Figure("Among the first three", report.top3, "The photographer is one of the first three names."),
        Figure("Macro F1", product.macro_f1, "Recognised and rightly named, every photographer counting the same."),
    ]
    if product.answered:
        found.append(Figure("Answered", product.answered, "A name was given; the others were called unknown."))
    if product.accuracy_answered:
        found.append(Figure("Right when answered", product.accuracy_answered, "Of the photos that got a name."))
    found.append(
        Figure("Calibration error", report.ece, "How far probabilities are from the share that is right; 0 is best.")
    )
    if stranger:
        found += [
            Figure("Strangers told (AUROC)", stranger.auroc, "A stranger's photo gets a lower probability than one of "
                   "a known photographer; chance is 0.5.", 0.5),
            Figure("Strangers called unknown", stranger.refused, "Photos of photographers that were left out."),
            Figure("Right answers kept", stranger.kept, "Right answers that the threshold lets through."),
        ]  # fmt: skip
    return found


def rows(report: Report) -> list[tuple[str, str, list[Row]]]:
    """Ways of answering by what they have in common: heading, explanation, rows. All were tested on the same folds."""
    return [
        (
            "What the answers live on",
            "The product asked of one kind of thing at a time. If the camera alone does as well, it gives the "
            "photographer away, and the figures say little about style.",
            [report.product, report.by_style, report.by_subject, report.stripped, report.camera_alone],
        ),
        ("Simple recipes", "What the product has to beat, in the same folds.", list(report.simple)),
        (
            "The published recipe, part by part",
            "The 78 features, the image vector, both, and tuned.",
            list(report.ablation),
        ),
    ]


def curve(reliability: tuple[Bin, ...]) -> Markup:
    bins = [
        drawn.Bin(one.confidence, one.accuracy, *wilson(one.accuracy, one.n), one.n) for one in reliability if one.n
    ]
    return drawn.calibration(bins)


def matrix(confusion: Confusion) -> list[tuple[str, list[Cell]]]:
    """Rows of the matrix by name."""
    found = []
    for name, counts in zip(confusion.names, confusion.counts, strict=True):
        total = sum(counts) or 1
        found.append((name, [Cell(count, math.ceil(SHADES * count / total)) for count in counts]))
    return found
