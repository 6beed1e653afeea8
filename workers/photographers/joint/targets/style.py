"""Statistics that style coordinates are made from: tone, and activations of early layers of a network.

They are the input of the encoder of the ``style`` space, not its vectors: it was trained to discriminate photographers,
which distorts distances, and distances are what is needed in this model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from search.model_descriptions.registry import STYLE
from workers.embedders.style.development import shipped_reader
from workers.embedders.style.statistics import DIMENSIONS, Statistics
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.pictures import Pictures
from workers.photographers.joint.targets.tone import GLOBAL_FEATURES, TONE_STATISTICS, global_features, tone_statistics

_FORMULA = f"2: {', '.join(TONE_STATISTICS)}; {STYLE.space('style').fingerprint}"
"""How a picture becomes statistics; a change of that must change this text."""

FINGERPRINT = hashlib.sha256(_FORMULA.encode()).hexdigest()[:16]
"""Of the statistics: vectors that were learnt from others cannot be compared."""

_BATCH = 16


def extract(
    pictures: Pictures, budget: TrainingBudget | None = None, say: Callable[[str], None] = lambda line: None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Global features float32 (n, 4) and statistics float32 (n, t) of whole pictures uint8 (n, 224, 224, 3).

    Raises:
        StoppedError: the budget stops the training.
        ModelError: the network's weights cannot be had.
    """
    network = Statistics().eval()
    features = np.empty((len(pictures), len(GLOBAL_FEATURES)), np.float32)
    statistics = np.empty((len(pictures), len(TONE_STATISTICS) + DIMENSIONS), np.float32)
    for start in range(0, len(pictures), _BATCH):
        if budget is not None:
            budget.check()
        part = slice(start, min(start + _BATCH, len(pictures)))
        chosen = np.array(pictures[part])
        features[part] = global_features(chosen)
        statistics[part, : len(TONE_STATISTICS)] = tone_statistics(chosen)
        with torch.inference_mode():
            statistics[part, len(TONE_STATISTICS) :] = network(torch.from_numpy(chosen)).numpy()
        if start and start % (32 * _BATCH) == 0:
            say(f"Looked at {start} of {len(pictures)} pictures")
    return features, statistics


def open_reader() -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Function from the statistics of :func:`extract` to settings of development, float32 (n, 12).

    Raises:
        ModelError: its weights cannot be had.
    """
    read = shipped_reader()
    return lambda statistics: read(statistics[:, len(TONE_STATISTICS) :])
