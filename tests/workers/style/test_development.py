"""Reading how photos are developed: right about people nobody learnt from, and blind to what they show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from search.errors import ModelError
from search.photographers.develop.settings import PARAMETERS, Preset
from workers.decode.image.geometry import squeeze
from workers.embedders.style import development
from workers.embedders.style.development import DevelopmentReader, learn, shipped_reader
from workers.embedders.style.network import shipped_encoder
from workers.embedders.style.statistics import DIMENSIONS, Statistics
from workers.embedders.style.training import StyleTrainingSet, train
from workers.photographers.develop.render import apply

SETTINGS = len(PARAMETERS)


def planted(people: int, each: int, seed: int) -> StyleTrainingSet:
    """Statistics to which settings add, mixed, and subjects far more, by photographers with ``each`` photos."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(9).normal(size=(SETTINGS, DIMENSIONS))
    subjects = np.random.default_rng(8).normal(size=(15, DIMENSIONS))
    settings = rng.normal(size=(people, SETTINGS))
    who = np.repeat(np.arange(people), each)
    statistics = settings[who] @ mix + 4 * subjects[rng.integers(0, 15, len(who))]
    statistics += rng.normal(size=statistics.shape)
    return StyleTrainingSet(statistics.astype(np.float32), settings[who].astype(np.float32), who)


@pytest.fixture(scope="module")
def reader() -> DevelopmentReader:
    practice = planted(150, 12, 0)
    return learn(train(practice), practice)


def test_means_of_people_nobody_learnt_from_are_read(reader: DevelopmentReader) -> None:
    asked = planted(40, 12, 1)
    read = reader(asked.statistics).reshape(40, 12, SETTINGS).mean(axis=1)
    truth = asked.parameters.reshape(40, 12, SETTINGS)[:, 0]
    correlations = [np.corrcoef(*pair)[0, 1] for pair in zip(read.T, truth.T, strict=True)]
    assert min(correlations) > 0.8


def test_a_photographer_with_many_photos_counts_no_more_than_another() -> None:
    practice = planted(30, 6, 2)
    encoder = train(practice)
    again = np.concatenate([np.arange(len(practice.statistics)), *[np.arange(6)] * 5])
    more = StyleTrainingSet(practice.statistics[again], practice.parameters[again], practice.photographers[again])
    np.testing.assert_allclose(learn(encoder, more).weights, learn(encoder, practice).weights, atol=1e-5)


def test_it_is_the_same_after_it_was_written_down(reader: DevelopmentReader, tmp_path: Path) -> None:
    reader.save(tmp_path / "one.npz")
    with np.load(tmp_path / "one.npz", allow_pickle=False) as held:
        arrays = dict(held)
    statistics = planted(2, 3, 3).statistics
    np.testing.assert_array_equal(DevelopmentReader.of(reader.encoder, arrays)(statistics), reader(statistics))
    with pytest.raises(ModelError, match="no weights of a reader"):
        DevelopmentReader.of(reader.encoder, arrays | {"weights": reader.weights[1:]})
    with pytest.raises(ModelError, match="learnt with another style encoder"):
        DevelopmentReader.of(shipped_encoder(), arrays)


@pytest.mark.parametrize("left", [b"", b"PK\x03\x04 cut off"])
def test_a_file_that_is_not_whole_is_told(left: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / development.WEIGHTS).write_bytes(left)
    monkeypatch.setattr(development, "files", lambda package: tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        shipped_reader()


def blurred(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Soft blotches, light and dark, of little colour."""
    tones = rng.integers(20, 230, (9, 12, 1)) + rng.integers(-20, 20, (9, 12, 3))
    small = Image.fromarray(tones.clip(0, 255).astype(np.uint8))
    return np.asarray(small.resize((320, 240), Image.Resampling.BICUBIC))


@pytest.mark.models
@pytest.mark.parametrize("setting", ["exposure", "fade", "saturation", "shadow_warmth", "vignette", "grain"])
def test_what_was_done_to_photos_is_what_is_read(setting: str) -> None:
    """On pictures unlike any of training, the setting that was turned moves most, and the right way."""
    turned = {"saturation": (0.6, 1.4), "fade": (0.0, 0.1), "vignette": (0.0, 1.0), "grain": (0.0, 8.0)}
    low, high = turned.get(setting, (-0.5, 0.5) if setting == "exposure" else (-0.05, 0.05))
    rng = np.random.default_rng(5)
    photos = [blurred(rng) for _ in range(6)]
    statistics = Statistics().eval()
    reader = shipped_reader()

    def read(value: float) -> NDArray[np.float32]:
        preset = replace(Preset(), **{setting: value})
        wholes = np.stack([squeeze(Image.fromarray(apply(photo, preset, rng))) for photo in photos])
        with torch.inference_mode():
            means: NDArray[np.float32] = reader(statistics(torch.from_numpy(wholes)).numpy()).mean(axis=0)
        return means

    moved = read(high) - read(low)
    assert PARAMETERS[int(np.abs(moved).argmax())] == setting
    assert moved[PARAMETERS.index(setting)] > 0.5
