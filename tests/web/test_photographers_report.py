"""A classifier's report on a terminal: every figure with its interval and n, and names that obey nobody."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from search.evaluation.statistics import Estimate
from search.photographers.report import (
    AccuracyRow,
    CalibrationBin,
    Mistake,
    OpenSetFigures,
    Report,
    ReportCheck,
    Strength,
)
from web.commands.photographers.report import SHOWN, estimate, show

HOSTILE = "\x1b[31m[bold]<script>\nDrop"


def of(value: float, n: int = 154) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, n)


def row(words: str, value: float) -> AccuracyRow:
    return AccuracyRow(words.replace(" ", "_"), words, of(value), of(value - 0.03))


def make(photographers: int = 1, strangers: bool = True) -> Report:
    known = Strength(HOSTILE, "0" * 16, 30, 12, of(0.7, 30), None, ("darker", "noisier"))
    return Report(
        photos=154,
        photographers=5,
        groups=61,
        folds=5,
        digest="0f1e2d3c4b5a6978",
        product=AccuracyRow("product", "this model", of(0.71), of(0.68), of(0.8), of(0.83, 123)),
        by_style=row("how it is developed", 0.55),
        by_subject=row("what it shows", 0.6),
        kept=row("with the camera", 0.71),
        stripped=row("without the camera", 0.69),
        camera_alone=row("the camera alone", 0.64),
        top3=of(0.93),
        ece=of(0.04),
        reliability=(CalibrationBin(0, 0.1, 0, 0.0, 0.0), CalibrationBin(0.8, 0.9, 114, 0.84, 0.79)),
        chance=0.2,
        open_set=OpenSetFigures(of(0.85), of(0.6), of(0.92)) if strangers else None,
        simple=(row("embedding, linear", 0.59),),
        ablation=(row("78 features only", 0.47), row("58 picture-only features", 0.44)),
        lead=Estimate(0.041, -0.002, 0.08, 154),
        strengths=(known,) * photographers,
        confusion=None,
        mistakes=(Mistake(HOSTILE, "Grace", 6),),
        checks=(
            ReportCheck("shuffled", "With names shuffled it is at chance.", True, 0.21, 0.25),
            ReportCheck("camera", "The camera gives it away.", False, 0.64, 0.3),
            ReportCheck("sessions", "For information.", None, 0.125),
            ReportCheck("duplicates", "Many pairs.", False, 1793.0, 0.0),
        ),
        explained=0.86,
        threshold=0.55,
        warnings=(f"The camera gives {HOSTILE} away.",),
    )


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200, markup=False, emoji=False)
    show(report, "20260131T115900-0f1e2d3c", {}, console)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return written


@pytest.mark.parametrize(
    ("line", "figure"),
    [
        ("right ", "71.0% [66.0, 76.0; 154]"),
        ("among the first three", "93.0% [88.0, 98.0; 154]"),
        ("macro F1", "68.0% [63.0, 73.0; 154]"),
        ("right, of those answered", "83.0% [78.0, 88.0; 123]"),
        ("more than the best baseline", "+4.1% [-0.2, +8.0; 154]"),
        ("strangers told, AUROC", "85.0%"),
        ("how it is developed", "55.0% [50.0, 60.0; 154]"),
        ("without the camera", "69.0%"),
        ("embedding, linear", "59.0%"),
        ("58 picture-only features", "44.0%"),
        ("80% to 90%", "79.0%"),
        ("Calibration error", "4.0% [-1.0, 9.0; 154]"),
        ("The components keep", "86.0%"),
    ],
)
def test_every_figure_is_there_with_interval_and_n(line: str, figure: str) -> None:
    (found,) = [told for told in shown(make()).splitlines() if told.startswith(line)][:1]
    assert figure in found


def test_checks_say_whether_they_hold() -> None:
    told = shown(make()).splitlines()
    verdicts = {words: line for line in told for words in ("at chance.", "gives it away.", "For info") if words in line}
    assert verdicts["at chance."].startswith("ok")
    assert verdicts["gives it away."].startswith("WARNING")
    assert verdicts["For info"].startswith(" ")
    assert any("1,793" in line and "Many pairs." in line for line in told)


def test_names_are_spelt_out_and_not_obeyed() -> None:
    told = shown(make())
    assert "\x1b" not in told
    assert told.count("\\x1b[31m[bold]<script>\\nDrop") == 3, "as a warning, a photographer and a mistake"
    assert told.index("Mind: ") < told.index("What it is worth")


def test_what_was_not_measured_is_left_out() -> None:
    assert "AUROC" not in shown(make(strangers=False))
    assert "0% to 10%" not in shown(make()), "nothing was said with that probability"
    assert estimate(None) == ""


def test_of_many_photographers_some_are_shown() -> None:
    assert f"and {500 - SHOWN} more (--json)" in shown(make(photographers=500))
