"""Context of every command: ``--home``, ``--json``, settings, and the two output streams.

With ``--json`` the final object alone goes to standard output; messages go to standard error, with or without it.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console

    from search.settings import Settings


PIPE_WIDTH = 4096


@dataclass(frozen=True, slots=True)
class Call:
    """How a command was called.

    Attributes:
        home: value of ``--home``, None when it was not given.
        json: answer with one JSON object on standard output.
        wait: value of ``--wait``, None when it was not given.
    """

    home: str | None
    json: bool
    wait: float | None = None

    def settings(self, **flags: object) -> Settings:
        """Settings with this call's flags on top. With ``--home``, a remote server in the settings is ignored.

        Raises:
            SettingsError: see ``search.settings.load_settings``.
        """
        from search.settings import load_settings

        settings = load_settings({"home": self.home, "wait_seconds": self.wait} | flags)
        return settings if self.home is None else settings.model_copy(update={"server_url": None})

    def answer(self, value: object, show: Callable[[Console], None]) -> None:
        """Print the answer of the command, as JSON or by ``show``."""
        if self.json:
            from web.plain import dump_json

            click.echo(dump_json(value))
        else:
            show(stdout())

    def say(self, text: str) -> None:
        """Print a message that is not the answer to standard error."""
        say(text)


def say(text: str) -> None:
    """Print a message to standard error. One that takes nothing, as a log on a full disk, stops no work."""
    try:
        click.echo(text, err=True)
    except BrokenPipeError:
        raise
    except OSError:
        give_up_stream(sys.stderr)


def give_up_stream(stream: TextIO) -> None:
    """Send what is still printed to a stream that cannot be written to nowhere, also what is flushed at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def stdout() -> Console:
    """Standard output; tables are cut to the width of a terminal, but not in a file or pipe."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, soft_wrap=True, highlight=False, markup=False, emoji=False)


def one_line(text: str) -> str:
    """A text for a terminal, on one line: line breaks and control codes in it are shown as escapes."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--home``, ``--wait`` and ``--json`` to a command, whose first argument is then a :class:`Call`."""

    @click.option(
        "--home",
        metavar="DIR",
        help="Data directory.  [default: LIKEWISE_HOME, else the user's data folder]",
    )
    @click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Seconds to wait for a store or ledger that is away; 0 for none.  [default: 60]",
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on standard output.")
    @functools.wraps(command)
    def wrapped(home: str | None, wait: float | None, as_json: bool, **rest: Any) -> Any:
        return command(Call(home, as_json, wait), **rest)

    return wrapped
