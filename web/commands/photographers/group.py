"""``likewise photographers``: the group of the commands about photographers."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "label": "web.commands.photographers.label",
    "rename": "web.commands.photographers.rename",
    "merge": "web.commands.photographers.rename",
    "train": "web.commands.photographers.train",
    "report": "web.commands.photographers.report",
    "list": "web.commands.photographers.listing",
    "show": "web.commands.photographers.show",
    "compare": "web.commands.photographers.compare",
    "shoots": "web.commands.photographers.over_time.shoots",
    "timeline": "web.commands.photographers.over_time.timeline",
    "similar": "web.commands.photographers.similar",
    "place": "web.commands.photographers.space.place",
    "encode": "web.commands.photographers.space.encode",
    "predict": "web.commands.photographers.predict",
    "develop": "web.commands.photographers.develop",
    "development": "web.commands.photographers.develop",
    "evidence": "web.commands.photographers.desk.evidence",
    "credit": "web.commands.photographers.desk.credit",
    "undo": "web.commands.photographers.desk.credit",
    "display": "web.commands.photographers.desk.credit",
    "facts": "web.commands.photographers.desk.facts",
    "presets": "web.commands.photographers.presets",
}
"""Module of each command, which defines it as ``command``, or by its own name where it defines several."""


class PhotographersGroup(click.Group):
    """Imports the module of a command when it is called, as ``web.cli.LikewiseGroup`` does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name, None) or module.command
        return command


@click.command("photographers", cls=PhotographersGroup, short_help="Identify photographers, and find who works alike.")
def command() -> None:
    """Photographers: who took what, whose style a photo carries, who works alike.

    \b
    likewise photographers label --from exif     read who took what
    likewise photographers train                 train the classifier
    likewise photographers predict photo.jpg     whose photo is this?
    likewise photographers develop photo.jpg --like NAME

    Each of them takes --json and --home.
    """
