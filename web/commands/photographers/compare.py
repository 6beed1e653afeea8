"""``likewise photographers compare``: show two photographers beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json

TRAITS = 12
"""Features on a terminal; ``--json`` has all."""


@click.command("compare", short_help="Two photographers beside each other.")
@click.argument("photographer", metavar="NAME|ID")
@click.argument("other", metavar="NAME|ID")
@common
def command(call: Call, photographer: str, other: str) -> None:
    """What tells two photographers apart, with 95 % intervals; their styles, their nearest photos, and whom the
    classifier takes for whom."""
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        one, two = found_id(client, photographer), found_id(client, other)
        found = client.get(f"/photographers/{one}/compare/{two}")
    call.answer(found, lambda console: _show(found, console))


def _show(found: Json, console: Console) -> None:
    first, second = (one_line(found[which]["display_name"]) for which in ("one", "other"))
    console.print(f"{first} ({found['one']['photos']:,} photos) and {second} ({found['other']['photos']:,})")
    for note in found["notes"]:
        console.print(one_line(note))
    for by, share in found["similarity"].items():
        console.print(f"By {by}: more alike than {share:.0%} of pairs")
    show_table(console, "What tells them apart", ("", f"{first} is", first, second, "difference"), [
        ("" if trait["certain"] else "?", trait["words"],
         *(_spread(trait[which]) for which in ("one", "other", "difference")))
        for trait in found["traits"][:TRAITS]
    ])  # fmt: skip
    if any(not trait["certain"] for trait in found["traits"][:TRAITS]):
        console.print("?: the interval of the difference includes 0, so it may be chance")
    show_table(console, "Who is taken for whom", ("photos of", first, second, "others"), [
        (name, f"{row['as_one']:,}", f"{row['as_other']:,}", f"{row['as_others']:,}")
        for name, row in zip((first, second), found["taken_for"], strict=False)
    ])  # fmt: skip
    for by, pairs in found["pairs"].items():
        rows = [(mine["path"], theirs["path"]) for mine, theirs in pairs]
        show_table(console, f"Nearest photos by {by}", (first, second), rows)
    for which, name in (("one", first), ("other", second)):
        rows = [(f"{style['share']:.0%}", style["words"]) for style in found[which]["styles"]]
        show_table(console, f"Styles of {name}", ("share", ""), rows)


def _spread(estimate: Json) -> str:
    return f"{estimate['value']:.3g} ({estimate['low']:.3g} to {estimate['high']:.3g})"
