from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import numpy as np
from PIL import Image

from search.media import Kind
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool
from workers.photographers.joint.pictures import PictureSubset, write_pictures


def test_previews_become_an_array_in_order_and_lost_ones_stay_black(tmp_path: Path) -> None:
    for name, level in (("a", 40), ("c", 200)):
        Image.new("RGB", (480, 300), (level, 10, 10)).save(tmp_path / f"{name}.webp", lossless=True)
    (tmp_path / "broken.webp").write_bytes(b"RIFF....WEBP nothing")
    files = [tmp_path / "a.webp", None, tmp_path / "c.webp", tmp_path / "broken.webp"]
    said: list[str] = []
    target = tmp_path / "pictures.npy"
    with DecodePool(Settings(home=tmp_path / "home", decode_workers=1)) as pool:
        assert write_pictures(pool, iter(files), 4, target, said.append, lambda: True)
    pictures = np.load(target, mmap_mode="r", allow_pickle=False)
    assert pictures.shape == (4, 224, 224, 3)
    assert [int(picture[100, 100, 0]) for picture in pictures] == [40, 0, 200, 0]
    assert "2 of 4" in said[-1]


def test_gathering_that_is_told_to_stop_begins_nothing_more(tmp_path: Path) -> None:
    class Idle:
        workers = 1
        futures: list[Future[Decoded]]

        def __init__(self) -> None:
            self.futures = []

        def submit(self, path: str, kind: Kind | None = None) -> Future[Decoded]:
            self.futures.append(Future())
            return self.futures[-1]

    pool, answers = Idle(), iter([True, False])
    files = iter([tmp_path / "a.webp", tmp_path / "b.webp"])
    assert not write_pictures(pool, files, 2, tmp_path / "p.npy", print, lambda: next(answers))
    assert len(pool.futures) == 1
    assert pool.futures[0].cancelled()


def test_some_of_the_pictures_are_read_through_their_rows() -> None:
    pictures = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 224, 224, 3), np.uint8)
    some = PictureSubset(pictures, np.array([3, 1]))
    assert len(some) == 2
    assert some[np.array([1, 0])][:, 0, 0, 0].tolist() == [1, 3]
    assert some[slice(0, 1)][:, 0, 0, 0].tolist() == [3]
