"""``likewise photographers report``: what the classifier in use is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.call import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("report", short_help="What the classifier is worth, measured.")
@common
def command(call: Call) -> None:
    """Accuracy, macro F1, top-3, calibration, unknown photographers, ablations and leakage checks of the classifier in
    use, each on photos it had not learnt from, with n and a 95 % interval."""
    from web.client import connect

    with connect(call.settings()) as client:
        report = client.get("/photographers/report")
    call.answer(report, lambda console: _show(report, console))


def _show(report: Json, console: Console) -> None:
    for name, value in report.items():
        console.print(f"{name}: {one_line(str(value))}")
