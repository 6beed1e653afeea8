"""Show how far steps have come that this process takes itself: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

LINE_SECONDS = 5.0
"""Plain lines come this far apart."""

T = TypeVar("T")


def walk(doing: str, total: int, steps: Iterable[T]) -> Iterator[T]:
    """The steps, about ``total`` of them, while the person sees how many have been taken."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(steps, doing, total, console=Console(stderr=True), transient=True)
        return
    said = time.monotonic()
    for number, step in enumerate(steps, 1):
        if time.monotonic() - said > LINE_SECONDS:
            said = time.monotonic()
            click.echo(f"{doing}: {min(number, total)} of {total}", err=True)
        yield step
