"""FFmpeg reads a file that is opened once, several times over and at positions of its own."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import av
import av.error
import pytest

from workers.decode.recording.byte_reader import ByteReader


def test_readers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(100)))
    with (tmp_path / "a").open("rb") as file:
        one, other = (ByteReader(file.fileno(), "a") for _ in range(2))
        assert (one.seek(90, os.SEEK_SET), other.seek(-3, os.SEEK_END), one.seek(5, os.SEEK_CUR)) == (90, 97, 95)
        assert (one.read(3), other.read(10), one.read(1), other.read(1)) == (b"_`a", b"abc", b"b", b"")
        assert (one.tell(), file.tell()) == (99, 0)


def test_a_position_that_cannot_be_is_an_error_code_that_ffmpeg_goes_on_after(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with (tmp_path / "a").open("rb") as file:
        reader = ByteReader(file.fileno(), "a")
        reader.seek(1, os.SEEK_SET)
        for offset, whence in ((-1, os.SEEK_SET), (-4, os.SEEK_END), (2**63 - 1, os.SEEK_CUR), (0, 0x10000)):
            assert reader.seek(offset, whence) == -errno.EINVAL
        assert reader.read(9) == b"bc"


def test_what_cannot_be_read_is_an_error_of_ffmpeg() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(av.error.FFmpegError) as refused:  # a pipe has no positions
        ByteReader(reading, "a").read(1)
    os.close(reading)
    assert refused.value.errno == errno.ESPIPE
