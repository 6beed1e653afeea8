"""What a training is told, and what it leaves: a folder goes in, a folder comes out.

<folder>/order.json      a :class:`TrainingOrder`
<folder>/photos.npz      a ``search.photographers.photos.dataset.PhotoSet``
<folder>/pictures.npy    for the joint model: uint8 (n, 224, 224, 3), the photos' whole pictures in their order
<folder>/model/          what the training makes, once it has come to its end
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from search.photographers.model_registry import ModelKind

ORDER, PHOTOS, PICTURES, MODEL = "order.json", "photos.npz", "pictures.npy", "model"


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """One training.

    Attributes:
        seconds: for the part of it that takes as long as it may; None for what the model's own options say.
        seed: of everything that is drawn.
        place: name of somebody who is to be placed in the photographer space in use, where nothing is to be learnt:
            ``photos.npz`` holds their photos, and the model made is that space with them in it.
        report: also measure what a classifier is worth, which takes most of its training's time.
    """

    kind: ModelKind
    seconds: float | None = None
    seed: int = 0
    place: str = ""
    report: bool = True

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainingOrder:
        """Inverse of :meth:`to_json`."""
        return cls(**{**data, "kind": ModelKind(data["kind"])})

    def save(self, folder: Path) -> None:
        (folder / ORDER).write_text(json.dumps(self.to_json()), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> TrainingOrder:
        return cls.from_json(json.loads((folder / ORDER).read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class Trained:
    """A training that has come to its end.

    Attributes:
        folder: of this machine, with the model's files and nothing else.
        notes: what was left out or bounded, in sentences for people.
    """

    folder: Path
    notes: tuple[str, ...] = ()


class Trainer(Protocol):
    """Whatever trains: a child of this process, or a worker."""

    def train(
        self, folder: Path, order: TrainingOrder, say: Callable[[str], object], goes_on: Callable[[], bool]
    ) -> Trained | None:
        """Train on what is in ``folder``, which is this call's own.

        Args:
            say: told what is being done, one sentence at a time.
            goes_on: asked every second or so; once it says no the training ends.

        Returns:
            None when ``goes_on`` said no.

        Raises:
            UsageError: there is nothing that could be learnt; the message says what is lacking.
            TrainingError: it ended without a model; the message says why.
            BrokerUnavailableError, WorkerUnavailableError: it may succeed later.
        """
        ...
