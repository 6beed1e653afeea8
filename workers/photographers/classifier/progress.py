"""Progress of a training, and the request to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class TrainingStoppedError(Exception):
    """The training was told to stop; nothing of it is of use."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Callbacks of a training.

    Attributes:
        say: called with what is being done, in a few words.
        goes_on: whether to go on; called often.
    """

    say: Callable[[str], object] = lambda text: None
    goes_on: Callable[[], bool] = lambda: True

    def check(self) -> None:
        """
        Raises:
            TrainingStoppedError: the training is to stop.
        """
        if not self.goes_on():
            raise TrainingStoppedError
