"""What labelling would change, told before it does, and how it is undone."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.jobs.service import JobService
from ingest.ledger.credits import Credits
from ingest.photographers.desk import Desk
from ingest.photographers.labelling import Label
from search.errors import NotFoundError, UsageError

TABLE = "path,photographer\nAda/1.jpg,Cleo"


@pytest.fixture
def library(desk: Any) -> Any:
    for name in ("Ada/1.jpg", "Ada/2.mp4", "Ada/3.jpg", "Bo/1.jpg", "Bo/2.jpg", "DCIM/100CANON/1.jpg"):
        desk.write(name, f"picture {name}")
    desk.ingest.halt()
    tasks = {"label": Label(desk.store, desk.ledger)}
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0, 0.0))
    desk.run()
    return desk


def label(desk: Any, **options: str) -> Any:
    options["from"] = options.pop("source")
    return desk.ingest.run(desk.ingest.start_task("label", options))


def people(desk: Any) -> dict[str, tuple[str | None, str | None]]:
    return {name: (record.photographer, record.credit) for name, record in desk.records().items()}


def test_a_preview_tells_what_a_job_then_does_and_undoing_it_brings_back_what_was_said(library: Any) -> None:
    desk = Desk(library.store, library.ledger)
    label(library, source="csv", base=str(library.media), table=TABLE)
    label(library, source="folder", path=str(library.media / "Bo"))
    before = people(library)
    shown = desk.preview_labels({"from": "folder"})
    assert people(library) == before
    assert {one.name: (one.photos, one.known) for one in shown.photographers} == {"Ada": (3, False), "Bo": (2, True)}
    assert (shown.changed, shown.same, shown.kept) == (2, 2, 1)
    assert shown.untouched == {"lie in folders that name nobody": 1}
    done = label(library, source="folder")
    after = people(library)
    assert sum(after[name] != before[name] for name in after) == 2
    assert next((one.job, one.source, one.photos) for one in desk.label_edits()) == (done.id, "folder", 5)
    Credits(library.ledger, library.store).by_hand([library.records()["Ada/2.mp4"].id], "Zoe")
    undone = label(library, source="none", undo=done.id)
    assert undone.message.startswith("The credits of 5 are taken back.")
    assert people(library) == before | {"Ada/2.mp4": ("Zoe", "person")}
    assert done.id not in [one.job for one in desk.label_edits()]
    with pytest.raises(NotFoundError, match="no credits to undo"):
        label(library, source="none", undo=done.id)


def test_a_preview_in_a_folder_names_nobody_outside_it(library: Any) -> None:
    desk = Desk(library.store, library.ledger)
    shown = desk.preview_labels({"from": "folder", "path": str(library.media / "Bo")})
    assert [one.name for one in shown.photographers] == ["Bo"]
    assert desk.preview_labels({"from": "exif"}).named == 0
    with pytest.raises(UsageError):
        desk.preview_labels({"from": "kmeans"})
