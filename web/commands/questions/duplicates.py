"""``likewise duplicates``: identical files, same pictures, edited copies; bursts; and reused film and sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Client, Json

SAID = {
    "exact_copy": "identical files",
    "same_picture": "same picture, other metadata",
    "edited_copy": "edited copies",
    "burst": "burst, all of it to be kept",
}


@click.command("duplicates", short_help="List identical files, edited copies and bursts.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="List so many groups.")
@common
def command(call: Call, limit: int) -> None:
    """List groups of files that are identical, hold the same picture with other metadata, or are edited copies of one
    original, the one to keep first. Shots of one burst are listed apart: they are no copies. Then come the spans of
    films and sounds that are in others, as `likewise overlaps` has found them. Nothing is changed or deleted."""
    from web.client import MOST_ON_A_PAGE, connect

    with connect(call.settings()) as client:
        answer = client.get("/duplicates", {"limit": min(limit, MOST_ON_A_PAGE)})
        while answer.get("after") and (missing := limit - len(answer["groups"])) > 0:
            page = client.get("/duplicates", {"limit": min(missing, MOST_ON_A_PAGE), "after": answer["after"]})
            answer = page | {"groups": answer["groups"] + page["groups"]}
        spans = found_spans(client, limit)
    call.answer(answer | {"spans": spans}, lambda console: _show(answer, spans, console))


def found_spans(client: Client, limit: int) -> Json:
    """The first spans of films and sounds that are in others, as ``GET /overlaps`` answers."""
    from web.client import MOST_ON_A_PAGE

    answer = client.get("/overlaps", {"limit": min(limit, MOST_ON_A_PAGE)})
    while answer.get("after") and (missing := limit - len(answer["overlaps"])) > 0:
        page = client.get("/overlaps", {"limit": min(missing, MOST_ON_A_PAGE), "after": answer["after"]})
        answer = page | {"overlaps": answer["overlaps"] + page["overlaps"]}
    return answer


def show_spans(answer: Json, console: Console) -> None:
    """List spans, each in both recordings."""
    from search.similar.reuse.overlaps import manner
    from web.wording import place

    for span in answer["overlaps"]:
        one, other = (
            f"{place(side['start'], (side['start'], side['end']))} of {one_line(side['paths'][0])}"
            for side in (span["one"], span["other"])
        )
        console.print(f"{one} is {other}{manner(span['flipped'], span['heard'])}", soft_wrap=True)
    for note in answer["notes"]:
        console.print(note)


def _show(answer: Json, spans: Json, console: Console) -> None:
    from search.records.differences import FactDifference
    from web.wording import fact_label, fact_values

    groups = answer["groups"]
    if not groups:
        console.print("No duplicates were found.")
    for number, group in enumerate(groups, 1):
        console.print(f"Group {number}: {group['kind']}, {SAID.get(group['relation'], group['relation'])}")
        for member in group["members"]:
            unsure = group["relation"] == "edited_copy" and not member["removable"] and member["id"] != group["keep"]
            for path in member["paths"]:
                console.print(f"  {one_line(path)}{'  (may be another shot)' if unsure else ''}")
        for one in group["differing"]:
            values = " | ".join(fact_values(FactDifference(one["field"], tuple(one["values"]))))
            console.print(f"    {fact_label(one['field'])}: {one_line(values)}")
    for note in answer.get("notes", ()):
        console.print(note)
    show_spans(spans, console)
