"""Whether somebody speaks: Silero VAD.

Its convolutions see all frames of a segment at once and its LSTM runs through them; the package takes frame after
frame. Its code is never imported.

Source: Silero Team, Silero VAD, https://github.com/snakers4/silero-vad, package ``silero-vad`` 6.2.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.model_descriptions.registry import SILERO
from workers.embedders.networks import StateDict, declared, load_state
from workers.embedders.sound.rows import Samples
from workers.embedders.weights import weights_of

FRAME, CONTEXT = 512, 64
"""Samples of a frame at 16 kHz, and of the one before it that the network sees too."""

N_FFT, HOP, WIDTH = 256, 128, 128

SPEECH = 0.5
"""Least probability of a frame in which somebody speaks."""


class SpeechDetector:
    """Segments to the share of them in which somebody speaks."""

    def __init__(self, device: torch.device, state: StateDict | None = None) -> None:
        """
        Args:
            state: tensors by name; those of the package when left out.

        Raises:
            ModelError: the weights cannot be had, or do not fit.
        """
        self._device = device
        self._network = speech_network(state).to(device)

    def share(self, samples: Samples) -> float:
        """Share of the frames of a segment in which somebody speaks, in [0, 1].

        Args:
            samples: float32 ``(samples,)`` at 16 kHz, at least one.
        """
        return float((self.probabilities(samples) > SPEECH).mean())

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """That somebody speaks in each frame of 32 ms, float32 ``(frames,)``; silence follows the last one."""
        frames = -(-len(samples) // FRAME)
        padded = np.zeros(CONTEXT + frames * FRAME, np.float32)
        padded[CONTEXT : CONTEXT + len(samples)] = samples
        seen = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME].copy()
        with torch.inference_mode():
            found: NDArray[np.float32] = self._network(torch.from_numpy(seen).to(self._device)).cpu().numpy()
        return found


def speech_network(state: StateDict | None = None) -> nn.Module:
    """Consecutive frames float32 ``(n, 576)``, each with its context, to probabilities float32 ``(n,)``.

    Args:
        state: tensors by name; those of the package when left out.

    Raises:
        ModelError: the weights cannot be had, or do not fit.
    """
    found = weights_of(SILERO) if state is None else state
    # The package runs a cell step by step; torch calls the same weights of a whole sequence otherwise.
    renamed = {key.replace("lstm_cell", "lstm"): t for key, t in found.items()}
    renamed = {f"{key}_l0" if key.startswith("lstm.") else key: t for key, t in renamed.items()}
    with declared():
        network = _Network()
    load_state(network, renamed, SILERO.name)
    return network.eval()


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, N_FFT + 2, N_FFT, HOP, bias=False)
        self.conv1 = nn.Conv1d(N_FFT // 2 + 1, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH // 2, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(WIDTH // 2, WIDTH // 2, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(WIDTH // 2, WIDTH, 3, padding=1)
        self.lstm = nn.LSTM(WIDTH, WIDTH)
        self.final_conv = nn.Conv1d(WIDTH, 1, 1)

    def forward(self, frames: Tensor) -> Tensor:
        x = nn.functional.pad(frames[:, None], (0, CONTEXT), mode="reflect")
        real, imaginary = self.stft_conv(x).split(N_FFT // 2 + 1, dim=1)
        x = (real.square() + imaginary.square()).sqrt()
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = convolution(x).relu()
        states, _ = self.lstm(x.squeeze(2))
        return torch.as_tensor(self.final_conv(states.relu()[:, :, None]).sigmoid()).flatten()
