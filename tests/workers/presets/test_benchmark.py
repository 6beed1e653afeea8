"""The whole benchmark on a small folder: real files and decoders, models that know no more than colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from search.errors import UsageError
from search.settings import Settings, load_settings
from search.store.base import Array
from web.plain import dump, load
from workers.decode.decoded import Decoded
from workers.embedders.models import Embedded
from workers.embedders.style.statistics import DIMENSIONS
from workers.photographers.benchmark import benchmark, heads, product_models, trial
from workers.photographers.benchmark import photos as photos_module
from workers.photographers.benchmark.benchmark import measure
from workers.photographers.benchmark.observe import LoadedModels
from workers.photographers.benchmark.options import PresetOptions
from workers.photographers.benchmark.photos import Split
from workers.photographers.benchmark.results import BenchmarkCheck, PresetBenchmark, check, unmeasured
from workers.photographers.benchmark.rows import METADATA, REPRESENTATIONS

SMALL = PresetOptions(photos=30, presets=6, seeds=2, practice=22)
QUICK = PresetOptions(photos=18, presets=6, seeds=1, practice=20)
"""Of fewer photos than a figure needs, for tests that ask something else."""


def tones(wholes: NDArray[np.uint8]) -> Array:
    """Percentiles of each channel, 224 numbers."""
    rows = wholes[:, ::4, ::4].reshape(len(wholes), -1, 3)
    found = np.percentile(rows, np.linspace(0, 100, 75), axis=1).transpose(1, 0, 2).reshape(len(wholes), -1)
    return found[:, :224].astype(np.float32)


def padded(wholes: NDArray[np.uint8]) -> Array:
    """As many numbers as the style network reads."""
    return np.resize(tones(wholes).T, (DIMENSIONS, len(wholes))).T.copy()


class Colours:
    """The image model sees the mean colour of four by four places, the style model tones."""

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        return [Embedded({"visual": self.places(item.crops)}) for item in items]

    @staticmethod
    def places(crops: NDArray[np.uint8]) -> Array:
        return crops.reshape(len(crops), 4, 56, 4, 56, 3).mean((2, 4)).reshape(len(crops), -1).astype(np.float32)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve subjects of four photos: blobs of a subject's own hues."""
    rng = np.random.default_rng(11)
    for subject in range(12):
        folder = tmp_path / "photos" / f"subject {subject}"
        folder.mkdir(parents=True)
        hues = rng.integers(30, 226, (4, 3))
        for number in range(4):
            coarse = hues[rng.integers(0, 4, (7, 9))] + rng.integers(-25, 26, (7, 9, 3))
            picture = cv2.resize(coarse.astype(np.uint8), (240, 180), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    return tmp_path / "photos"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"home": str(tmp_path / "home"), "decode_workers": 2, "threads": 1})


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that need no weights; the joint model has tests of its own."""
    monkeypatch.setattr(
        product_models,
        "open_models",
        lambda settings: LoadedModels(Colours(), tones, padded, np.negative, ("colours",)),
    )
    vectors = unmeasured("vectors", "photographers' vectors", "left out")
    monkeypatch.setattr(benchmark, "vector_checks", lambda *refused: [vectors])
    monkeypatch.setattr(heads, "TREES", 40)
    monkeypatch.setattr(photos_module, "LEAST_GALLERY", QUICK.gallery)
    monkeypatch.setattr(trial, "EACH", 3)


def by_name(found: Sequence[BenchmarkCheck]) -> dict[str, BenchmarkCheck]:
    return {one.name: one for one in found}


@pytest.mark.usefixtures("light")
def test_every_row_and_control_is_measured(photos: Path, settings: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    found = measure(photos, SMALL, settings, said.append)
    assert (found.photos, found.subjects, found.presets, found.seeds) == (48, 12, 6, 2)
    assert (found.gallery, found.question, found.chance) == (20, 10, 1 / 6)
    (level,) = found.levels
    assert (level.name, level.jitter) == ("medium", 0.25)
    assert [row.name for row in level.rows] == [representation.name for representation in REPRESENTATIONS]
    for row in level.rows:
        assert row.one.low <= row.one.value <= row.one.high
        assert (row.one.n, row.ten.n) == (2 * 10 * 6, 2 * 1 * 6)
    rows = {row.name: row for row in level.rows}
    assert rows["features"].one.value > 2 * found.chance, "presets are there to be seen"
    assert rows["style_trained"].one.value > 2 * found.chance
    checks = by_name(level.checks)
    for name in ("split", "shuffled", "identity", "metadata", "twins"):
        assert checks[name].passed, checks[name]
    assert {"content_pooled", "content_style_trained", "open_one", "open_ten", "vectors"} <= set(checks)
    assert any("seed 2 of 2" in line for line in said)
    assert not list(Path(photos).glob("**/*.npz"))
    assert load(PresetBenchmark, dump(found)) == found


@pytest.mark.usefixtures("light")
def test_the_same_folder_gives_the_same_figures(photos: Path, settings: Settings) -> None:
    small = replace(QUICK, jitter=("low",))
    first, again = (measure(photos, small, settings, lambda line: None).levels for _ in range(2))
    assert first == again


@pytest.mark.usefixtures("light")
def test_a_split_that_shares_subjects_fails_its_control(
    photos: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = benchmark.split

    def leaking(*refused: object) -> Split:
        found = honest(*refused)  # type: ignore[arg-type]
        return Split(found.gallery, (*found.question[:-1], found.gallery[0]), found.practice)

    monkeypatch.setattr(benchmark, "split", leaking)
    checks = by_name(measure(photos, QUICK, settings, lambda line: None).levels[0].checks)
    assert checks["split"].passed is False
    assert checks["split"].value is not None
    assert checks["split"].value.value == 1


@pytest.mark.usefixtures("light")
def test_a_folder_without_classes_says_so(photos: Path, settings: Settings, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, path in enumerate(photos.rglob("*.jpg")):
        path.rename(flat / f"{number}.jpg")
    found = measure(flat, QUICK, settings, lambda line: None)
    assert found.subjects == 0
    assert "no classes" in found.notes[0]
    assert by_name(found.levels[0].checks)["content_style_trained"].passed is None


def test_bounds() -> None:
    value = load(BenchmarkCheck, dump(unmeasured("", "", ""))).value
    assert value is None
    from search.evaluation.statistics import Estimate

    half = Estimate(0.5, 0.4, 0.6, 10)
    assert check("", "", half, low=0.5, high=0.5).passed
    assert not check("", "", half, low=0.51).passed
    assert not check("", "", half, high=0.49).passed


def test_features_that_are_not_of_the_picture_are_twenty() -> None:
    assert len(METADATA) == 20


@pytest.mark.parametrize("wrong", [{"presets": 3}, {"seeds": 0}, {"jitter": ("wild",)}])
def test_options_that_cannot_be_measured_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        PresetOptions(**wrong)  # type: ignore[arg-type]


def test_sets_are_whole() -> None:
    assert (PresetOptions().gallery, PresetOptions().question) == (120, 50)
    assert PresetOptions(photos=47).question == 10
