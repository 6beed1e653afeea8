"""What is decoded is what was hashed, whatever is put in its place in between."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from search.settings import Settings
from workers.decode.metadata.sidecar import sidecar_facts
from workers.decode.opened import ExpectedFile, open_media
from workers.decode.sandbox.pool import DecodePool
from workers.storage.objects import FileChangedError

MOST = 1 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that was taken in, which somebody else may write into."""
    folder = tmp_path / "taken in"
    folder.mkdir()
    return folder


def picture(path: Path, colour: str, *, size: int = 4096) -> Path:
    """A PNG of exactly ``size`` bytes, changed at a set time."""
    Image.new("RGB", (64, 48), colour).save(path, "PNG")
    path.write_bytes(path.read_bytes().ljust(size, b"\0"))
    os.utime(path, ns=(10**18, 10**18))
    return path


def expected(path: Path, **others: Any) -> ExpectedFile:
    status = path.stat()
    noted = {"ctime_ns": status.st_ctime_ns, "root": str(path.parent)} | others
    return ExpectedFile(hashlib.sha256(path.read_bytes()).hexdigest(), status.st_size, status.st_mtime, **noted)


def test_a_link_put_in_the_place_of_a_file_is_not_decoded(
    make_settings: Callable[..., Settings], root: Path, tmp_path: Path
) -> None:
    """Of the same size and time as the secret it leads to, as whoever may look at that can make a file."""
    own, secret = picture(root / "a.png", "red"), picture(tmp_path / "secret.png", "blue")
    seen = expected(own)
    with DecodePool(make_settings()) as pool:
        assert pool.submit(str(own), None, seen).result().facts.width == 64
        own.unlink()
        own.symlink_to(secret)
        assert own.stat().st_size == seen.size
        assert own.stat().st_mtime == seen.mtime
        assert isinstance(pool.submit(str(own), None, seen).exception(), FileChangedError)


@pytest.mark.parametrize("ctime_ns", [None, 5])
def test_where_times_do_not_tell_the_bytes_are_hashed_again(root: Path, ctime_ns: int | None) -> None:
    own = picture(root / "a.png", "red")
    with open_media(str(own), MOST, expected(own, ctime_ns=ctime_ns)) as media:
        assert os.lseek(media.descriptor, 0, os.SEEK_CUR) == 0
    other = expected(picture(root / "b.png", "blue"), ctime_ns=ctime_ns)
    with pytest.raises(FileChangedError):
        open_media(str(own), MOST, other)


def test_sidecars_are_read_within_the_folder_that_was_taken_in(root: Path, tmp_path: Path) -> None:
    own = picture(root / "a.png", "red")
    (root / "elsewhere").mkdir()
    for path, name in ((tmp_path / "secret.xmp", "Secret"), (root / "elsewhere" / "a.xmp", "Here")):
        path.write_text(
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Model="' + name + '"/>'
            "</rdf:RDF></x:xmpmeta>"
        )
    beside = root / "a.xmp"

    def camera(wanted: ExpectedFile | None) -> str | None:
        with open_media(str(own), MOST, wanted) as media:
            return None if not media.sidecars else str(sidecar_facts(media.sidecars))

    beside.symlink_to(tmp_path / "secret.xmp")
    assert camera(expected(own)) is None
    assert camera(None) is None
    beside.unlink()
    beside.symlink_to(Path("elsewhere", "a.xmp"))
    assert "Here" in str(camera(expected(own)))
