"""Files over a real connection: whole, in part, unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Server


@pytest.fixture
def served(start: Callable[..., Server], library: Any) -> Callable[..., httpx.Response]:
    """Asks for a file of the library with headers."""
    server = start()
    path = f"/media/{library.ids['sound_0.wav']}/file"
    return lambda **headers: server.get(path, **headers)


@pytest.fixture
def content(library: Any) -> bytes:
    return bytes(Path(library.folder, "sound_0.wav").read_bytes())


def test_the_whole(served: Callable[..., httpx.Response], content: bytes) -> None:
    answer = served()
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "end"), [("bytes=100-199", 100, 200), ("bytes=31000-", 31000, None), ("bytes=-5", -5, None)]
)
def test_one_range(
    served: Callable[..., httpx.Response], content: bytes, asked: str, first: int, end: int | None
) -> None:
    answer = served(Range=asked)
    part = content[first:end]
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["Content-Length"] == str(len(part))
    start = first % len(content)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(content)}"


@pytest.mark.parametrize("asked", ["bytes=0-9,20-29", "bytes=9-2", "items=0-5", "nonsense"])
def test_what_is_no_single_range_is_answered_with_the_whole(
    served: Callable[..., httpx.Response], content: bytes, asked: str
) -> None:
    answer = served(Range=asked)
    assert (answer.status_code, answer.content) == (200, content)
    assert "Content-Range" not in answer.headers


def test_a_range_beyond_the_end(served: Callable[..., httpx.Response], content: bytes) -> None:
    answer = served(Range="bytes=99999999-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"


def test_an_unchanged_file(served: Callable[..., httpx.Response], content: bytes) -> None:
    whole = served()
    tag, written = whole.headers["ETag"], whole.headers["Last-Modified"]
    assert served(If_None_Match=tag).status_code == 304
    assert served(If_Modified_Since=written).status_code == 304
    assert served(Range="bytes=0-9", If_Range=tag).content == content[:10]
    assert served(Range="bytes=0-9", If_Range='"another"').content == content
    assert served(Range="bytes=0-9", If_Range=written).status_code == 206


def test_the_head_alone(start: Callable[..., Server], library: Any, content: bytes) -> None:
    url = f"{start().url}/media/{library.ids['sound_0.wav']}/file"
    answer = httpx.head(url, headers={"Authorization": "Bearer own-token"}, trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(content))
