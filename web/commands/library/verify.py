"""``likewise verify``: read back everything that is stored, name what is damaged, and repair it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from ingest.maintenance.verify.findings import VerifyReport

SHOWN = 20
"""Findings of one fault that are listed; ``--json`` lists more."""


@click.command("verify", short_help="Read back everything that is stored and name what is damaged.")
@click.option("--repair", is_flag=True, help="Embed or write anew what is damaged and still has its file.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Records a second at most.")
@common
def command(call: Call, repair: bool, rate: float | None) -> int:
    """Read every vector, record and preview and compare them with their checksums and with the ledger.

    Nothing is changed without --repair. With it, files of damaged records are decoded and embedded anew, previews with
    them, and what follows from facts and ledger is written anew; what has lost its file is named and stays. Ends with
    status 1 where damage is left.
    """
    from ingest.maintenance.verify.findings import Verification
    from web.client import connect
    from web.commands.job_progress import follow, prepare
    from web.plain import load

    if rate is not None and not math.isfinite(rate):
        raise click.BadParameter("It is a number of records a second.", param_hint="--rate")
    with connect(call.settings()) as client:
        started = client.post("/verifications", {"repair": repair, "rate": rate})
        if repair:
            prepare(client)
        ended = follow(client, started["id"])
        answer = client.get("/verification")
    found: Verification = load(Verification, answer)
    report = found.last
    assert report is not None
    call.answer(answer["last"] | {"job": ended.to_json()}, lambda console: _show(report, console))
    return 1 if report.left else 0


def _show(report: VerifyReport, console: Console) -> None:
    seconds = max((report.ended or report.began) - report.began, 1e-3)
    console.print(report.summary)
    console.print(
        f"{report.read / 2**20:,.1f} MiB in {seconds:,.1f} s, {report.records / seconds:,.0f} records a second."
    )
    for fault, count in report.counts.items():
        left = [finding for finding in report.findings if finding.fault is fault and not finding.repaired]
        if not left:
            continue
        console.print(f"\n{fault.label.capitalize()}: {count:,}. {fault.todo}")
        for finding in left[:SHOWN]:
            where = ", ".join(finding.paths) or finding.collection
            console.print(f"  {finding.id} {where}: {finding.detail}", soft_wrap=True)
        if len(left) > SHOWN:
            console.print(f"  and {len(left) - SHOWN:,} more; --json lists them.")
