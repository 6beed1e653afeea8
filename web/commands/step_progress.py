"""Show the progress of steps in this process: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

LINE_SECONDS = 5.0
"""Seconds between plain lines."""

T = TypeVar("T")


def show_steps(doing: str, total: int, steps: Iterable[T]) -> Iterator[T]:
    """Yield the steps, about ``total`` of them, and show how many are done."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(steps, doing, total, console=Console(stderr=True), transient=True)
        return
    last = time.monotonic()
    for number, step in enumerate(steps, 1):
        if time.monotonic() - last > LINE_SECONDS:
            last = time.monotonic()
            click.echo(f"{doing}: {min(number, total)} of {total}", err=True)
        yield step
