"""Sidecars are part of the record: one that is edited, added or removed is a changed record of an unchanged file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from ingest.jobs.service import JobProgress, JobState
from ingest.ledger.tables import files, sidecars_read
from ingest.scan.folders import Bounds, FolderListing, Root, Scan, list_paths
from ingest.scan.sidecars import describe_sidecars, names_of_sidecars
from workers.batch.report import BatchReport, Outcome, Status

Counts = Callable[[JobProgress], dict[str, int]]


def artists(desk: Any) -> dict[str, str | None]:
    return {name: record.artist for name, record in desk.records().items()}


def listed(root: Path) -> dict[str, tuple[str, ...]]:
    scan = Scan([Root(str(root), str(root))], excludes=(), home="/nowhere")
    found = (file for each in scan if isinstance(each, FolderListing) for file in each.files)
    return {os.path.relpath(file[0], root): names_of_sidecars(file[4]) for file in found}


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_sidecars_are_listed_with_what_they_belong_to(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "a.xmp", "b.jpg", "b.jpg.XMP", "c.jpg", "C.xmp", "d.cr2", "d.jpg", "d.xmp", "d.cr2.xmp")
    write(tmp_path, "e.mp4", "e.Xmp", "other/a.jpg", ".f.xmp", "f.jpg", "alone.xmp", "g.jpg", "g.jpg.xmp", "g.xmp")
    (tmp_path / "h.jpg").write_text("h")
    (tmp_path / "h.xmp").mkdir()
    (tmp_path / "i.jpg").write_text("i")
    (tmp_path / "i.xmp").symlink_to("nothing")
    assert listed(tmp_path) == {
        "a.jpg": ("a.xmp",),
        "b.jpg": ("b.jpg.XMP",),
        "c.jpg": (),
        "d.cr2": ("d.cr2.xmp", "d.xmp"),
        "d.jpg": ("d.xmp",),
        "e.mp4": ("e.Xmp",),
        "f.jpg": (),
        "g.jpg": ("g.jpg.xmp", "g.xmp"),
        "h.jpg": (),
        "i.jpg": (),
        "other/a.jpg": (),
    }


def test_named_files_have_their_sidecars(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "a.xmp", "b.jpg", "b.jpg.xmp")
    wanted = [str(tmp_path / "a.jpg"), str(tmp_path / "gone.jpg")]
    (listing,) = list_paths(str(tmp_path), wanted, Bounds([str(tmp_path)]))
    assert isinstance(listing, FolderListing)
    assert [(os.path.basename(file[0]), names_of_sidecars(file[4])) for file in listing.files] == [  # noqa: PTH119
        ("a.jpg", ("a.xmp",))
    ]


def test_the_description_changes_with_name_size_and_time() -> None:
    one = describe_sidecars("a.jpg", {"a.xmp": (10, 1)})
    others = [{"a.xmp": (11, 1)}, {"a.xmp": (10, 2)}, {"a.XMP": (10, 1)}, {"a.xmp": (10, 1), "a.jpg.xmp": (1, 1)}, {}]
    assert len({one, *(describe_sidecars("a.jpg", beside) for beside in others)}) == 6
    assert describe_sidecars("b.jpg", {"a.xmp": (10, 1)}) == ""
    odd = 'new\nline "quoted" é'
    assert names_of_sidecars(describe_sidecars(f"{odd}.jpg", {f"{odd}.xmp": (1, 1)})) == (f"{odd}.xmp",)


def test_an_edited_added_or_removed_sidecar_is_a_changed_record(desk: Any, counts: Counts) -> None:
    for name in ("edited", "added", "removed", "kept"):
        desk.write(f"{name}.jpg", name)
    for name in ("edited", "removed", "kept"):
        desk.write(f"{name}.xmp", f"by {name}")
    progress = desk.run()
    assert progress.total == progress.done == 4, "sidecars are no files of their own"
    assert artists(desk) == {
        "edited.jpg": "by edited",
        "added.jpg": None,
        "removed.jpg": "by removed",
        "kept.jpg": "by kept",
    }
    ids = {name: record.id for name, record in desk.records().items()}
    assert counts(desk.run()) == {"unchanged": 4}
    assert desk.seen == []

    desk.write("edited.xmp", "by somebody else")
    desk.write("added.jpg.XMP", "by the new one")
    (desk.media / "removed.xmp").unlink()
    progress = desk.run()
    assert counts(progress) == {"embedded": 3, "unchanged": 1}
    assert progress.done == progress.total == 4
    assert progress.state is JobState.DONE
    assert sorted(desk.seen) == ["added.jpg", "edited.jpg", "removed.jpg"]
    assert artists(desk) == {
        "edited.jpg": "by somebody else",
        "added.jpg": "by the new one",
        "removed.jpg": None,
        "kept.jpg": "by kept",
    }
    assert {name: record.id for name, record in desk.records().items()} == ids
    assert counts(desk.run()) == {"unchanged": 4}


def test_of_one_content_at_several_paths_the_first_that_has_a_sidecar_counts(desk: Any, counts: Counts) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        desk.write(name, "one picture")
    desk.write("b.xmp", "by b")
    desk.write("c.xmp", "by c")
    assert counts(desk.run()) == {"embedded": 1, "duplicate": 2}
    assert set(artists(desk).values()) == {"by b"}

    desk.write("c.xmp", "by another c")
    assert counts(desk.run()) == {"unchanged": 3}
    assert desk.seen == [], "it does not count"
    (desk.media / "b.xmp").unlink()
    desk.run()
    assert desk.seen == ["c.jpg"]
    assert set(artists(desk).values()) == {"by another c"}
    desk.write("a.xmp", "by a")
    desk.run()
    assert set(artists(desk).values()) == {"by a"}
    assert len(desk.records()["a.jpg"].paths) == 3
    (desk.media / "a.jpg").unlink()
    desk.run()
    assert artists(desk) == {"b.jpg": "by another c", "c.jpg": "by another c"}
    (desk.media / "c.xmp").unlink()
    desk.run()
    assert set(artists(desk).values()) == {None}
    with desk.ledger.read() as connection:
        assert connection.execute(select(sidecars_read)).all() == []


def test_a_photo_that_moves_with_its_sidecar_is_not_embedded(desk: Any, counts: Counts) -> None:
    desk.write("old/a.jpg", "a")
    desk.write("old/a.xmp", "by a")
    desk.run()
    (desk.media / "old").rename(desk.media / "new")
    assert counts(desk.run()) == {"moved": 1}
    assert desk.seen == []
    assert artists(desk) == {"new/a.jpg": "by a"}


def test_what_an_older_version_took_in_is_read_once(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "a")
    desk.write("a.xmp", "by a")
    desk.fill(3)
    desk.run()
    with desk.ledger.write() as connection:
        connection.execute(update(files).values(ctime_ns=None, sidecars=""))
        connection.execute(delete(sidecars_read))
    assert counts(desk.run()) == {"embedded": 1, "unchanged": 3}
    assert desk.seen == ["a.jpg"]
    assert counts(desk.run()) == {"unchanged": 4}
    assert desk.seen == []


def test_a_killed_job_leaves_it_to_the_next(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "a")
    desk.fill(2)
    desk.run()
    desk.write("a.xmp", "by a")

    def killed(_batch: object) -> None:
        raise KeyboardInterrupt

    desk.runner.before = killed
    job = desk.ingest.start([desk.media])
    with pytest.raises(KeyboardInterrupt):
        desk.ingest.run(job)
    desk.runner.before = None
    done = desk.ingest.run(job)
    assert counts(done) == {"embedded": 1, "unchanged": 2}
    assert artists(desk)["a.jpg"] == "by a"


def test_one_that_cannot_be_read_again_keeps_its_record_and_is_tried_by_the_next(
    desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("a.jpg", "a")
    desk.write("a.xmp", "by a")
    desk.run()
    desk.write("a.xmp", "by another")
    with monkeypatch.context() as patched:

        def refuse(_self: object, batches: Any) -> Any:
            for batch in batches:
                yield BatchReport(
                    batch.id, tuple(Outcome(file.path, Status.FAILED, code="timeout") for file in batch.files)
                )

        patched.setattr(type(desk.runner), "run", refuse)
        progress = desk.run()
    assert counts(progress) == {"unchanged": 1}
    assert "1 file with an edited sidecar could not be read again" in progress.message
    assert artists(desk) == {"a.jpg": "by a"}
    desk.run()
    assert artists(desk) == {"a.jpg": "by another"}


def test_files_that_failed_once_have_their_sidecar_when_they_are_mended(desk: Any, counts: Counts) -> None:
    desk.write("a.jpg", "broken")
    desk.write("a.xmp", "by a")
    assert counts(desk.run()) == {"failed": 1}
    desk.write("a.xmp", "by another")
    assert counts(desk.run()) == {"unchanged": 1}
    assert desk.seen == []
    desk.write("a.jpg", "mended")
    assert counts(desk.run()) == {"embedded": 1}
    assert artists(desk) == {"a.jpg": "by another"}
    assert counts(desk.run()) == {"unchanged": 1}
