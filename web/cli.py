"""The ``likewise`` command line: find and run a command, turn errors into messages and exit statuses.

Exit status: 0 done; 1 done, with failures; 2 wrong usage; 3 could not run; 130 interrupted.

Commands are modules of ``web.commands`` and import what they need when they run, so that ``likewise --help`` never
waits for a model library.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from search.errors import DiskFullError, LikewiseError
from web.commands.context import give_up_stream, say

COMMANDS = {
    "up": "web.commands.service.up",
    "demo": "web.commands.service.demo",
    "serve": "web.commands.service.serve",
    "open": "web.commands.service.open_page",
    "token": "web.commands.service.token",
    "ingest": "web.commands.library.ingest",
    "similar": "web.commands.questions.similar",
    "search": "web.commands.questions.words",
    "status": "web.commands.library.status",
    "jobs": "web.commands.library.jobs",
    "failures": "web.commands.library.failures",
    "duplicates": "web.commands.questions.duplicates",
    "photographers": "web.commands.photographers.group",
    "evaluate": "web.commands.questions.evaluate",
    "overlaps": "web.commands.library.overlaps",
    "calibrate": "web.commands.library.calibrate",
    "reembed": "web.commands.library.reembed",
    "verify": "web.commands.library.verify",
    "export": "web.commands.questions.export",
    "import": "web.commands.questions.import_vectors",
    "backup": "web.commands.library.backup",
    "restore": "web.commands.library.restore",
    "migrate": "web.commands.library.migrate",
    "worker": "web.commands.service.worker",
    "doctor": "web.commands.service.doctor",
}
"""Module of each command, which defines it as ``command``; in the order of ``--help``."""

SUPERVISED = frozenset({"ingest", "failures", "reembed", "verify", "calibrate", "photographers", "migrate", "restore"})
"""Commands that may write much into the store from their own process."""

INTERRUPTED = 130


class LikewiseGroup(click.Group):
    """Imports the module of a command when it is called, and handles the errors of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command

    def main(  # type: ignore[override]  # click declares two overloads by standalone_mode, which is one case here
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command and exit from the process with its status."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        if args is None and arguments and arguments[0] in SUPERVISED:
            _supervise(arguments)
        try:
            status = super().main(arguments, prog_name or "likewise", **extra)
            sys.exit(status if isinstance(status, int) else 0)
        except click.exceptions.Exit as ending:
            sys.exit(ending.exit_code)
        except click.ClickException as error:
            with suppress(OSError):
                error.show()
            _answer_json(arguments, "usage", error.format_message(), "")
            sys.exit(2)
        except (click.Abort, KeyboardInterrupt):
            say("Interrupted.")
            sys.exit(INTERRUPTED)
        except LikewiseError as error:
            sys.exit(_report(arguments, error))
        except BrokenPipeError:
            # The reader of the output has ended (`likewise jobs | head`); nothing may be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as error:
            status = _report(arguments, explain_os_error(error))
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                give_up_stream(sys.stdout)  # where it is what cannot be written, it is not written at exit either
            sys.exit(status)


@click.command(cls=LikewiseGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="likewise", message="%(prog)s %(version)s")
def main() -> None:
    """Find media that is like this: pictures, videos and sounds at once.

    \b
    likewise up ~/Pictures          open the page and import what is there
    likewise similar photo.jpg      what looks like this photo?

    Exit status: 0 done, 1 done with failures, 2 wrong usage, 3 could not run.
    """


def explain_os_error(error: OSError) -> LikewiseError:
    """An error of the operating system as one with a hint for people."""
    where = f" at '{error.filename}'" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(f"The disk is full{where}.", "Free some space and run the command again.")
    return LikewiseError(f"{error.strerror or error}{where}.", "Check the path and its permissions.")


def _supervise(arguments: Sequence[str]) -> None:
    """Go on in a child, and end as that does, with words where it was ended by a bus error."""
    from web.supervised import end_as, run_in_child

    status = run_in_child()
    if status == -signal.SIGBUS:
        error = DiskFullError(
            "The process was ended while it wrote into the store: a disk filled up at that moment, or is failing.",
            "Make room on the disk of the data directory and run the same command again; what was stored is intact.",
        )
        sys.exit(_report(arguments, error))
    if status is not None:
        end_as(status)


def _report(arguments: Sequence[str], error: LikewiseError) -> int:
    say(f"Error: {error.message}")
    if error.hint:
        say(error.hint)
    _answer_json(arguments, error.code, error.message, error.hint)
    return error.exit_status


def _answer_json(arguments: Sequence[str], code: str, message: str, hint: str) -> None:
    """Print the error object of the API for scripts that use ``--json``."""
    if "--json" in arguments:
        try:
            click.echo(json.dumps({"error": {"code": code, "message": message, "hint": hint}}, ensure_ascii=False))
        except OSError:  # it may be standard output itself that cannot be written
            give_up_stream(sys.stdout)


if __name__ == "__main__":
    main()
