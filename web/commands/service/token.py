"""``likewise token``: show this data directory's token; make, list and revoke others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json

SCOPES = ("read", "ingest", "admin")


@click.group("token", short_help="Show the token of this data directory; make others that allow less.")
def command() -> None:
    """Tokens let programs and browsers in.

    The data directory has one of its own, in its file `token`, which allows everything. Others allow what their scope
    says: read (questions, media), ingest (also jobs and labels), admin (all). Every command here takes --json and
    --home.
    """


@command.command("show", short_help="Print the token of this data directory.")
@click.option("--header", is_flag=True, help="As the header that programs send: Authorization: Bearer …")
@common
def show(call: Call, header: bool) -> None:
    """Print the token of this data directory, which is made where there is none yet.

    `likewise token show --header | curl -H @- …` keeps it out of the list of processes."""
    from ingest.home import TOKEN_FILE, make_home, own_token

    settings = call.settings()
    make_home(settings)
    token = own_token(settings.home)
    line = f"Authorization: Bearer {token}" if header else token
    answer = {"token": token, "file": str(settings.home / TOKEN_FILE)}
    call.answer(answer, lambda console: console.print(line))


@command.command("add", short_help="Make a token.")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="read", show_default=True, help="What it allows.")
@common
def add(call: Call, name: str, scope: str) -> None:
    """Make a token for the program or person NAME. It is printed once; only a digest of it is kept."""
    from web.client import connect

    with connect(call.settings()) as client:
        made = client.post("/tokens", {"name": name, "scope": scope})
    call.answer(made, lambda console: console.print(made["token"]))


@command.command("list", short_help="List the tokens that were made.")
@common
def list_all(call: Call) -> None:
    """List the tokens that were made, by name; they themselves are not kept."""
    from web.client import connect

    with connect(call.settings()) as client:
        tokens = client.get("/tokens")
    call.answer(tokens, lambda console: _show(tokens, console))


@command.command("revoke", short_help="Revoke a token.")
@click.argument("name")
@common
def revoke(call: Call, name: str) -> None:
    """Revoke the token NAME, at once and in all processes, and end the sessions that began with it."""
    from web.client import connect

    with connect(call.settings()) as client:
        left = client.post("/tokens/revoke", {"name": name})
    call.answer(left, lambda console: console.print(f"'{name}' is let in no more."))


def _show(tokens: Json, console: Console) -> None:
    from rich.table import Table

    from web.commands.context import one_line

    table = Table("name", "scope", "made", box=None, pad_edge=False)
    for token in tokens:
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(token["created"]))
        table.add_row(one_line(token["name"]), token["scope"], made)
    console.print(table)
