"""Learning how likely a score means the same label, on labelled folders: long-running work."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ingest.calibrate import CALIBRATE
from ingest.progress import JobProgress
from web.api.operation import Operation
from web.api.ports import Node


@dataclass(frozen=True, slots=True)
class NewCalibration:
    """What to learn from.

    Attributes:
        folders: absolute paths, on the machine Likewise runs on, of folders with one folder a label in each, or with a
            manifest.csv of the columns path and label.
    """

    folders: tuple[str, ...]


def calibrate(node: Node, new: NewCalibration) -> JobProgress:
    """Learn likeness from labelled folders and use it for this library from then on, in every space they fill; the
    answer is the job that does it. The files are not stored."""
    return node.ingest.progress(node.start_task(CALIBRATE, {"folders": json.dumps(new.folders)}))


OPERATIONS = (
    Operation(
        "POST",
        "/calibrations",
        calibrate,
        JobProgress,
        takes=(NewCalibration,),
        status=202,
        errors=(400, 404, 409, 503),
    ),
)
