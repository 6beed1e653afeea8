"""``likewise photographers develop`` and ``development``: settings, LUTs and presets like somebody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from ingest.node import Node
    from web.client import Json

_NUMBERS = ("theirs", "error", "own")
_FILE = click.Path(dir_okay=False, writable=True)


@click.command("develop", short_help="Develop a photo like somebody's.")
@click.argument("example", metavar="FILE|ID")
@click.option("--like", "photographer", required=True, metavar="NAME|ID", help="Whose work it is to look like.")
@click.option("--style", type=click.IntRange(1), help="One of their styles: 1 is the most frequent.")
@click.option("--from", "taken_from", metavar="DATE", help="Only what they took from then on: 1941, 1941-06.")
@click.option("--to", "taken_to", metavar="DATE", help="Only what they took until then.")
@click.option(
    "--strength",
    type=click.FloatRange(0, 1.5),
    default=1.0,
    show_default=True,
    help="Share of the way there, 0 to 1.5.",
)
@click.option("--undeveloped", is_flag=True, help="Take the photo as it came from the camera.")
@click.option("--cube", type=_FILE, help="Write a 3-D LUT for Photoshop, Resolve, darktable, FFmpeg.")
@click.option("--xmp", type=_FILE, help="Write a preset for Lightroom and Camera Raw.")
@click.option("--preview", type=_FILE, help="Write the developed preview, a JPEG.")
@common
def develop(
    call: Call,
    example: str,
    photographer: str,
    style: int | None,
    taken_from: str | None,
    taken_to: str | None,
    strength: float,
    undeveloped: bool,
    **files: str | None,
) -> None:
    """What would make the photo FILE, or the stored photo with this ID, look as if somebody else had developed it.

    Exposure, white balance, contrast, colours, toning, vignette and grain are read from the photographer's photos, and
    from this one; what is said, written and shown is the difference. LUTs hold neither vignette nor grain.
    """
    from web.client import connect
    from web.commands.questions.similar import example_file

    wanted = {name: path for name, path in files.items() if path is not None}
    asked = {
        "photographer": photographer,
        "style": style,
        "taken_from": taken_from or "",
        "taken_to": taken_to or "",
        "strength": strength,
        "developed": not undeveloped,
        "include": list(wanted),
    }
    given = {name: value for name, value in asked.items() if value is not None}
    settings = call.settings()
    with example_file(example, settings) as file, connect(settings) as client:
        if file is None:
            answer = client.post("/photographers/develop", given | {"like": example})
        elif client.node is None:
            answer = client.upload("/photographers/develop", file, given)
        else:
            answer = _ask_about_file(client.node, file, given)
    _write(wanted, answer)
    call.answer(answer, lambda console: _show(answer["development"], wanted, console))


@click.command("development", short_help="How somebody develops, over time.")
@click.argument("photographer", metavar="NAME|ID")
@common
def development(call: Call, photographer: str) -> None:
    """The twelve settings read from a photographer's photos, of each of their styles, and over time."""
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        courses = client.get(f"/photographers/{found_id(client, photographer)}/development")
    call.answer(courses, lambda console: _show_courses(courses, console))


def _ask_about_file(node: Node, file: Path, given: Json) -> Json:
    """Develop in this process, which reads the file in place, whatever its size."""
    from web.api.photographers import Developing, develop_photo
    from web.plain import dump

    asked = Developing(**given | {"include": tuple(given["include"])})
    node.photographers.name_of(asked.photographer)  # before the models are loaded in vain
    return dump(develop_photo(node, asked, node.encoder.probe(str(file), file.name)))


def _write(wanted: Mapping[str, str], answer: Json) -> None:
    """
    Raises:
        NotFoundError: the photo has no preview.
        UnreadableFileError: a file cannot be written.
    """
    import base64
    from pathlib import Path

    from search.errors import NotFoundError, UnreadableFileError

    for name, path in wanted.items():
        text = answer[name]
        if text is None:
            raise NotFoundError("This photo has no preview.", "`likewise verify --repair` makes what is missing.")
        data = base64.b64decode(text) if name == "preview" else text.encode("utf-8")
        try:
            Path(path).write_bytes(data)
        except OSError as error:
            raise UnreadableFileError(f"'{path}' cannot be written: {error.strerror}.") from error


def _show(found: Json, written: Mapping[str, str], console: Console) -> None:
    from search.photographers.develop.words import sentence

    photos = "1 photo" if found["photos"] == 1 else f"{found['photos']:,} photos"
    shown = one_line(found["display_name"] or found["photographer"])
    console.print(f"Like {shown} ({photos}): {sentence(tuple(found['words']))}")
    show_table(console, "Settings", ("setting", "theirs", "±", "own", "change", ""), [
        (one["label"], *(f"{one[name]:.3g}" for name in _NUMBERS), f"{one['change']:+.3g}", one["unit"])
        for one in found["settings"]
    ])  # fmt: skip
    for note in found["notes"]:
        console.print(one_line(note))
    for path in written.values():
        console.print(f"Written: {one_line(path)}")


def _show_courses(courses: Json, console: Console) -> None:
    from search.photographers.develop.words import WORDS

    for course in courses:
        title = "All photos" if course["style"] is None else f"Style {course['style']}"
        periods = [period for period in course["periods"] if period["settings"]]
        columns = ("setting", f"all {course['photos']:,}", *(f"{one['label']} ({one['photos']})" for one in periods))
        show_table(console, title, columns, [
            (words.label, f"{course['settings'][name]:.3g}", *(f"{one['settings'][name]:.3g}" for one in periods))
            for name, words in WORDS.items()
        ])  # fmt: skip
