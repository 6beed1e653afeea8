"""Telling the metrics and the log how a batch went."""

from __future__ import annotations

import logging

from search import metrics
from search.logs import at_work
from search.media import Kind
from workers.batch.report import BatchReport, Status

log = logging.getLogger(__name__)


def count_report(kind: Kind, report: BatchReport) -> None:
    """Count a batch that this process has embedded, and log each file that failed in it.

    Args:
        kind: of the batch; an outcome whose kind was never known counts under it.
    """
    for outcome in report.outcomes:
        of = outcome.kind or kind
        metrics.item_ended(of.value, outcome.status.value, outcome.code, outcome.seconds)
        if outcome.status is Status.FAILED:
            with at_work(batch=report.batch, item=outcome.path):
                log.info("%s: %s", outcome.code, outcome.detail)
    for stage, seconds in report.stages.items():
        metrics.stage_took(stage, kind.value, seconds)
    metrics.batch_ended(kind.value, "done")
