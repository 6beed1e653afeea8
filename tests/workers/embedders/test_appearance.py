"""The space ``appearance``: what its vectors are, that they stay what they are, and which files are weights."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import torch

from search.errors import ModelError
from search.model_descriptions.registry import APPEARANCE
from workers.embedders.appearance.network import appearance_network
from workers.embedders.appearance.projection import WEIGHTS, Projection, fit, revision, save_projection
from workers.embedders.appearance.statistics import DIMENSIONS, OF_STAGES, LayerStatistics

RNG = np.random.default_rng(5)
GOLDEN = (0.1147, -0.4866, -0.0551, 0.0443, 0.1348, 0.1858)
"""First components of the vector of :func:`chart`."""


def chart() -> np.ndarray:
    """Rising colours and a chequered corner, uint8 ``(1, 224, 224, 3)``."""
    rows, columns = np.mgrid[0:224, 0:224]
    picture = np.stack([rows, columns, (rows + columns) // 2], axis=-1)
    picture[:64, :64] = 255 * ((rows[:64, :64] // 8 + columns[:64, :64] // 8) % 2)[..., None]
    return picture.astype(np.uint8)[None]


def test_vectors_stay_what_they_are() -> None:
    with torch.inference_mode():
        (vector,) = appearance_network()(torch.from_numpy(chart()))
    assert vector.shape == (1, APPEARANCE.dim)
    assert vector[0, : len(GOLDEN)].numpy() == pytest.approx(GOLDEN, abs=2e-4)


def test_the_revision_is_that_of_the_shipped_weights() -> None:
    assert revision(files("workers.embedders.appearance").joinpath(WEIGHTS).read_bytes()) == APPEARANCE.revision


def test_a_picture_has_one_vector_whatever_it_is_embedded_with() -> None:
    pictures = torch.from_numpy(np.concatenate([chart(), RNG.integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)]))
    network = appearance_network()
    with torch.inference_mode():
        assert torch.equal(network(pictures)[0][:1], network(pictures[:1])[0])


def test_statistics_are_means_and_deviations_of_every_channel() -> None:
    statistics = LayerStatistics()
    seen: list[torch.Tensor] = []
    statistics.stages[0].register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.inference_mode():
        found = statistics(torch.from_numpy(chart()))[0]
    (stem,) = seen
    assert found.shape == (DIMENSIONS,)
    assert torch.allclose(found[:32], stem.mean(dim=(2, 3))[0], atol=1e-5)
    assert torch.allclose(found[32:64], stem.flatten(2).std(dim=2, correction=0)[0], atol=1e-4)


def test_a_projection_keeps_distances_between_photos_and_comes_back_from_its_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    hidden = RNG.normal(size=(400, 20)) @ RNG.normal(size=(20, DIMENSIONS))
    statistics = (hidden + 0.05 * RNG.normal(size=hidden.shape)).astype(np.float32)
    projection = fit(statistics, (OF_STAGES, DIMENSIONS - OF_STAGES))
    projected = projection(torch.from_numpy(statistics)).numpy()

    weights = np.concatenate([np.full(n, n**-0.5) for n in (OF_STAGES, DIMENSIONS - OF_STAGES)])
    standard = (statistics - statistics.mean(axis=0)) / statistics.std(axis=0) * weights
    pairs = RNG.integers(0, 400, (2, 200))
    full, kept = (np.linalg.norm(rows[pairs[0]] - rows[pairs[1]], axis=1) for rows in (standard, projected))
    assert np.corrcoef(full, kept)[0, 1] > 0.99

    path = tmp_path / "weights.npz"
    assert save_projection(projection, path) == revision(path.read_bytes())
    with np.load(path) as held:
        again = Projection.of(dict(held))
    assert np.abs(again(torch.from_numpy(statistics)).numpy() - projected).max() < 0.05
    with pytest.raises(ModelError, match="no weights of the projection"):
        Projection.of({"middle": np.zeros(3)})
