"""The ``style`` space: the same in any batch, its own weights, and that development moves it more than content."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from search.errors import ModelError
from search.model_descriptions.registry import STYLE
from search.photographers.develop.settings import Preset
from workers.decode.image.geometry import squeeze
from workers.embedders.networks import Runner
from workers.embedders.style.network import (
    VECTOR,
    WEIGHTS,
    StyleEncoder,
    revision,
    save_encoder,
    shipped_encoder,
    style_network,
)
from workers.embedders.style.statistics import DIMENSIONS, Statistics
from workers.embedders.style.tone import NUMBERS, Tone
from workers.photographers.develop.render import apply

Look = Callable[[np.ndarray], np.ndarray]

BRIGHT = Preset(exposure=0.5, temperature=0.3, contrast=-0.3, fade=0.1, saturation=0.6, highlight_warmth=0.05)
DARK = Preset(exposure=-0.5, temperature=-0.3, contrast=0.6, saturation=1.4, vignette=1.0, grain=9.0)


@pytest.fixture(scope="module")
def look() -> Look:
    runner = Runner(style_network(), torch.device("cpu"), 4)
    return lambda pictures: runner(pictures)[0]


@pytest.fixture(scope="module")
def photos(request: pytest.FixtureRequest) -> list[np.ndarray]:
    """One photo of each of 24 subjects."""
    folder: Path = request.getfixturevalue("shared_data") / "images_caltech101"
    subjects = sorted(one for one in folder.iterdir() if one.is_dir())[:24]
    return [np.asarray(Image.open(min(one.glob("*.jpg"))).convert("RGB")) for one in subjects]


def whole(picture: np.ndarray) -> np.ndarray:
    return squeeze(Image.fromarray(picture))


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (n, 224, 224, 3), dtype=np.uint8)


def test_the_weights_are_those_that_the_registry_tells_of() -> None:
    data = files("workers.embedders.style").joinpath(WEIGHTS).read_bytes()
    assert revision(data) == STYLE.revision
    assert len(data) < 1_000_000
    assert STYLE.dim == VECTOR


def test_a_vector_does_not_depend_on_its_batch(look: Look) -> None:
    pictures = noise(6)
    together = look(pictures)
    np.testing.assert_array_equal(together, look(pictures))
    for at in range(len(pictures)):
        np.testing.assert_array_equal(look(pictures[at : at + 1])[0], together[at])


def test_vectors_have_length_one_whatever_is_seen(look: Look) -> None:
    black, white = np.zeros((224, 224, 3), np.uint8), np.full((224, 224, 3), 255, np.uint8)
    red = np.zeros_like(black)
    red[..., 0] = 255
    checks = np.indices((224, 224)).sum(0)[..., None].repeat(3, 2) % 2 * 255
    vectors = look(np.stack([black, white, red, checks.astype(np.uint8)]))
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors @ vectors.T)[~np.eye(4, dtype=bool)].max() < 0.99


def test_another_development_moves_it_more_than_another_subject(look: Look, photos: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    bright, dark = (look(np.stack([whole(apply(photo, preset, rng)) for photo in photos])) for preset in (BRIGHT, DARK))
    across = np.sum(bright * dark, axis=1)  # one photo, two developments
    others = ~np.eye(len(photos), dtype=bool)
    for same in (bright @ bright.T, dark @ dark.T):  # two photos, one development
        assert np.median(same[others]) > np.median(across) + 0.3
        assert (same[others].reshape(len(photos), -1).mean(axis=1) > across).mean() > 0.9


def test_encoders_are_saved_and_read_again(tmp_path: Path) -> None:
    encoder = shipped_encoder()
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    assert save_encoder(encoder, first) == save_encoder(encoder, second)
    with np.load(first, allow_pickle=False) as held:
        again = StyleEncoder.of(dict(held))
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(5, DIMENSIONS)).astype(np.float32))
    assert torch.equal(again(rows), encoder(rows))


def test_other_arrays_are_no_weights() -> None:
    arrays = shipped_encoder().arrays()
    with pytest.raises(ModelError, match="no weights"):
        StyleEncoder.of({name: array for name, array in arrays.items() if name != "middle"})
    with pytest.raises(ModelError, match="no weights"):
        StyleEncoder.of(arrays | {"middle": arrays["middle"][:5]})


def test_statistics_are_finite_and_as_many_as_told() -> None:
    with torch.inference_mode():
        seen = Statistics().eval()(torch.zeros((2, 224, 224, 3), dtype=torch.uint8))
    assert seen.shape == (2, DIMENSIONS)
    assert torch.isfinite(seen).all()


def test_tone_counts_what_is_there() -> None:
    """Half black, half white: the levels between are empty, and the quantiles jump at the half."""
    picture = np.zeros((1, 224, 224, 3), np.uint8)
    picture[:, 112:] = 255
    with torch.inference_mode():
        numbers = Tone()(torch.from_numpy(picture)).numpy()[0]
    assert len(numbers) == NUMBERS
    luma = numbers[:26]
    np.testing.assert_allclose(luma[[0, 25]] ** 2, 0.5, atol=1e-6)
    assert luma[1:25].max() == 0
    quantiles = numbers[104 : 104 + 17]
    np.testing.assert_array_equal(quantiles, [0] * 9 + [1] * 8)
