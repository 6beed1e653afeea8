"""Whether servers that offer weights answer within seconds."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException

PROBE_SECONDS = 2.5


def reachable_urls(urls: Mapping[str, str]) -> frozenset[str]:
    """Those of these names whose address answers within ``PROBE_SECONDS``, all asked at the same time.

    Each is asked in a thread of its own, because looking up a host name obeys no time limit.

    Args:
        urls: name to an http(s) address.
    """
    answered: set[str] = set()

    def ask(name: str, url: str) -> None:
        with suppress(OSError, ValueError, HTTPException):
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (of a model's own description)
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS) as answer:  # noqa: S310
                if answer.status == 200:
                    answered.add(name)

    asking = [threading.Thread(target=ask, args=pair, daemon=True, name="weights-probe") for pair in urls.items()]
    deadline = time.monotonic() + PROBE_SECONDS
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(max(0.0, deadline - time.monotonic()))
    return frozenset(answered)
