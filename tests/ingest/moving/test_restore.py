"""Restoring goes into what is empty, goes on when it was cut off, and proves what it has brought."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, meta
from ingest.maintenance.backup.completeness import MARK, check_complete, unfinished_restore
from search.errors import LedgerError, UsageError
from search.transfer import COPYING, unfinished_copies


def test_only_into_something_empty(desk: Any, moving: ModuleType, make_desk: Callable[..., Any], folder: Path) -> None:
    desk.back_up(folder)
    with pytest.raises(UsageError, match="The ledger is not empty"):
        desk.restore(folder)
    foreign = make_desk("foreign")
    foreign.store.ensure(moving.SCHEMAS[0])
    foreign.store.upsert("images", [foreign._point(moving.Kind.IMAGE, 1, {"visual": np.ones((1, 16), np.float32)})])
    with pytest.raises(UsageError, match="'images' has 1 records"):
        foreign.restore(folder)


def test_a_restore_goes_on_and_only_with_its_own_backup(desk: Any, make_desk: Callable[..., Any], folder: Path) -> None:
    desk.back_up(folder)
    target = make_desk("target")
    work = target.restoring(folder)
    steps = work.restore()
    for _ in range(12):
        next(steps)
    steps.close()
    assert unfinished_restore(target.ledger) == str(folder)
    assert set(unfinished_copies(target.store)) == {"audio", "images", "videos"}
    with pytest.raises(LedgerError, match=r"restore of the backup .* was cut off"):
        check_complete(target.store, target.ledger)
    other = folder.with_name("other")
    desk.back_up(other)
    with pytest.raises(UsageError, match="another backup was cut off"):
        target.restore(other)
    target.restore(folder)
    target.check_equals(desk)


def test_what_a_crash_has_lost_is_written_again(desk: Any, make_desk: Callable[..., Any], folder: Path) -> None:
    desk.back_up(folder)
    target = make_desk("target")
    work = target.restoring(folder)
    list(work.restore())
    ids = [point.id for point in target.store.scroll("images", payload=False)]
    target.store.delete("images", ids[50:60])
    next((target.settings.home / "previews").rglob("*.webp")).unlink()
    target.restore(folder)
    target.check_equals(desk)


def test_previews_go_to_a_bucket_and_back(desk: Any, make_desk: Callable[..., Any], folder: Path, bucket: Any) -> None:
    desk.back_up(folder)
    remote = make_desk("remote", shared=f"{bucket.root}/likewise")
    remote.restore(folder)
    point = next(point for point in desk.store.scroll("images") if point.payload.get("thumbnail"))
    assert point.id.encode() in remote.previews.read(point.payload["thumbnail"])
    assert not (remote.settings.home / "previews").exists()
    again = folder.with_name("again")
    remote.back_up(again)
    back = make_desk("back")
    back.restore(again)
    back.check_equals(desk)


def test_what_is_in_the_way_is_found_out(desk: Any, make_desk: Callable[..., Any], folder: Path) -> None:
    desk.back_up(folder)
    target = make_desk("target")
    work = target.restoring(folder)
    list(work.restore())
    row = {"folder": "/x", "library": 3, "size": 1, "mtime_ns": 1, "state": "failed", "job": 4}
    with target.ledger.write() as connection:
        connection.execute(insert(files).values(path="/x/other", **row))
    with pytest.raises(Exception, match="'files' has 471 rows that are not the backup's 470"):
        list(work.compare())
    assert target.store.metadata("images")[COPYING]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"backup": "b", "from": "/mnt/backup", "parts": 2}', None),
        ('{"layout": 1, "backup": "b", "from": "/mnt/backup", "parts": 2}', None),
        ('{"layout": 2, "backup": "b", "from": "/mnt/backup", "half": true}', "newer Likewise has begun to restore"),
    ],
)
def test_the_mark_of_an_older_version_is_read_and_that_of_a_newer_one_is_refused(
    tmp_path: Path, value: str, said: str | None
) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    with ledger.write() as connection:
        connection.execute(insert(meta).values(key=MARK, value=value))
    if said is None:
        assert unfinished_restore(ledger) == "/mnt/backup"
    else:
        with pytest.raises(LedgerError, match=said):
            unfinished_restore(ledger)
    ledger.close()
