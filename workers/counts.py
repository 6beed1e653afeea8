"""Telling ``search.metrics`` how a batch went."""

from __future__ import annotations

from search import metrics
from search.media import Kind
from workers.report import BatchReport


def count_report(kind: Kind, report: BatchReport) -> None:
    """Count a batch that this process has embedded.

    Args:
        kind: of the batch; an outcome whose kind was never known counts under it.
    """
    for outcome in report.outcomes:
        of = outcome.kind or kind
        metrics.item_ended(of.value, outcome.status.value, outcome.code, outcome.seconds)
    for stage, seconds in report.stages.items():
        metrics.stage_took(stage, kind.value, seconds)
    metrics.batch_ended(kind.value, "done")
