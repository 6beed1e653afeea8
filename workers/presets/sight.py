"""The product's models as the benchmark uses them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from search.settings import Settings
from workers.device import choose_device, use_threads
from workers.embedders.base import Runner
from workers.embedders.choice import choose_models
from workers.embedders.models import Models
from workers.presets.eyes import Embedder, Sight
from workers.style.statistics import EarlyLayers


@dataclass(frozen=True, slots=True)
class OpenModels:
    """Models that are loaded and ready.

    Attributes:
        words: which model gives which vector.
    """

    embedder: Embedder
    statistics: Sight
    words: tuple[str, ...]


class _OneOutput(nn.Module):
    """A network as ``Runner`` wants it: a tuple of outputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (self.network(pixels),)


def as_sight(network: nn.Module, settings: Settings, name: str) -> Sight:
    """A network of one output on the device that the settings choose."""
    use_threads(settings)
    runner = Runner(_OneOutput(network), choose_device(settings), settings.batch_size, name)
    return lambda pictures: runner(pictures)[0]


def open_models(settings: Settings) -> OpenModels:
    """
    Raises:
        ModelError: weights cannot be had.
    """
    choice = choose_models(settings, {})
    models = Models(settings, choice)
    models.load()
    statistics = as_sight(EarlyLayers().eval(), settings, "style statistics")
    words = (
        f"pooled image vector: {choice.image}",
        "early-layer statistics: efficientnet_lite0, stem and three blocks",
    )
    return OpenModels(models, statistics, words)
