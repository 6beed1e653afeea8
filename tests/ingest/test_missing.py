"""Files that go: hidden at once, deleted late, and asked about when there are too many."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from ingest.jobs.service import JobProgress, JobState
from ingest.ledger.tables import files

Counts = Callable[[JobProgress], dict[str, int]]


def test_missing_files_are_hidden_and_come_back_unread(desk: Any, counts: Counts, tmp_path: Any) -> None:
    desk.fill(20)
    desk.run()
    (desk.media / "00007.jpg").rename(tmp_path / "away.jpg")
    assert counts(desk.run()) == {"unchanged": 19, "missing": 1}
    assert "00007.jpg" not in desk.records()
    assert desk.records(missing=True)["00007.jpg"].missing
    assert counts(desk.run()) == {"unchanged": 19}
    (tmp_path / "away.jpg").rename(desk.media / "00007.jpg")
    assert counts(desk.run()) == {"unchanged": 19, "moved": 1}
    assert desk.seen == []
    assert not desk.records()["00007.jpg"].missing


def test_missing_file_found_elsewhere_later(desk: Any, counts: Counts, tmp_path: Any) -> None:
    desk.fill(20)
    desk.run()
    (desk.media / "00007.jpg").rename(tmp_path / "away.jpg")
    desk.run()
    (tmp_path / "away.jpg").rename(desk.media / "back.jpg")
    assert counts(desk.run()) == {"unchanged": 19, "moved": 1}
    assert desk.records(missing=True)["back.jpg"].paths == (str(desk.media / "back.jpg"),)
    assert counts(desk.run()) == {"unchanged": 20}


def test_copy_that_goes_leaves_the_record_visible(desk: Any, counts: Counts) -> None:
    for name in ("a.jpg", "b.jpg"):
        desk.write(name, "same")
    desk.run()
    (desk.media / "a.jpg").unlink()
    assert counts(desk.run()) == {"unchanged": 1, "missing": 1}
    assert desk.records(missing=True)["b.jpg"].paths == (str(desk.media / "b.jpg"),)


def test_deleted_after_the_grace_period(desk: Any) -> None:
    desk.fill(20)
    desk.run()
    gone = desk.records()["00007.jpg"]
    preview = desk.settings.home / "previews" / gone.id[:2] / f"{gone.id}.webp"
    preview.parent.mkdir(parents=True)
    preview.write_bytes(b"webp")
    desk.store.patch_payload("images", {gone.id: {"thumbnail": f"{gone.id[:2]}/{gone.id}.webp"}})
    (desk.media / "00007.jpg").unlink()
    desk.run()
    day = 86400
    for days, left in ((29, 20), (31, 19)):
        with desk.ledger.write() as connection:
            since = connection.execute(select(files.c.missing_since).where(files.c.state == "missing")).scalar_one()
            earlier = since - days * day if days == 29 else since - 2 * day
            connection.execute(update(files).where(files.c.state == "missing").values(missing_since=earlier))
        desk.run()
        assert len(desk.records(missing=True)) == left
    assert not preview.exists()
    with desk.ledger.read() as connection:
        assert len(connection.execute(select(files.c.path)).all()) == 19


def test_no_grace_period(make_desk: Any, counts: Counts) -> None:
    desk = make_desk(missing_grace_days=0)
    desk.fill(20)
    desk.run()
    (desk.media / "00007.jpg").unlink()
    assert counts(desk.run()) == {"unchanged": 19, "missing": 1}
    assert len(desk.records(missing=True)) == 19


@pytest.mark.parametrize("how", ["emptied", "unmounted", "mostly gone"])
def test_root_that_suddenly_lost_its_files_is_asked_about(desk: Any, counts: Counts, how: str) -> None:
    desk.fill(30)
    desk.run()
    if how == "unmounted":
        desk.media.rename(desk.media.with_name("elsewhere"))
    for path in list(desk.media.glob("*"))[: 16 if how == "mostly gone" else 30]:
        path.unlink()
    progress = desk.run()
    assert progress.state is JobState.NEEDS_CONFIRMATION
    assert str(desk.media) in progress.message
    assert "--confirm-missing" in progress.message
    assert ("16" if how == "mostly gone" else "30") in progress.message
    assert progress.missing == 0
    assert len(desk.records()) == 30
    confirmed = desk.run(confirm_missing=True)
    assert confirmed.state is JobState.DONE
    assert confirmed.missing == (16 if how == "mostly gone" else 30)
    assert len(desk.records()) == 30 - confirmed.missing


def test_root_that_comes_back_after_the_question_is_as_before(desk: Any, counts: Counts) -> None:
    desk.fill(30)
    desk.run()
    desk.media.rename(desk.media.with_name("elsewhere"))
    assert desk.run().state is JobState.NEEDS_CONFIRMATION
    desk.media.with_name("elsewhere").rename(desk.media)
    assert counts(desk.run()) == {"unchanged": 30}


def test_tidying_up_needs_no_confirmation(desk: Any, counts: Counts) -> None:
    desk.fill(30)
    desk.run()
    for path in list(desk.media.glob("*"))[:15]:
        path.unlink()
    assert counts(desk.run()) == {"unchanged": 15, "missing": 15}


def test_folder_that_is_ignored_from_now_on_leaves(desk: Any, counts: Counts) -> None:
    desk.fill(20)
    desk.fill(3, "private")
    desk.run()
    desk.write(".likewiseignore", "private/\n")
    assert counts(desk.run()) == {"unchanged": 20, "missing": 3}
    assert len(desk.records()) == 20


def test_folder_that_cannot_be_read_is_not_missing(desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(20)
    desk.fill(5, "locked/deep")
    desk.run()
    scandir = os.scandir

    def refuse(folder: str) -> Any:
        if str(folder).endswith("locked"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    with monkeypatch.context() as patch:
        patch.setattr("os.scandir", refuse)
        progress = desk.run()
        assert counts(progress) == {"unchanged": 20, "failed": 1}
        assert progress.state is JobState.DONE_WITH_FAILURES
        [failure] = desk.ingest.failures()
        assert (desk.name(failure.path), failure.code) == ("locked", "unreadable")
        assert "Permission denied" in failure.detail
        desk.run()
        assert desk.ingest.failures()[0].attempts == 2
    assert len(desk.records()) == 25
    assert counts(desk.ingest.run(desk.ingest.retry_failures())) == {"unchanged": 5}
    assert desk.ingest.failures() == []


def test_moving_to_another_root_in_one_job(desk: Any, counts: Counts) -> None:
    desk.fill(20, "one")
    desk.fill(1, "two")
    desk.run(desk.media / "one", desk.media / "two")
    shutil.move(desk.media / "one" / "00003.jpg", desk.media / "two" / "x.jpg")
    assert counts(desk.run(desk.media / "one", desk.media / "two")) == {"unchanged": 20, "moved": 1}
    assert desk.records()["two/x.jpg"].libraries == ("two",)
