"""Renders are seen through files, as ingest would see them, and those files tell nothing but pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from search.settings import Settings
from search.store.base import Array
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.models import Embedded
from workers.photographers.benchmark.observe import (
    QUALITY,
    LoadedModels,
    Observation,
    ProductPipeline,
    encoded,
    padded_to_one_size,
)


def mean_colour(wholes: NDArray[np.uint8]) -> Array:
    return wholes.mean(axis=(1, 2), dtype=np.float32)


class MeanColours:
    """Models whose every vector is the mean colour of what they are given."""

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        return [Embedded({"visual": mean_colour(item.crops)}) for item in items]


def picture(seed: int, height: int = 100, width: int = 150) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded(file: bytes) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found[..., ::-1]


@pytest.mark.parametrize("larger", [0, 1, 2, 3, 4, 5, 65_525, 65_530, 65_533, 65_540, 200_000])
def test_files_are_brought_to_one_size_without_touching_pixels(larger: int) -> None:
    small = encoded(picture(1, 8, 8))
    large = small + b"\0" * larger
    first, second = padded_to_one_size([small, large])
    assert len(first) == len(second)
    assert np.array_equal(decoded(first), decoded(small))


def test_grain_is_not_told_by_file_size() -> None:
    smooth, rough = np.full((80, 80, 3), 120, np.uint8), picture(2, 80, 80)
    files = padded_to_one_size([encoded(smooth), encoded(rough)])
    assert len(encoded(smooth)) < len(encoded(rough)) < len(files[0]) == len(files[1])


def test_what_is_written_is_the_picture() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)[None, :, None].repeat(64, axis=0).repeat(3, axis=2)
    assert QUALITY < 100
    assert np.abs(decoded(encoded(ramp)).astype(int) - ramp).max() < 8


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[ProductPipeline]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with DecodePool(Settings(home=tmp_path / "home", decode_workers=1)) as pool:
        yield ProductPipeline(
            pool, LoadedModels(MeanColours(), mean_colour, mean_colour, np.negative, ("colours",)), scratch
        )


def test_every_batch_is_seen_in_order_and_leaves_no_file(pipeline: ProductPipeline, tmp_path: Path) -> None:
    grays = [[40, 80], [120, 160], [200, 240]]
    batches = ([np.full((60, 90, 3), gray, np.uint8) for gray in pair] for pair in grays)
    observations = list(pipeline.observe(batches))
    assert [observation.statistics[:, 0].round().tolist() for observation in observations] == grays
    assert observations[1].trained.shape == observations[1].whitened.shape == (2, 0)
    assert np.array_equal(observations[1].style, -observations[1].statistics)
    assert observations[1].visual.shape == observations[1].style.shape == (2, 3)
    assert observations[0].features.shape == (2, 78)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_nothing_to_see(pipeline: ProductPipeline) -> None:
    assert list(pipeline.observe([])) == []


def test_looks_are_stacked_by_photo_and_chosen_by_both_axes() -> None:
    def observation(photo: int) -> Observation:
        return Observation(
            *(np.full((3, 2), photo, np.float32) + np.arange(3, dtype=np.float32)[:, None] for _ in range(7))
        )

    table = Observation.stack([observation(0), observation(10)])
    assert table.visual.shape == (2, 3, 2)
    chosen = table.at([1], [0, 2])
    assert chosen.visual[..., 0].tolist() == [[10, 12]]
