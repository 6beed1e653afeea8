"""Links to a file are no further files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from search.settings import Settings
from workers.storage.files import FileAccess
from workers.storage.same_file import one_path_a_file


@pytest.fixture
def access(make_settings: Callable[..., Settings]) -> FileAccess:
    return FileAccess(make_settings())


def test_hard_and_symbolic_links_are_one_file(tmp_path: Path, access: FileAccess) -> None:
    (tmp_path / "real").mkdir()
    one, copy = tmp_path / "real" / "one.jpg", tmp_path / "copy.jpg"
    for path in (one, copy):
        path.write_bytes(b"bytes")
    (tmp_path / "a_link.jpg").symlink_to(one)
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    os.link(one, tmp_path / "real" / "two.jpg")
    names = ("a_link.jpg", "copy.jpg", "folder/one.jpg", "real/one.jpg", "real/two.jpg")
    kept = one_path_a_file([str(tmp_path / name) for name in names], access)
    assert [os.path.relpath(path, tmp_path) for path in kept] == ["copy.jpg", "folder/one.jpg"]
    assert one_path_a_file([str(tmp_path / name) for name in ("a_link.jpg", "real/one.jpg")], access) == (str(one),)


def test_what_cannot_be_looked_at_counts_by_itself(tmp_path: Path, access: FileAccess) -> None:
    paths = (str(tmp_path / "gone.jpg"), str(tmp_path / "gone_too.jpg"), "s3://box/a.jpg", "s3://box/b.jpg")
    assert one_path_a_file(paths, access) == paths


def test_file_systems_without_inodes(tmp_path: Path, access: FileAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    for path in paths:
        Path(path).write_bytes(b"x")
    without = os.stat_result((0o100644, 0, 1, 1, 0, 0, 1, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path, **options: without)
    assert one_path_a_file(paths, access) == tuple(paths)
