"""Page of the classifier's report: every figure with its interval and number of photos."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup

from search.errors import ModelError, NotFoundError
from search.evaluation.statistics import wilson
from search.photographers.answers import Basis
from search.photographers.report import AccuracyRow, CalibrationBin, Confusion, Report, Section, read_report
from web.api.operation import current_node
from web.charts import calibration as chart
from web.pages.photographers.shared import active_jobs, blueprint

SHADES = 10
"""Steps of the confusion matrix' shading, ``.h0`` to ``.h10`` of the style sheet."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the confusion matrix; ``shade`` is its share of the row, 0 to :data:`SHADES`."""

    count: int
    shade: int


@blueprint.get("/report")
def report() -> str:
    node = current_node()
    stored, problem = None, ""
    with suppress(NotFoundError):
        stored = node.photographers.report()
    found: Report | None = None
    if stored is not None:
        try:
            found = read_report(stored)
        except ModelError:
            problem = "What was measured was written by another version of Likewise."
    return render_template(
        "photographers/report.html",
        report=found,
        trained=node.photographers.trained,
        problem=problem,
        made=str((stored or {}).get("made", "")),
        # Figures of the recipes stand in a sentence below them.
        figures=[figure for figure in found.figures if figure.section is not Section.RECIPES] if found else [],
        rows=rows(found) if found else [],
        curve=curve(found.reliability) if found else None,
        known_curve=curve(found.known_shoots.reliability) if found and found.known_shoots else None,
        matrix=matrix(found.confusion) if found and found.confusion else [],
        jobs=active_jobs(node),
    )


def rows(report: Report) -> list[tuple[str, str, list[AccuracyRow]]]:
    """Ways of answering by what they have in common: heading, explanation, rows. All were tested on the same folds."""
    return [
        (
            "What the answers live on",
            "The answer by the picture, by one kind of thing at a time, and with what file and camera say. If the "
            "camera alone does as well, camera metadata explains this score, which then says little about style.",
            [
                report.product,
                report.by_style,
                report.by_subject,
                report.kept if report.evidence == Basis.PICTURE else report.stripped,
                report.camera_alone,
            ],
        ),
        ("Baselines", "What the product has to beat, in the same folds.", list(report.simple)),
        (
            "The published method, part by part",
            "The 78 features, the image vector, and both.",
            list(report.ablation),
        ),
    ]


def curve(reliability: tuple[CalibrationBin, ...]) -> Markup:
    """Chart of the bins that have photos."""
    points = [
        chart.CalibrationPoint(one.confidence, one.accuracy, *wilson(one.accuracy, one.n), one.n)
        for one in reliability
        if one.n
    ]
    return chart.calibration(points)


def matrix(confusion: Confusion) -> list[tuple[str, list[Cell]]]:
    """Rows of the matrix by name."""
    found = []
    for name, counts in zip(confusion.names, confusion.counts, strict=True):
        total = sum(counts) or 1
        found.append((name, [Cell(count, math.ceil(SHADES * count / total)) for count in counts]))
    return found
