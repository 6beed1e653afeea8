"""Previews on disk: whole or not there, and never outside their folder."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from search.errors import DiskFullError, NotFoundError, StoreError
from workers.previews import preview_path, save_preview

ID = "0a1b2c3d-0000-5000-8000-000000000001"


def test_a_saved_preview_is_found_by_its_key(tmp_path: Path) -> None:
    key = save_preview(tmp_path, ID, b"first")
    assert key == f"0a/{ID}.webp"
    assert save_preview(tmp_path, ID, b"second") == key
    assert preview_path(tmp_path, key) == tmp_path / "previews" / "0a" / f"{ID}.webp"
    assert preview_path(tmp_path, key).read_bytes() == b"second"
    assert len(list((tmp_path / "previews" / "0a").iterdir())) == 1


@pytest.mark.parametrize(
    "key",
    ["", "../../etc/passwd", f"../{ID}.webp", f"0b/{ID}.webp", f"0a/{ID}.webp/..", f"/0a/{ID}.webp", f"0a/{ID}.webp\n"],
)
def test_other_keys_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(NotFoundError):
        preview_path(tmp_path, key)


@pytest.mark.parametrize(("code", "expected"), [(errno.ENOSPC, DiskFullError), (errno.EACCES, StoreError)])
def test_a_disk_that_refuses_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[StoreError]
) -> None:
    save_preview(tmp_path, ID, b"whole")

    def refuse(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError(code, "refused")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(expected):
        save_preview(tmp_path, ID, b"newer")
    monkeypatch.undo()
    folder = tmp_path / "previews" / "0a"
    assert [file.read_bytes() for file in folder.iterdir()] == [b"whole"]
