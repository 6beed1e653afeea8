"""Run batches in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from search.media import Kind
from workers.batch.batch_metrics import count_report
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, BatchReport


class LocalRunner:
    """Runs batches one after the other in the calling thread; the next is decoded while one is embedded."""

    def __init__(self, processor: BatchProcessor) -> None:
        self._processor = processor

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """One report a batch, as batches end. At most one batch beyond the current one is asked for in advance.

        Raises:
            StoreError, ModelError: an error of every file; batches without a report are to be run again.
        """
        kinds: dict[str, Kind] = {}

        def noting_kinds() -> Iterator[Batch]:
            for batch in batches:
                kinds[batch.id] = batch.kind
                yield batch

        for report in self._processor.stream(noting_kinds()):
            count_report(kinds.pop(report.batch), report)
            yield report
