"""How a training tells what it does, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class TrainingStoppedError(Exception):
    """The training was told to stop; nothing of it is of use."""


@dataclass(frozen=True, slots=True)
class Progress:
    """
    Attributes:
        say: told what is being done, in a few words.
        goes_on: whether to go on; asked often.
    """

    say: Callable[[str], object] = lambda text: None
    goes_on: Callable[[], bool] = lambda: True

    def check(self) -> None:
        """
        Raises:
            TrainingStoppedError: it is to stop.
        """
        if not self.goes_on():
            raise TrainingStoppedError
