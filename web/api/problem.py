"""An error as JSON, in the form of RFC 9457 (``application/problem+json``).

``code`` is stable and says what kind of problem it is; ``type`` is the same as a URI. ``error`` repeats code, message
and hint for programs that were written for version 0.1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What version 0.1 answered."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Problem:
    """The body of every answer with a status from 400 on."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    hint: str
    error: ErrorDetail


def problem(status: int, code: str, message: str, hint: str = "", instance: str = "") -> dict[str, Any]:
    """The JSON of an error.

    Args:
        message: one sentence on what is wrong.
        hint: what to do; empty when there is nothing to do.
        instance: the address that was asked; empty where it is not known.
    """
    title = HTTPStatus(status).phrase
    made = Problem(
        f"urn:likewise:problem:{code}", title, status, message, instance, code, hint, ErrorDetail(code, message, hint)
    )
    return asdict(made)
