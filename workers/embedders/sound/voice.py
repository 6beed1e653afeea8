"""The voice encoder GE2E: who speaks, whatever is said.

Source: Wan et al., Generalized End-to-End Loss for Speaker Verification, ICASSP 2018; weights of the package
``resemblyzer``, whose code is never imported.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.model_descriptions.registry import GE2E
from search.store.base import Array
from workers.embedders.networks import StateDict, declared, load_state
from workers.embedders.sound.rows import RATE, Samples
from workers.embedders.weights import weights_of

N_FFT, HOP, MELS = 400, 160, 40

FRAMES = 160
"""Frames of a window, 1.6 seconds; windows overlap by half."""

COVERAGE = 0.75
"""Least share of the last window that has to be sound, where there are others."""

LEVEL = 10 ** (-30 / 20)
"""Root mean square to which softer sounds are raised, -30 dBFS."""

WIDTH, LAYERS = 256, 3


class VoiceEncoder:
    """Segments to vectors of ``voice``."""

    def __init__(self, device: torch.device, state: StateDict | None = None) -> None:
        """
        Args:
            state: tensors by name; those of the package when left out.

        Raises:
            ModelError: the weights cannot be had, or do not fit.
        """
        self._device = device
        self._network = voice_network(state).to(device)
        self._filters = torch.from_numpy(mel_filters()).to(device)
        self._window = torch.hann_window(N_FFT, device=device)

    def embed(self, samples: Samples) -> Array:
        """The unit vector of one segment in which somebody speaks, float32 ``(1, 256)``.

        Args:
            samples: float32 ``(samples,)`` at 16 kHz, not silent.
        """
        level = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
        raised = torch.from_numpy((samples * max(1.0, LEVEL / max(level, 1e-9))).astype(np.float32)).to(self._device)
        with torch.inference_mode():
            frames = self.spectrogram(raised)
            windows = torch.stack([frames[at : at + FRAMES] for at in _window_starts(len(samples))])
            mean = self._network(windows).mean(dim=0, keepdim=True)
            unit: Array = nn.functional.normalize(mean, dim=1).cpu().numpy()
        return unit

    def spectrogram(self, samples: Tensor) -> Tensor:
        """Power of mel bands, float32 ``(frames, 40)``, followed by silence to the end of the last window."""
        wanted = _window_starts(len(samples))[-1] + FRAMES
        padded = nn.functional.pad(samples, (N_FFT // 2, max(0, wanted * HOP - len(samples)) + N_FFT))
        spectra = torch.stft(padded, N_FFT, HOP, window=self._window, center=False, return_complex=True)
        return (self._filters @ spectra.abs().square()).T[:wanted]


def mel_filters() -> NDArray[np.float32]:
    """40 triangles on Slaney's mel scale between 0 and 8,000 Hz, each of the same area; float32 ``(40, 201)``.

    Source: Slaney, Auditory Toolbox, 1998; librosa 0.9, ``filters.mel``.
    """
    highest = 15 + np.log(RATE / 2 / 1000) / (np.log(6.4) / 27)
    mels = np.linspace(0, highest, MELS + 2)
    corners = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.linspace(0, RATE / 2, N_FFT // 2 + 1)
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    heights = 2 / (corners[2:] - corners[:-2])
    filters: NDArray[np.float32] = (np.maximum(0, np.minimum(rising, falling)) * heights[:, None]).astype(np.float32)
    return filters


def voice_network(state: StateDict | None = None) -> nn.Module:
    """Windows float32 ``(n, 160, 40)`` to unit vectors float32 ``(n, 256)``, none of whose numbers is below 0.

    Args:
        state: tensors by name; those of the package when left out.

    Raises:
        ModelError: the weights cannot be had, or do not fit.
    """
    found = weights_of(GE2E) if state is None else state
    with declared():
        network = _Network()
    # The file holds the two weights of the loss beside the network's.
    load_state(network, {key: t for key, t in found.items() if not key.startswith("similarity_")}, GE2E.name)
    return network.eval()


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(MELS, WIDTH, LAYERS, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, windows: Tensor) -> Tensor:
        _, (hidden, _) = self.lstm(windows)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


def _window_starts(samples: int) -> list[int]:
    """First frame of each window of a sound; the last one may reach beyond its end."""
    frames = samples // HOP + 1
    starts = list(range(0, max(1, frames - FRAMES // 2 + 1), FRAMES // 2))
    covered = (samples - starts[-1] * HOP) / (FRAMES * HOP)
    return starts[:-1] if len(starts) > 1 and covered < COVERAGE else starts
