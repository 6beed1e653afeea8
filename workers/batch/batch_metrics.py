"""Metrics and log lines of an embedded batch."""

from __future__ import annotations

import logging

from search import metrics
from search.logs import at_work
from search.media import Kind
from workers.batch.report import BatchReport, Status

log = logging.getLogger(__name__)


def count_report(kind: Kind, report: BatchReport) -> None:
    """Count the outcomes of a batch that this process embedded, and log each failed file.

    Args:
        kind: of the batch; used for an outcome without a kind.
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
