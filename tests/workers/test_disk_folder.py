"""Where samples of long recordings are kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from workers.storage import disk_folder as module
from workers.storage.disk_folder import disk_folder, is_in_memory


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("/tmp", True), ("/tmp/a/b", True), ("/tmp/disk/a", False), ("/tmpfs", False), ("/var/tmp", False), ("/", False)],
)
def test_a_folder_lies_in_what_was_mounted_last_above_it(folder: str, expected: bool) -> None:
    mounted = [("/", "ext4"), ("/tmp", "ext4"), ("/tmp", "tmpfs"), ("/tmp/disk", "xfs")]
    assert is_in_memory(folder, mounted) is expected
    assert not is_in_memory(folder, [])


def test_large_files_go_where_there_is_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, home = tmp_path / "usual", tmp_path / "home"
    usual.mkdir()
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(usual))
    memory: set[str] = set()
    monkeypatch.setattr(module, "is_in_memory", lambda folder, mounted: folder in memory)
    found = []
    for also in ("", str(usual), "/var/tmp", str(home)):
        memory.add(also)
        disk_folder.cache_clear()
        found.append(disk_folder(home))
    disk_folder.cache_clear()
    assert found == [str(usual), "/var/tmp", str(home), str(usual)]
