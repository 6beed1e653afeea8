"""Training request: the folder a training reads, the folder it writes, and the trainer interface.

<folder>/order.json      a :class:`TrainingOrder`
<folder>/photos.npz      a ``search.photographers.photos.dataset.PhotoSet``
<folder>/pictures.npy    for the joint model: uint8 (n, 224, 224, 3), whole pictures in the order of photos.npz
<folder>/model/          the trained model, once the training has ended
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from search.errors import ModelError
from search.photographers.model_registry import ModelKind
from workers.cluster.checks import as_flag, as_integer, as_member, as_number, as_object, as_text

ORDER, PHOTOS, PICTURES, MODEL = "order.json", "photos.npz", "pictures.npy", "model"
LAYOUT = 1
"""Version of ``order.json``. A file without one has layout 1; a newer one is refused."""


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """What to train.

    Attributes:
        seconds: time limit of the training of the joint model; None for the default of its own options.
        seed: of all random numbers.
        place: name of a photographer to fold into the photographer space in use, without training: ``photos.npz``
            holds their photos, and the resulting model is that space with them in it.
        report: also measure a classifier, which takes most of its training's time.
    """

    kind: ModelKind
    seconds: float | None = None
    seed: int = 0
    place: str = ""
    report: bool = True

    def to_json(self) -> dict[str, Any]:
        """Fields by name, as messages carry them."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrainingOrder:
        """Inverse of :meth:`to_json`. Absent fields get their defaults, unknown ones are ignored.

        Raises:
            KeyError, ValueError: the kind of model is absent or unknown.
        """
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        return cls(**{**known, "kind": ModelKind(data["kind"])})

    @classmethod
    def from_message(cls, data: object) -> TrainingOrder:
        """The order that a message holds.

        Raises:
            MessageRefusedError: a field is missing, or has a value that it cannot have.
        """
        found = as_object(data, "order of a training")
        seconds = found.get("seconds")
        return cls(
            kind=as_member(found.get("kind"), "kind of model", ModelKind),
            seconds=None if seconds is None else as_number(seconds, "seconds", 0.0),
            seed=as_integer(found.get("seed"), "seed"),
            place=as_text(found.get("place"), "photographer"),
            report=as_flag(found.get("report"), "report"),
        )

    def save(self, folder: Path) -> None:
        """Write ``order.json``."""
        (folder / ORDER).write_text(json.dumps({"layout": LAYOUT, **self.to_json()}), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> TrainingOrder:
        """Inverse of :meth:`save`.

        Raises:
            ModelError: the file is damaged, or a newer version of Likewise wrote it.
        """
        try:
            stored = json.loads((folder / ORDER).read_text("utf-8"))
            if stored.get("layout", 1) > LAYOUT:
                raise ModelError(f"{ORDER} was written by a newer version of Likewise.", "Update Likewise.")
            return cls.from_json(stored)
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{ORDER} cannot be read: {error}.", "Start the training again.") from error


@dataclass(frozen=True, slots=True)
class Trained:
    """Result of a training.

    Attributes:
        folder: on this machine, with the model's files and nothing else.
        notes: what was left out or bounded, in sentences for people.
    """

    folder: Path
    notes: tuple[str, ...] = ()


class Trainer(Protocol):
    """Runs trainings: in a child of this process, or on a worker."""

    def train(
        self, folder: Path, order: TrainingOrder, say: Callable[[str], object], goes_on: Callable[[], bool]
    ) -> Trained | None:
        """Train on the files of ``folder``, which no other call uses.

        Args:
            say: called with what is being done, one sentence at a time.
            goes_on: called every second or so; the training ends once it returns False.

        Returns:
            None when ``goes_on`` returned False.

        Raises:
            UsageError: there are not enough credited photos; the message says what is lacking.
            TrainingError: it ended without a model; the message says why.
            BrokerUnavailableError, WorkerUnavailableError: it may succeed later.
        """
        ...
