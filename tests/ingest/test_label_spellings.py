"""Folders that photographers are read from, in either spelling of Unicode."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from ingest.jobs.service import JobService
from ingest.photographers.labelling import Label


def test_a_folder_is_found_in_either_spelling_and_words_keep_the_date(desk: Any) -> None:
    stored = unicodedata.normalize("NFD", "Müßig/Été")
    desk.write(f"{stored}/1.jpg", "picture")
    desk.run()
    (record,) = desk.records().values()
    dated = replace(record, taken_at="2021-06-05T10:00:00")
    desk.store.patch_payload("images", {record.id: dated.to_payload()})
    desk.ingest.halt()
    jobs = JobService(
        desk.settings, desk.store, desk.ledger, desk.runner, tasks={"label": Label(desk.store, desk.ledger)}
    )
    composed = f"{desk.media}/{unicodedata.normalize('NFC', stored)}"
    done = jobs.run(jobs.start_task("label", {"from": "folder", "path": composed}))
    jobs.halt()
    assert done.embedded == 1
    (point,) = desk.store.retrieve("images", [record.id])
    assert point.payload["photographer"] == "Été"
    assert {"2021", "june", "été"} <= set(point.payload["words"].split())
    assert desk.records().keys() == {f"{stored}/1.jpg"}
