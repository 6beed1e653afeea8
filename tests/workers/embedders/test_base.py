"""Running a network over rows: batches, and what happens when the device is full."""

from __future__ import annotations

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from search.errors import ModelError
from workers.embedders.networks import Normalise, Runner

CPU = torch.device("cpu")


class Crowded(nn.Module):
    """Sums each row; holds at most ``room`` rows at once."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.sizes: list[int] = []

    def forward(self, rows: Tensor) -> tuple[Tensor]:
        self.sizes.append(len(rows))
        if len(rows) > self.room:
            raise torch.OutOfMemoryError("no room")
        return (rows.flatten(1).float().sum(1, keepdim=True),)


ROWS = np.arange(23 * 4, dtype=np.uint8).reshape(23, 4)


def test_out_of_memory_halves_the_batch_and_loses_nothing() -> None:
    network = Crowded(room=5)
    runner = Runner(network, CPU, 16)
    (sums,) = runner(ROWS)
    np.testing.assert_array_equal(sums[:, 0], ROWS.sum(1))
    assert network.sizes == [16, 8, 4, 4, 4, 4, 4, 3]
    runner(ROWS[:8])
    assert network.sizes[8:] == [4, 4]


def test_passes_on_the_cpu_are_small_however_large_a_batch_may_be() -> None:
    network = Crowded(room=23)
    Runner(network, CPU, 64)(ROWS)
    assert network.sizes == [16, 7]


def test_a_single_row_that_does_not_fit_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="single item"):
        Runner(Crowded(room=0), CPU, 4)(ROWS)


def test_the_failed_pass_holds_no_memory_when_the_device_is_asked_to_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    activations: list[weakref.ref[Tensor]] = []

    class Greedy(nn.Module):
        def forward(self, rows: Tensor) -> tuple[Tensor]:
            activation = rows.float() * 2
            activations.append(weakref.ref(activation))
            if len(rows) > 1:
                raise torch.OutOfMemoryError("no room")
            return (activation,)

    held: list[bool] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: held.append(activations[-1]() is not None))
    runner = Runner(Greedy(), CPU, 2)
    runner._device = SimpleNamespace(type="cuda")  # type: ignore[assignment]
    monkeypatch.setattr(runner, "_forward", lambda batch: runner._network(torch.from_numpy(batch)))
    runner(ROWS[:2])
    assert held == [False]


def test_a_network_that_does_not_fit_on_the_device_is_a_model_error() -> None:
    class Full(nn.Module):
        def to(self, *_: object) -> Full:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ModelError, match="could not be put on cpu"):
        Runner(Full(), CPU, 4)


def test_a_failing_network_is_a_model_error_that_keeps_its_cause() -> None:
    with pytest.raises(ModelError, match="shapes cannot be multiplied") as caught:
        Runner(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), CPU, 4)(ROWS.astype(np.float32))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_normalise_scales_each_channel() -> None:
    pixels = torch.tensor([[[[255, 0, 51]]]], dtype=torch.uint8)
    out = Normalise((0.5, 0.0, 0.1), (0.5, 1.0, 0.2))(pixels)
    torch.testing.assert_close(out, torch.tensor([1.0, 0.0, 0.5]).view(1, 3, 1, 1))
