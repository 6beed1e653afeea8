"""``likewise photographers show``: show the profile of one photographer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from web.client import Json

TRAITS, OTHERS = 10, 10
"""Numbers of traits, and of all other rows, on a terminal; ``--json`` has all."""

NEAREST = 4
"""Number of similar photographers shown for each kind of similarity."""


@click.command("show", short_help="All about one photographer.")
@click.argument("photographer", metavar="NAME|ID")
@common
def command(call: Call, photographer: str) -> None:
    """What sets a photographer apart, their styles, who works alike, shoots, cameras and probable mis-credits."""
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        shown = client.get(f"/photographers/{found_id(client, photographer)}")
    call.answer(shown, lambda console: _show(shown, console))


def _show(one: Json, console: Console) -> None:
    from web.commands.photographers.similar import show_alike

    span = " to ".join(time[:10] for time in (one["first"], one["last"]) if time)
    photos = "1 photo" if one["photos"] == 1 else f"{one['photos']:,} photos"
    console.print(f"{_called(one)}: {photos}{f', {span}' if span else ''} ({one['id']})")
    for note in one["notes"]:
        console.print(one_line(note))
    show_table(console, "What sets them apart", ("effect", "feature", "theirs", "others"), [
        (f"{trait['effect']:+.1f}", trait["words"], f"{trait['mine']:.3g}", f"{trait['others']:.3g} {trait['unit']}")
        for trait in one["traits"][:TRAITS]
    ])  # fmt: skip
    show_table(console, "Styles", ("share", "photos", ""), [
        (f"{style['share']:.0%}", f"{style['photos']:,}", style["words"]) for style in one["styles"]
    ])  # fmt: skip
    if one["alike"]:
        console.print("\nWho works alike")
        by = dict.fromkeys(other["by"] for other in one["alike"])
        nearest = [[other for other in one["alike"] if other["by"] == each][:NEAREST] for each in by]
        show_alike([other for some in nearest for other in some], console)
    show_table(console, "Latest shoots", ("photos", "from", "to", "name"), [
        (f"{shoot['photos']:,}", (shoot["start"] or "")[:16], (shoot["end"] or "")[:16], shoot["name"])
        for shoot in one["sessions"][:OTHERS]
    ])  # fmt: skip
    _counts(console, "Cameras", one["cameras"])
    _counts(console, "Lenses", one["lenses"])
    show_table(console, "Probable mis-credits", ("photo", "rather", "probability"), [
        (doubt["photo"]["path"], doubt["predicted"], f"{doubt['probability']:.0%}")
        for doubt in one["miscredits"][:OTHERS]
    ])  # fmt: skip


def _called(one: Json) -> str:
    """What people read, and the name that photos are credited by where that is another."""
    shown, name = one_line(one["display_name"]), one_line(one["name"])
    return shown if shown == name else f"{shown}, credited as {name}"


def _counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    if counts:
        console.print(f"\n{title}: " + ", ".join(f"{one_line(name)} {n:,}" for name, n in counts.items()))
