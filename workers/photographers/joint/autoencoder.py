"""Image code: a small convolutional autoencoder, 224 x 224 pixels to 16 numbers and back.

The loss is that of the published set-up: absolute error of the pixels, and squared error of the four global features
recomputed on what comes out, so that the code keeps light and colour and not only shapes. Codes that vary in few
directions cost beside it: without that, the first hundred steps learn brightness alone, and codes lie on a line.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.photographers.space import Plane
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.options import CODE
from workers.photographers.joint.pictures import Pictures
from workers.photographers.joint.targets.tone import LUMA

GLOBAL_WEIGHT = 1.0
"""Weight of the global features' error. All are shares of the full scale, as pixels are, and need no taming."""

BATCH, RATE = 32, 2e-3
EPOCH_STEPS = 10
"""Steps of an epoch at least; few photos are gone through several times. After 60 in all, codes of 70 lay on a line."""

SPREAD = 0.6
"""Share of the variance of codes in their first principal component, above which they count as lying near a line."""

MORE_EPOCHS = 3
"""While codes lie near a line the training goes on, up to so many times the epochs that were asked for."""

VARIANCE_WEIGHT, COVARIANCE_WEIGHT = 0.05, 0.01
"""Weights of the terms of :func:`spread_cost`. After 120 steps on 214 slides, codes of 93 others have .33 of their
variance in the first component instead of .61, at the same loss (.1305 and .1311); other weights were not tried."""

_PATIENCE = 4
"""Epochs without a better loss of at least 1 % after which the training ends, once the codes have spread."""

_WIDTHS = (3, 16, 32, 48, 64)


class Autoencoder(nn.Module):
    """Float pixels (n, 3, 224, 224) in 0 to 1 to codes (n, 16) and back. No dropout, no batch statistics: what one
    picture becomes does not depend on its neighbours, nor on whether the network is being trained."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = _WIDTHS
        self.encoder = nn.Sequential(
            nn.Conv2d(a, b, 7, stride=4, padding=3), nn.ReLU(),
            nn.Conv2d(b, c, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(c, d, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(d, e, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(e * 49, CODE),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(CODE, e * 49), nn.ReLU(), nn.Unflatten(1, (e, 7, 7)),
            nn.ConvTranspose2d(e, d, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(d, c, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(c, b, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(b, a, 4, stride=4), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, pixels: Tensor) -> Tensor:
        drawn: Tensor = self.decoder(self.encoder(pixels))
        return drawn


def global_features_of(pixels: Tensor) -> Tensor:
    """``tone.global_features`` of float pixels (n, 3, h, w), differentiable everywhere: (n, 4).

    Contrast is the deviation of one luma a pixel. The published code reshaped channels-first pixels to triplets, which
    mixes three neighbours of one channel; its deviation is no contrast, and near 0 its gradient has no bound.
    """
    luma = torch.tensordot(torch.from_numpy(LUMA), pixels, dims=([0], [1]))
    contrast = (luma.flatten(1).var(dim=1, correction=0) + 1e-6).sqrt()
    return torch.cat([contrast[:, None], pixels.mean(dim=(2, 3))], dim=1)


def loss_of(drawn: Tensor, pixels: Tensor) -> Tensor:
    """Mean absolute error of the pixels, and the weighted mean squared error of the global features."""
    features = nn.functional.mse_loss(global_features_of(drawn), global_features_of(pixels))
    return nn.functional.l1_loss(drawn, pixels) + GLOBAL_WEIGHT * features


def spread_cost(codes: Tensor) -> Tensor:
    """Cost of codes (n, 16) that vary little, or together: a scalar.

    Source: Bardes, Ponce and LeCun, "VICReg: variance-invariance-covariance regularization for self-supervised
    learning", ICLR 2022.
    """
    centred = codes - codes.mean(dim=0)
    covariance = centred.T @ centred / len(codes)
    variances = torch.diagonal(covariance)
    narrow = nn.functional.relu(1 - (variances + 1e-4).sqrt()).mean()
    together = (covariance - torch.diag(variances)).square().sum() / codes.shape[1]
    return VARIANCE_WEIGHT * narrow + COVARIANCE_WEIGHT * together


def train_autoencoder(
    pictures: Pictures,
    rows: NDArray[np.intp],
    epochs: int,
    seed: int,
    budget: TrainingBudget,
    say: Callable[[str], None],
    log: Callable[[str, float, int], None] = lambda name, value, step: None,
) -> Autoencoder:
    """Learn from ``rows`` of ``pictures``, uint8 (n, 224, 224, 3), a batch of them in memory at once.

    It takes ``epochs`` passes, fewer where the loss gets no better, and more while codes lie near a line.

    Raises:
        StoppedError: the budget stops the training.
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Autoencoder()
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    rounds = math.ceil(EPOCH_STEPS * BATCH / max(1, len(rows)))
    best, waited, step = np.inf, 0, 0
    for epoch in range(1, MORE_EPOCHS * epochs + 1):
        losses: list[float] = []
        codes: list[Tensor] = []
        order = np.concatenate([rng.permutation(rows) for _ in range(rounds)])
        for start in range(0, len(order), BATCH):
            if budget.is_spent():
                break
            pixels = pixels_of(pictures, np.sort(order[start : start + BATCH]))
            code = network.encoder(pixels)
            loss = loss_of(network.decoder(code), pixels)
            optimiser.zero_grad()
            torch.autograd.backward(loss + spread_cost(code))
            optimiser.step()
            step += 1
            losses.append(loss.item())
            codes.append(code.detach())
            log("autoencoder/loss", losses[-1], step)
        if not losses:
            break
        mean, spread = float(np.mean(losses)), Plane.of(torch.cat(codes).numpy()).explained[0]
        say(f"Autoencoder: epoch {epoch} of {epochs}, loss {mean:.4f}, {spread:.0%} of the codes' variance on one axis")
        log("autoencoder/first_component", spread, step)
        best, waited = (mean, 0) if mean < 0.99 * best else (best, waited + 1)
        if spread <= SPREAD and (waited >= _PATIENCE or epoch >= epochs):
            break
    return network.eval()


@torch.inference_mode()
def codes_of(network: Autoencoder, pictures: Pictures, budget: TrainingBudget | None = None) -> NDArray[np.float32]:
    """Codes float32 (n, 16) of whole pictures uint8 (n, 224, 224, 3).

    Raises:
        StoppedError: the budget stops the training.
    """
    codes = np.empty((len(pictures), CODE), np.float32)
    for start in range(0, len(pictures), BATCH):
        if budget is not None:
            budget.check()
        chosen = np.arange(start, min(start + BATCH, len(pictures)))
        codes[chosen] = network.encoder(pixels_of(pictures, chosen)).numpy()
    return codes


def pixels_of(pictures: Pictures, rows: NDArray[np.intp]) -> Tensor:
    """Float pixels (k, 3, 224, 224) in 0 to 1 of some pictures."""
    chosen = torch.from_numpy(np.array(pictures[rows]))
    return chosen.permute(0, 3, 1, 2).float().div_(255).contiguous()
