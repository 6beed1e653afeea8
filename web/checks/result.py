"""Result of one check of ``likewise doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """State of one check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one check.

    Attributes:
        detail: the state, in words.
        hint: what to do; empty when all is well.
    """

    name: str
    health: Health
    detail: str
    hint: str = ""
