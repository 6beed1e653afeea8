"""The network aisfx, trained on six collections of sound effects: what a sound is, whoever makes it.

Its spectrogram is computed here and its layers are declared here; the package's code is never imported. A segment's
vector is the mean over its blocks of 2.3 seconds, less the mean of all sounds: without that any two sounds have cosines
of .63 to .97.

Source: Ma and Lerch, Representation Learning for the Automatic Indexing of Sound Effects Libraries, ISMIR 2022; package
``aisfx`` 0.1.2. The paper computed its spectrograms with Essentia, as is done here; the package's own way through
librosa differs and leaves the spectrogram untransposed.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchaudio.functional import resample

from search.errors import ModelError
from search.model_descriptions.registry import AISFX
from search.store.base import Array
from search.vectors import unit_rows
from workers.embedders.networks import StateDict, declared, load_state
from workers.embedders.sound.rows import QUIET, RATE, Samples, block_levels, block_starts
from workers.embedders.weights import weights_of

NETWORK_RATE = 44_100
N_FFT, HOP, MELS = 2048, 1024, 96

FRAMES = 100
"""Frames of a block, ``rows.BLOCK`` samples."""

SCALE = 9.457798957824707
"""Largest value of the spectrograms that it was trained on."""

CHANNELS = (1, 64, 128, 256, 512)
"""Before and after each of its four blocks of convolutions."""

MEAN = "aisfx.npz"
"""Beside this module, written by ``fit_aisfx``: ``mean``, float32 ``(512,)``."""


class Aisfx:
    """Segments to vectors of ``sound``."""

    def __init__(
        self, device: torch.device, state: StateDict | None = None, mean: NDArray[np.float32] | None = None
    ) -> None:
        """
        Args:
            state: tensors by name; those of the package when left out.
            mean: float32 ``(512,)``, of all sounds; the one that ships when left out.

        Raises:
            ModelError: the weights cannot be had, or do not fit.
        """
        self._device = device
        self._network = aisfx_network(state).to(device)
        self._filters = torch.from_numpy(mel_filters()).to(device)
        self._window = torch.hann_window(N_FFT, periodic=False, device=device)
        self._mean = shipped_mean() if mean is None else mean

    def embed(self, samples: Samples) -> Array:
        """The unit vector of one segment, float32 ``(1, 512)``. Blocks more than 40 dB below its loudest are left out.

        Args:
            samples: float32 ``(samples,)`` at 16 kHz, not silent.
        """
        return unit_rows(self.blocks(samples).mean(axis=0, keepdims=True) - self._mean)

    def blocks(self, samples: Samples) -> Array:
        """What the network makes of each block that is heard, float32 ``(blocks, 512)``."""
        levels = block_levels(samples)
        with torch.inference_mode():
            spectrogram = self.spectrogram(torch.from_numpy(np.ascontiguousarray(samples)).to(self._device))
            starts = block_starts(len(spectrogram), FRAMES)[: len(levels)]
            heard = [at for at, level in zip(starts, levels, strict=True) if level >= QUIET * levels.max()]
            made: Array = self._network(torch.stack([spectrogram[at : at + FRAMES] for at in heard])).cpu().numpy()
        return made

    def spectrogram(self, samples: Tensor) -> Tensor:
        """Levels of mel bands, float32 ``(frames, 96)`` with at least 100 frames: silence follows a short sound."""
        sound = resample(samples, RATE, NETWORK_RATE)
        sound = sound / sound.abs().max().clamp(min=1e-9)
        frames = max(FRAMES, round(len(samples) * NETWORK_RATE / (RATE * HOP)))
        padded = nn.functional.pad(sound, (N_FFT // 2, N_FFT))
        spectra = torch.stft(padded, N_FFT, HOP, window=self._window, center=False, return_complex=True)
        power = spectra[:, :frames].abs().square()
        levels = torch.log10(1e4 * (self._filters @ power) + 1) / SCALE
        return nn.functional.pad(levels, (0, frames - levels.shape[1])).T


def mel_filters() -> NDArray[np.float32]:
    """96 triangles on HTK's mel scale between 0 and 22,050 Hz, straight in mel and of sum 1; float32 ``(96, 1025)``.

    Source: Essentia, ``MelBands`` with ``htkMel``, ``warping`` and ``unit_sum``.
    """
    corners = np.linspace(0, _mel(np.array(NETWORK_RATE / 2)), MELS + 2)
    bins = _mel(np.linspace(0, NETWORK_RATE / 2, N_FFT // 2 + 1))
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    unit: NDArray[np.float32] = (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
    return unit


def aisfx_network(state: StateDict | None = None) -> nn.Module:
    """Blocks float32 ``(n, 100, 96)`` to float32 ``(n, 512)``, its batch norms folded into the convolutions.

    Args:
        state: tensors by name; those of the package when left out.

    Raises:
        ModelError: the weights cannot be had, or do not fit.
    """
    found = weights_of(AISFX) if state is None else state
    prefix = "embedding_net."
    with declared():
        network = _Network()
    load_state(network, {key[len(prefix) :]: t for key, t in found.items() if key.startswith(prefix)}, AISFX.name)
    return network.eval().fold()


@lru_cache(maxsize=1)
def shipped_mean() -> NDArray[np.float32]:
    """The mean of all sounds that ships, float32 ``(512,)``.

    Raises:
        ModelError: its file is missing or damaged.
    """
    try:
        data = files("workers.embedders.sound").joinpath(MEAN).read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as held:
            mean: NDArray[np.float32] = held["mean"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The mean of sounds cannot be read: {error}", "Install Likewise again.") from error
    return mean


class _Convolutions(nn.Module):
    """Two convolutions with their batch norms, in the order in which the package declares them."""

    def __init__(self, before: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(channels)
        self.bn2: nn.Module = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu_(self.bn1(self.conv1(x)))
        out: Tensor = nn.functional.relu_(self.bn2(self.conv2(x)))
        return out

    def fold(self) -> None:
        assert isinstance(self.bn1, nn.BatchNorm2d)
        assert isinstance(self.bn2, nn.BatchNorm2d)
        self.conv1, self.bn1 = fuse_conv_bn_eval(self.conv1, self.bn1), nn.Identity()
        self.conv2, self.bn2 = fuse_conv_bn_eval(self.conv2, self.bn2), nn.Identity()


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for at, (before, channels) in enumerate(itertools.pairwise(CHANNELS), 1):
            setattr(self, f"conv_block{at}", _Convolutions(before, channels))

    def forward(self, blocks: Tensor) -> Tensor:
        x = blocks[:, None].to(memory_format=torch.channels_last)
        *pooled, last = self.children()
        for block in pooled:
            x = nn.functional.max_pool2d(block(x), 2)
        return torch.as_tensor(last(x)).mean(dim=3).amax(dim=2)

    def fold(self) -> _Network:
        for block in self.children():
            assert isinstance(block, _Convolutions)
            block.fold()
        return self.to(memory_format=torch.channels_last)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = 1127 * np.log1p(hertz / 700)
    return mel
