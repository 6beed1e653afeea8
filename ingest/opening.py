"""Opens a node at the start of a program, waiting for a store or a ledger that is away."""

from __future__ import annotations

import logging
import time

from ingest.node import Node
from search.errors import LikewiseError
from search.settings import Settings

log = logging.getLogger(__name__)

TRY_SECONDS = 0.5
"""Pause between two tries."""


def open_node(settings: Settings, seconds: float | None = None) -> Node:
    """The node of these settings, when its store and its ledger answer.

    The broker is not waited for: questions are answered without it, and jobs wait for it themselves.

    Args:
        seconds: how long they are waited for; ``settings.wait_seconds`` when left out.

    Raises:
        LikewiseError: as ``Node.open``; where trying again may help, after that time.
    """
    ends, has_said = time.monotonic() + (settings.wait_seconds if seconds is None else seconds), False
    while True:
        try:
            return Node.open(settings)
        except LikewiseError as error:
            if not error.retryable or time.monotonic() + TRY_SECONDS > ends:
                raise
            if not has_said:
                log.warning("%s Waiting until that works.", error.message)
                has_said = True
        time.sleep(TRY_SECONDS)
