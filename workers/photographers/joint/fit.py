"""Fit a joint model with one optimiser for network and vectors, and measure its held-out errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from search.evaluation.statistics import grouped_mean
from search.photographers.space import VectorErrors
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.network import JointNetwork

BATCH, RATE = 32, 1e-3
FRAME_STEPS = 200
"""Training steps from one stored frame of the converging vectors to the next."""

LEAST_STEPS = 2000
"""Steps taken however few photos there are: with six of them an epoch is one step, and 200 would lead nowhere."""

MOST_FRAMES = 400
"""Frames kept; of more, every second is dropped, so that a long training does not fill the disk."""

PRIOR = 1.0
"""Cost of a vector of length 1, in squared errors of one photo."""

MOST_WRONG = 30
"""Other photographers' vectors that each held-out photo is tried with; evenly chosen where there are more."""


@dataclass(frozen=True, slots=True)
class TrainingExamples:
    """Inputs and targets of the joint model, standardised.

    Attributes:
        codes: float32 (n, 16).  targets: float32 (n, k).
        owners: int64 (n,), row of each photo's photographer.
        groups: int64 (n,), photos that belong together, for the intervals.
    """

    codes: NDArray[np.float32]
    targets: NDArray[np.float32]
    owners: NDArray[np.int64]
    groups: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp]) -> TrainingExamples:
        return TrainingExamples(self.codes[rows], self.targets[rows], self.owners[rows], self.groups[rows])


@dataclass(frozen=True, slots=True)
class FittedNetwork:
    """A fitted network with its vectors during training: ``frames`` float32 (f, p, d) at ``steps`` int64 (f,)."""

    network: JointNetwork
    frames: NDArray[np.float32]
    steps: NDArray[np.int64]

    @property
    def vectors(self) -> NDArray[np.float32]:
        last: NDArray[np.float32] = self.frames[-1]
        return last


def fit(
    make: Callable[[], JointNetwork],
    learnt: TrainingExamples,
    epochs: int,
    seed: int,
    budget: TrainingBudget,
    watch: Callable[[JointNetwork, int, float], None] = lambda network, step, loss: None,
) -> FittedNetwork:
    """Fit network and vectors, ``epochs`` passes or more over the examples; equal seeds give equal results.

    Args:
        make: a new network; its random numbers come from ``seed``.
        watch: called with the network, the step and the mean loss after each epoch.

    Raises:
        StoppedError: the pace says so.
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make()
    codes, targets, owners = map(torch.from_numpy, (learnt.codes, learnt.targets, learnt.owners))
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    cost = PRIOR / learnt.targets.size
    frames, steps = [_copy(network)], [0]
    step, every = 0, FRAME_STEPS
    for _ in range(max(epochs, math.ceil(LEAST_STEPS / math.ceil(len(codes) / BATCH)))):
        losses: list[Tensor] = []
        for rows in _batches(rng.permutation(len(codes))):
            if budget.is_spent():
                break
            predicted = network(codes[rows], network.vectors[owners[rows]])
            error = (predicted - targets[rows]).square().mean()
            optimiser.zero_grad()
            torch.autograd.backward(error + network.strain() + cost * network.penalty())
            optimiser.step()
            losses.append(error.detach())
            step += 1
            if step % every == 0:
                frames.append(_copy(network))
                steps.append(step)
                if len(frames) > MOST_FRAMES:
                    frames, steps, every = frames[::2], steps[::2], 2 * every
        if not losses:
            break
        watch(network, step, float(torch.stack(losses).mean()))
    if steps[-1] != step:
        frames.append(_copy(network))
        steps.append(step)
    return FittedNetwork(network.eval(), np.stack(frames), np.array(steps, np.int64))


def errors_of(network: JointNetwork, held: TrainingExamples, seed: int = 0) -> VectorErrors:
    """Mean squared errors on held-out examples, with the right and with wrong photographers' vectors.

    Intervals are of a bootstrap over groups: photos that belong together are drawn together.
    """
    right, wrong = error_rows(network, held)
    ratio = float(wrong.mean() / right.mean()) if right.mean() > 0 else 1.0
    return VectorErrors(grouped_mean(right, held.groups, seed), grouped_mean(wrong, held.groups, seed), ratio)


@torch.inference_mode()
def error_rows(network: JointNetwork, held: TrainingExamples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared error of each example, float64 (n,): with the right vector, and averaged over wrong ones."""
    codes, targets, owners = map(torch.from_numpy, (held.codes, held.targets, held.owners))
    people = len(network.vectors)

    def error(who: Tensor) -> NDArray[np.float64]:
        predicted = network(codes, network.vectors[who])
        squared: NDArray[np.float64] = (predicted - targets).square().mean(dim=1).double().numpy()
        return squared

    others = min(people - 1, MOST_WRONG)
    shifts = 1 + np.arange(others) * (people - 1) // others
    return error(owners), np.mean([error((owners + int(shift)) % people) for shift in shifts], axis=0)


def procrustes(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Procrustes R² of two float32 (p, d) under shift, rotation, mirroring and scaling: 0 to 1.

    Source: Gower, "Generalized Procrustes analysis", Psychometrika 1975; the same as ``1 - scipy.spatial.procrustes``.
    """
    a, b = (np.asarray(rows, np.float64) - np.mean(rows, axis=0, dtype=np.float64) for rows in (one, other))
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0:
        return 0.0
    return float(np.linalg.svd(a.T @ b / norms, compute_uv=False).sum() ** 2)


def turned_onto(wanted: NDArray[np.float32], frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frames (f, p, d), all shifted, turned, mirrored and scaled alike, so that the last lies closest to (p, d).

    Source: Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 1966.
    """
    target, last = np.asarray(wanted, np.float64), np.asarray(frames[-1], np.float64)
    middle, own = target.mean(axis=0), last.mean(axis=0)
    left, sizes, right = np.linalg.svd((last - own).T @ (target - middle))
    size = float(np.square(last - own).sum())
    scale = float(sizes.sum()) / size if size > 0 else 1.0
    turned: NDArray[np.float32] = ((frames - own) @ (scale * left @ right) + middle).astype(np.float32)
    return turned


def _batches(order: NDArray[np.intp]) -> list[Tensor]:
    return [torch.from_numpy(order[start : start + BATCH]) for start in range(0, len(order), BATCH)]


def _copy(network: JointNetwork) -> NDArray[np.float32]:
    return network.vectors.detach().numpy().copy()
