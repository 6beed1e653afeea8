from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from search.errors import (
    CorruptMediaError,
    EmptyFileError,
    MediaTooLargeError,
    UnreadableFileError,
    UnsupportedMediaError,
)
from search.media import Kind
from workers.decode.sandbox.options import DecodeOptions


def test_an_empty_file(decode, tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(EmptyFileError, match=r"empty\.jpg"):
        decode(path)


def test_what_is_not_a_file_is_not_opened(decode, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    folder = tmp_path / "folder.jpg"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.jpg"))
        for path in (pipe, folder, tmp_path / "socket.jpg", Path("/dev/zero")):
            with pytest.raises(UnreadableFileError, match="not a regular file"):
                decode(path)


def test_what_is_gone_or_forbidden(decode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableFileError, match="No such file"):
        decode(tmp_path / "gone.jpg")
    with pytest.raises(UnreadableFileError):
        decode(Path("nul\0byte.jpg"))
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    with pytest.raises(UnreadableFileError):
        decode(loop)

    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.jpg"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(UnreadableFileError, match="Permission denied"):
        decode(path)


def test_a_file_over_the_cap_is_not_read(decode, options: DecodeOptions, tmp_path: Path) -> None:
    path = tmp_path / "big.mp4"
    with path.open("wb") as file:
        file.truncate(5 << 20)
    with pytest.raises(MediaTooLargeError, match="5 MiB"):
        decode(path, using=replace(options, max_bytes=4 << 20))


@pytest.mark.parametrize("kind", [None, *Kind])
@pytest.mark.parametrize("name", ["notes.txt", "notes.jpg", "notes.mp4", "notes.mp3", "notes"])
def test_text_is_no_media_whatever_it_is_called(decode, tmp_path: Path, name: str, kind: Kind | None) -> None:
    path = tmp_path / name
    path.write_text("These are notes, and nothing that anybody could look at or listen to.\n" * 50)
    with pytest.raises((UnsupportedMediaError, CorruptMediaError)):
        decode(path, kind)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
    ],
    ids=["hls", "concat"],
)
@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list"])
def test_play_lists_open_nothing(decode, photo, tmp_path: Path, text: str, name: str) -> None:
    target = tmp_path / "target.png"
    photo.save(target)
    (tmp_path / name).write_text(text.format(target=target))
    with pytest.raises(UnsupportedMediaError):
        decode(tmp_path / name)
