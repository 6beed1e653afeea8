"""Moments of recordings, as they are typed."""

from __future__ import annotations

import re

import click

_CLOCK = re.compile(r"(?:(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,4}):)?(?P<seconds>\d{1,7}(?:\.\d{1,6})?)", re.ASCII)


class Clock(click.ParamType[float]):
    """Seconds, typed as such or as minutes and seconds: ``80``, ``80.5``, ``1:20``, ``1:02:03``."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = _CLOCK.fullmatch(str(value))
        if found is None:
            self.fail(f"'{value}' is no time. Give seconds (80.5) or minutes and seconds (1:20).", param, ctx)
        hours, minutes, seconds = (float(part or 0) for part in found.group("hours", "minutes", "seconds"))
        return 3600 * hours + 60 * minutes + seconds


CLOCK = Clock()
