"""Run a network over uint8 rows in batches on any device, and modules that networks share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.errors import ModelError
from search.store.base import Array

StateDict: TypeAlias = Mapping[str, Tensor]
"""A network's tensors by name."""

MOST_ON_CPU = 16
"""Most rows of a forward pass on the CPU: more are not faster, and the activations outgrow the memory that is kept
(``workers.runtime``)."""


class Normalise(nn.Module):
    """uint8 ``(n, *spatial, 3)`` to float ``(n, 3, *spatial)``, scaled to [0, 1], then per channel (x - mean) / std.

    The result of a picture is a view in channels-last memory, the layout that convolutions are fastest in.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("scale", 1.0 / (255.0 * torch.tensor(std)), persistent=False)
        self.register_buffer("shift", torch.tensor(mean) / torch.tensor(std), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels.float() * self.scale - self.shift).movedim(-1, 1)


class PooledClassifier(nn.Module):
    """A backbone with its classifier: pixels to (unit vectors, class probabilities), both float32."""

    def __init__(self, normalise: Normalise, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.normalise, self.backbone, self.head = normalise, backbone, head

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.backbone(self.normalise(pixels))
        probabilities = self.head(pooled).float().softmax(dim=1)
        return nn.functional.normalize(pooled.float(), dim=1), probabilities


class Runner:
    """Runs a network over any number of rows.

    On CUDA in bfloat16 where that is safe (``torch.autocast``). When the device runs out of memory the batch is halved,
    for good, and the work goes on.

    Args:
        network: integer rows (uint8 pixels, int64 tokens) to a tuple of float32 tensors with as many rows.
        batch_size: most rows a forward pass; on the CPU ``MOST_ON_CPU`` at most.

    Raises:
        ModelError: the network does not fit into the device's memory, or the device fails.
    """

    def __init__(self, network: nn.Module, device: torch.device, batch_size: int, name: str = "model") -> None:
        try:
            self._network = network.eval().to(device)
        except RuntimeError as error:
            raise ModelError(
                f"{name} could not be put on {device}: {error}",
                "Free memory on the device, or run on the CPU (LIKEWISE_DEVICE=cpu).",
            ) from error
        self._device = device
        self._name = name
        self.batch_size = min(batch_size, MOST_ON_CPU) if device.type == "cpu" else batch_size

    def __call__(self, rows: NDArray[np.integer[Any]]) -> tuple[Array, ...]:
        """One float32 array ``(n, …)`` for each output of the network.

        Args:
            rows: integers ``(n, …)`` as the network takes them, uint8 pixels as a rule; ``n`` is at least 1.

        Raises:
            ModelError: a single row does not fit into the device's memory, or the network failed.
        """
        parts: list[tuple[Tensor, ...]] = []
        start = 0
        while start < len(rows):
            batch = rows[start : start + self.batch_size]
            try:
                parts.append(self._forward(batch))
                start += len(batch)
                continue
            except torch.OutOfMemoryError as error:
                if len(batch) == 1:
                    raise ModelError(
                        f"{self._name} ran out of memory on {self._device} with a single item.",
                        "Free memory on the device, or run on the CPU (LIKEWISE_DEVICE=cpu).",
                    ) from error
            except RuntimeError as error:
                raise ModelError(f"{self._name} failed on {self._device}: {error}") from error
            # After the handler: its traceback holds every tensor of the failed pass.
            self.batch_size = len(batch) // 2
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        return tuple(torch.cat(column).numpy() for column in zip(*parts, strict=True))

    def _forward(self, batch: NDArray[np.integer[Any]]) -> tuple[Tensor, ...]:
        given = torch.from_numpy(np.ascontiguousarray(batch)).to(self._device)
        cuda = self._device.type == "cuda"
        with torch.inference_mode(), torch.autocast("cuda", dtype=torch.bfloat16, enabled=cuda):
            outputs: tuple[Tensor, ...] = self._network(given)
        return tuple(output.float().cpu() for output in outputs)


@contextmanager
def declared() -> Iterator[None]:
    """Networks that are made within have no memory for their weights, and draw no random ones: :func:`load_state` gives
    them their tensors."""
    with torch.device("meta"):
        yield


def load_state(network: nn.Module, state: StateDict, name: str) -> None:
    """Load ``state`` into ``network``, every tensor of it; one that was :func:`declared` takes the tensors themselves.

    Raises:
        ModelError: names or shapes differ.
    """
    assign = next(network.parameters()).is_meta
    if assign:
        state = {key: tensor.contiguous() for key, tensor in state.items()}
    try:
        network.load_state_dict(state, strict=True, assign=assign)
    except RuntimeError as error:
        raise ModelError(f"The weights do not fit {name}: {error}") from error
