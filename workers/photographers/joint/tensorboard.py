"""Log of a training for TensorBoard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class TensorBoardLog:
    """Writes into ``folder``; close it, or use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second to import

        self._writer = SummaryWriter(str(folder))

    def value(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def vectors(self, names: tuple[str, ...], vectors: NDArray[np.float32], step: int) -> None:
        """The vectors as an embedding. Its labels are lines of a table, so that a name must not break one."""
        labels = [" ".join(name.split()) or "?" for name in names]
        self._writer.add_embedding(vectors, metadata=labels, global_step=step, tag="photographers")

    def close(self) -> None:
        self._writer.close()

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
