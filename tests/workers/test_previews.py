"""Previews are written whole or not at all, in a folder or a bucket, and no key leads anywhere else."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search.errors import DiskFullError, NotFoundError, StoreError
from search.settings import Settings
from search.similar.reuse.footprints import Footprints
from workers.storage.previews import Previews
from workers.storage.sealed_webp import complaint_of_webp, is_sealed, picture_alone, seal, with_footprints
from workers.storage.shared_place import UPLOADS, shared_place

ID = "0a1b2c3d-0000-5000-8000-000000000001"
OTHER = "0b1b2c3d-0000-5000-8000-000000000002"
Make = Callable[..., Settings]


def test_a_saved_preview_is_found_by_its_key(make_settings: Make) -> None:
    settings = make_settings()
    previews = Previews(settings)
    keys = previews.save({ID: b"first", OTHER: b"other"})
    assert keys == {ID: f"0a/{ID}.webp", OTHER: f"0b/{OTHER}.webp"}
    assert previews.save({ID: b"second"}) == {ID: keys[ID]}
    assert previews.path(keys[ID]) == settings.home / "previews" / "0a" / f"{ID}.webp"
    assert previews.read(keys[ID]) == b"second"
    assert len(list((settings.home / "previews" / "0a").iterdir())) == 1
    previews.delete(keys[ID])
    previews.delete(keys[ID])
    assert not previews.exists(keys[ID])
    assert previews.exists(keys[OTHER])
    with pytest.raises(NotFoundError):
        previews.read(keys[ID])


def test_another_folder_may_be_shared(make_settings: Make, tmp_path: Path) -> None:
    settings = make_settings(shared=str(tmp_path / "mounted"))
    (key,) = Previews(settings).save({ID: b"webp"}).values()
    assert (tmp_path / "mounted" / "previews" / key).read_bytes() == b"webp"
    assert not (settings.home / "previews").exists()


def test_a_bucket_may_be_shared(make_settings: Make, bucket: Any) -> None:
    previews = Previews(make_settings(shared=f"{bucket.root}/likewise"))
    key, other = previews.save({ID: b"first", OTHER: b"other"}).values()
    assert previews.save({ID: b"second"})[ID] == key
    assert bucket.get(f"likewise/previews/{key}") == b"second"
    assert previews.read(key) == b"second"
    assert previews.path(key) is None
    previews.delete(key)
    previews.delete(key)
    assert not previews.exists(key)
    assert previews.exists(other)
    with pytest.raises(NotFoundError):
        previews.read(key)


def test_a_bucket_that_is_not_there_is_an_error_of_the_store(make_settings: Make, bucket: Any) -> None:
    with pytest.raises(StoreError, match="no bucket 'nowhere'") as refused:
        Previews(make_settings(shared="s3://nowhere/likewise")).save({ID: b"webp"})
    assert not refused.value.retryable


def test_a_bucket_that_cannot_be_reached_is_tried_again_by_the_job(
    make_settings: Make, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="gives no answer") as refused:
        Previews(make_settings(shared=bucket.root, decode_timeout=0.2)).save({ID: b"webp"})
    assert refused.value.retryable


@pytest.mark.parametrize(
    "key",
    ["", "../../etc/passwd", f"../{ID}.webp", f"0b/{ID}.webp", f"0a/{ID}.webp/..", f"/0a/{ID}.webp", f"0a/{ID}.webp\n"],
)
def test_other_keys_are_refused(make_settings: Make, key: str) -> None:
    previews = Previews(make_settings())
    for ask in (previews.path, previews.read, previews.exists, previews.delete):
        with pytest.raises(NotFoundError):
            ask(key)


def test_a_preview_carries_a_checksum_that_tells_every_damage(make_settings: Make) -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "WEBP")
    webp, previews = buffer.getvalue(), Previews(make_settings())
    (key,) = previews.save({ID: webp}).values()
    sealed = previews.read(key)
    assert is_sealed(sealed)
    assert not is_sealed(webp)
    assert complaint_of_webp(ID, sealed) == complaint_of_webp(ID, webp) == ""
    with Image.open(io.BytesIO(sealed)) as shown, Image.open(io.BytesIO(webp)) as made:
        assert shown.tobytes() == made.tobytes()
    for at in range(len(sealed) - 24):
        assert complaint_of_webp(ID, sealed[:at] + bytes([sealed[at] ^ 4]) + sealed[at + 1 :]), at
    assert complaint_of_webp(OTHER, sealed) == "is not what was written"
    assert "should have" in complaint_of_webp(ID, sealed[:-1])

    damaged = sealed[:100] + bytes([sealed[100] ^ 4]) + sealed[101:]
    assert seal(ID, sealed) == sealed
    for content in (webp, damaged, b"none"):
        previews.save({ID: content}, sealed=False)
        assert previews.read(key) == content
    previews.save({ID: damaged})
    assert previews.read(key) == damaged, "damage is not sealed"


@pytest.mark.parametrize(("code", "expected"), [(errno.ENOSPC, DiskFullError), (errno.EACCES, StoreError)])
def test_a_disk_that_refuses_leaves_nothing_half_written(
    make_settings: Make, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[StoreError]
) -> None:
    settings = make_settings()
    previews = Previews(settings)
    previews.save({ID: b"whole"})

    def refuse(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError(code, "refused")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(expected):
        previews.save({ID: b"newer"})
    monkeypatch.undo()
    folder = settings.home / "previews" / "0a"
    assert [file.read_bytes() for file in folder.iterdir()] == [b"whole"]


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_uploads_that_a_killed_process_left_are_deleted_by_their_age(
    make_settings: Make, request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    bucket = request.getfixturevalue("bucket") if kind == "bucket" else None
    settings = make_settings(shared=f"{bucket.root}/likewise") if bucket else make_settings()
    place, upload = shared_place(settings), tmp_path / "a.jpg"
    upload.write_bytes(b"an upload")
    place.add(upload, f"{UPLOADS}/a.jpg")
    place.save({"previews/aa/b.webp": b"a preview"})
    assert place.delete_older(UPLOADS, 3600) == 0
    assert place.names(UPLOADS) == ["a.jpg"]
    assert place.delete_older(UPLOADS, -3600) == 1
    assert (place.names(UPLOADS), place.names("previews")) == ([], ["aa/b.webp"])
    assert place.delete_older("nowhere", -3600) == 0


def test_fingerprints_over_time_lie_in_the_file_of_the_preview_under_its_checksum(make_settings: Make) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(drawn, "WEBP")
    picture = drawn.getvalue()
    prints = Footprints(np.arange(96, dtype=np.uint8).reshape(3, 32), np.array([[7], [1]], np.uint32))
    previews = Previews(make_settings())
    (key,) = previews.save({ID: with_footprints(picture, prints.to_bytes())}).values()
    stored = previews.read(key)
    assert complaint_of_webp(ID, stored) == ""
    assert is_sealed(stored)
    assert Image.open(io.BytesIO(stored)).size == (40, 30)
    assert picture_alone(stored) == picture_alone(picture) == picture
    read = previews.footprints(ID)
    assert read is not None
    assert read.to_bytes() == prints.to_bytes()
    assert previews.footprints(OTHER) is None
    damaged = bytearray(stored)
    damaged[len(picture) + 30] ^= 1
    previews.save({ID: bytes(damaged)}, sealed=False)
    assert previews.footprints(ID) is None
    previews.save({ID: with_footprints(picture, b"odd")})
    assert previews.footprints(ID) is None
