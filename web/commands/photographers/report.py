"""``likewise photographers report`` prints what the classifier in use is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from search.evaluation.statistics import Estimate
    from search.photographers.report import AccuracyRow, Figure, Report
    from web.client import Json

SHOWN = 20
"""So many photographers and mistakes are shown on a terminal; ``--json`` has all."""


@click.command("report", short_help="What the classifier is worth, measured.")
@common
def command(call: Call) -> None:
    """Accuracy, macro F1, top-3, calibration, unknown photographers, ablations and leakage checks of the classifier in
    use, each on photos it had not learnt from, with n and a 95 % interval."""
    from web.client import connect

    with connect(call.settings()) as client:
        answer = client.get("/photographers/report")
        names = {} if call.json else client.get("/photographers/display-names")
    call.answer(answer, lambda console: _show(answer, names, console))


def _show(answer: Json, names: Mapping[str, str], console: Console) -> None:
    from search.photographers.report import read_report

    version, made = answer["version"], answer["made"]
    show(read_report(answer), f"{version}, made {made[:16].replace('T', ' ')} UTC", names, console)


def show(report: Report, model: str, names: Mapping[str, str], console: Console) -> None:
    """The report for a terminal; warnings first, as they say how to read the rest.

    Args:
        model: which one it is about.
        names: photographers to what people read for them, where that differs.
    """
    console.print(f"Classifier {model}.", highlight=False)
    console.print(
        f"Learnt from {report.photos:,} photos of {report.photographers:,} photographers. All figures are from "
        f"{report.folds} folds; photos that belong together, {report.groups:,} groups, are never on both sides. In "
        "brackets: 95 % interval, n.",
        highlight=False,
    )
    for warning in report.warnings:
        console.print(f"Mind: {one_line(warning)}", highlight=False)
    _figures(report, console)
    _ways(report, console)
    _calibration(report, console)
    _people(report, names, console)
    _checks(report, console)


def _figures(report: Report, console: Console) -> None:
    rows = [_line(figure) for figure in report.figures if figure.section != "calibration"]
    show_table(console, "What it is worth", ("", "measured", ""), rows)


def _line(figure: Figure) -> tuple[str, str, str]:
    label = figure.label[:1].lower() + figure.label[1:] if figure.line is None else figure.line
    remark = figure.meaning if figure.remark is None else figure.remark
    return label, estimate(figure, signed=figure.signed), remark


def _ways(report: Report, console: Console) -> None:
    columns = ("", "right", "macro F1")
    own = (report.product, report.by_style, report.by_subject, report.kept, report.stripped, report.camera_alone)
    show_table(console, "What it goes by", columns, map(_way, own))
    against = (*columns, "the model's lead")
    show_table(console, "Baselines, in the same folds", against, map(_recipe, report.simple))
    show_table(console, "The published method, part by part", against, map(_recipe, report.ablation))
    if report.explained is not None:
        console.print(f"The components keep {report.explained:.1%} of the variance of 'visual'.", highlight=False)


def _way(row: AccuracyRow) -> tuple[str, str, str]:
    return row.words, estimate(row.accuracy), estimate(row.macro_f1)


def _recipe(row: AccuracyRow) -> tuple[str, str, str, str]:
    return *_way(row), estimate(row.lead, signed=True)


def _calibration(report: Report, console: Console) -> None:
    for shoots, bins in (
        ("new shoots", report.reliability),
        ("known shoots", report.known_shoots.reliability if report.known_shoots else ()),
    ):
        show_table(
            console,
            f"Calibration, {shoots}: how sure it was, and how often right",
            ("said", "mean", "right", "photos"),
            [
                (f"{one.low:.0%} to {one.high:.0%}", f"{one.confidence:.1%}", f"{one.accuracy:.1%}", f"{one.n:,}")
                for one in bins
                if one.n
            ],
        )
    for figure in report.figures:
        if figure.section == "calibration":
            console.print(f"{figure.label}: {estimate(figure)}", highlight=False)


def _people(report: Report, names: Mapping[str, str], console: Console) -> None:
    show_table(
        console,
        "Photographers",
        ("", "recognised", "right when named", "groups", "by"),
        [
            (names.get(one.photographer, one.photographer), estimate(one.recall), estimate(one.precision),
             f"{one.groups:,}", ", ".join(one.features))
            for one in report.strengths[:SHOWN]
        ],
    )  # fmt: skip
    _more(console, len(report.strengths))
    show_table(
        console,
        "Taken for another",
        ("photographer", "taken for", "photos"),
        [
            (*(names.get(name, name) for name in (one.photographer, one.taken_for)), f"{one.photos:,}")
            for one in report.mistakes[:SHOWN]
        ],
    )
    _more(console, len(report.mistakes))


def _checks(report: Report, console: Console) -> None:
    verdicts = {True: "ok", False: "WARNING", None: ""}
    show_table(
        console,
        "Can the figures be believed?",
        ("", "measured", "at most", ""),
        [
            (verdicts[one.passed], _short(one.value), "" if one.bound is None else _short(one.bound), one.words)
            for one in report.checks
        ],
    )


def _short(value: float) -> str:
    """Shares to three digits, counts in full."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _more(console: Console, n: int) -> None:
    if n > SHOWN:
        console.print(f"and {n - SHOWN:,} more (--json).", highlight=False)


def estimate(value: Estimate | None, *, signed: bool = False) -> str:
    """``62.1% [58.0, 66.3; 480]``; nothing for what was not measured."""
    if value is None:
        return ""
    share, low, high = (f"{100 * part:{'+' if signed else ''}.1f}" for part in (value.value, value.low, value.high))
    return f"{share}% [{low}, {high}; {value.n:,}]"
