"""Hundreds of odd, broken and hostile files through the pool, against what a reference decoder says of each."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from search.errors import MediaError
from search.media import Kind
from search.photographers.photos.features import PICTURE_ONLY
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.sandbox.pool import DecodePool

KNOWN_BROKEN = {"corrupt", "unsupported", "empty"}
WHOLE_ALL_THE_SAME = {"broken_truncated/png_decompression_dos.png"}
"""What the reference refuses for a text in it; its pixels are sound."""


@cache
def outcomes(folder: Path) -> list[tuple[dict[str, str], Decoded | str]]:
    """What became of each file that the folder's manifest lists, decoded once for all tests."""
    rows = list(csv.DictReader((folder / "manifest.csv").open()))
    with DecodePool(Settings(decode_workers=2, decode_timeout=30, decode_memory_mb=1024)) as pool:
        futures = [pool.submit(str(folder / row["path"])) for row in rows]
        return [
            (row, error.code if isinstance(error := future.exception(), MediaError) else future.result())
            for row, future in zip(rows, futures, strict=True)
        ]


@pytest.fixture(scope="module", autouse=True)
def _outcomes_are_let_go() -> Iterator[None]:
    yield
    outcomes.cache_clear()


@pytest.mark.parametrize("name", ["nasty_images", "nasty_av"])
def test_what_the_reference_reads_is_decoded_and_the_rest_fails_with_its_code(shared_data: Path, name: str) -> None:
    wrong = []
    for row, outcome in outcomes(shared_data / name):
        reference = row["reference_result"]
        if reference == "ok":
            fine = isinstance(outcome, Decoded)
        elif reference == "DecompressionBombError":
            fine = outcome == "too_large"
        else:
            # The reference gives up at the first fault; what is mostly there is read, and said to be damaged.
            whole = row["path"] in WHOLE_ALL_THE_SAME
            decoded = isinstance(outcome, Decoded)
            fine = (outcome.facts.damaged is not None or whole) if decoded else outcome in KNOWN_BROKEN
        if not fine:
            wrong.append((row["path"], reference, outcome if isinstance(outcome, str) else "decoded"))
    assert wrong == []


def test_whatever_picture_it_is_has_its_features(shared_data: Path) -> None:
    """That each lies within its range, the pool itself checks."""
    pictures = [(row, got) for row, got in outcomes(shared_data / "nasty_images") if isinstance(got, Decoded)]
    assert len(pictures) > 100
    for row, picture in pictures:
        assert [picture.features[at] for at in PICTURE_ONLY if picture.features[at] is None] == [], row["path"]
        assert picture.features[:2] == (picture.facts.width, picture.facts.height)
        assert picture.whole.shape == picture.crops.shape == (1, 224, 224, 3)


def test_everything_decoded_is_whole(shared_data: Path) -> None:
    for row, outcome in outcomes(shared_data / "nasty_av"):
        if not isinstance(outcome, Decoded) or row["reference_result"] != "ok":
            continue
        streams = row["reference_info"].split("frames=")[0]
        if "video:" not in streams or "video:png" in streams:
            assert outcome.kind is Kind.AUDIO, row["path"]
        assert outcome.preview
        assert (outcome.sound is not None) or outcome.kind is Kind.VIDEO
        assert len(outcome.crops) == len(outcome.moments)
