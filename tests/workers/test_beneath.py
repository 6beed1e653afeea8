"""Opening below a folder, with the kernel's help and without."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from workers.storage import beneath


@pytest.fixture(params=["openat2", "comparing"], autouse=True)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that has ``openat2``, if this one does, and one that does not."""
    if request.param == "comparing":

        def missing(real: str) -> int:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(beneath, "_openat2", missing)


def read(folder: Path, path: Path) -> bytes:
    with os.fdopen(beneath.open_beneath(str(folder), str(path)), "rb") as file:
        return file.read()


def test_what_lies_below_is_opened_also_by_links_inside(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a").write_bytes(b"a")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "in" / "deep")
    assert read(tmp_path / "in", tmp_path / "in" / "link" / "a") == b"a"
    assert read(tmp_path / "in" / "deep" / "a", tmp_path / "in" / "deep" / "a") == b"a", "a single file as the root"


def test_what_leads_out_is_not(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_bytes(b"private")
    (tmp_path / "in" / "link").symlink_to("../out")
    for path in ("link", "../out"):
        with pytest.raises(OSError, match="leads out") as refused:
            read(tmp_path / "in", tmp_path / "in" / path)
        assert refused.value.errno == errno.EXDEV


@pytest.mark.parametrize("name", ["folder", "pipe"])
def test_only_regular_files_are(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        read(tmp_path, tmp_path / name)


def test_a_link_that_is_made_between_the_check_and_the_opening_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"a")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a").write_bytes(b"private")
    checked = os.path.realpath

    def swap(path: str, *, strict: bool = False) -> str:
        real = checked(path, strict=strict)
        if not (tmp_path / "in").is_symlink():
            (tmp_path / "in").rename(tmp_path / "before")
            (tmp_path / "in").symlink_to("private")
        return real

    monkeypatch.setattr(os.path, "realpath", swap)
    with pytest.raises(OSError, match=r"symbolic link|replaced"):
        read(tmp_path / "in", tmp_path / "in" / "a")
