"""The product's models, loaded for the benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from search.settings import Settings
from search.store.base import Array
from search.vectors import unit_rows
from workers.device import choose_device, use_threads
from workers.embedders.choice import choose_models
from workers.embedders.models import Models
from workers.embedders.networks import Runner
from workers.embedders.style.network import StyleEncoder, shipped_encoder
from workers.embedders.style.statistics import EarlyLayers, Statistics
from workers.photographers.benchmark.observe import LoadedModels, PictureEncoder


class _OneOutput(nn.Module):
    """A network as ``Runner`` wants it: a tuple of outputs, in single precision, as ``StyleNetwork`` is."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        with torch.autocast(pixels.device.type, enabled=False):
            return (self.network(pixels),)


def as_picture_encoder(network: nn.Module, settings: Settings, name: str) -> PictureEncoder:
    """A network of one output on the device that the settings choose."""
    runner = Runner(_OneOutput(network), choose_device(settings), settings.batch_size, name)
    return lambda pictures: runner(pictures)[0]


def as_reader(encoder: StyleEncoder) -> Callable[[Array], Array]:
    """A style encoder on arrays: statistics float32 ``(…, dim)`` to vectors of the length that it gives them."""

    @torch.inference_mode()
    def read(statistics: Array) -> Array:
        rows = encoder(torch.from_numpy(statistics.reshape(-1, statistics.shape[-1])))
        found: Array = rows.numpy().reshape(*statistics.shape[:-1], -1)
        return found

    return read


def open_models(settings: Settings) -> LoadedModels:
    """
    Raises:
        ModelError: weights cannot be had.
    """
    use_threads(settings)
    # Style is read from statistics that are needed anyway, rather than extracted twice.
    choice = replace(choose_models(settings, {}), style=False)
    models = Models(settings, choice)
    models.load()
    shipped = as_reader(shipped_encoder())
    return LoadedModels(
        models,
        as_picture_encoder(EarlyLayers(), settings, "early layers"),
        as_picture_encoder(Statistics(), settings, "style statistics"),
        lambda statistics: unit_rows(shipped(statistics)),
        (f"pooled image vector: {choice.image}", "early layers: efficientnet_lite0, stem and three blocks"),
    )
