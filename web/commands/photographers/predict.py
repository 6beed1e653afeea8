"""``likewise photographers predict``: predict the photographer of files or stored photos, and judge them together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from ingest.node import Node
    from search.settings import Settings
    from web.client import Client, Json

SHOWN, REASONS = 5, 8
SET_CANDIDATES = 3
MOST_AT_ONCE = 4
"""Photos that are asked about at once, at most; fewer where there are fewer decoders."""


@click.command("predict", short_help="Whose photo is this?")
@click.argument("examples", metavar="FILE|FOLDER|ID...", nargs=-1, required=True)
@click.option(
    "--csv", "table", metavar="FILE", type=click.Path(path_type=Path), help="Write a table with one row a photo."
)
@click.option(
    "--with-file", is_flag=True, help="Let facts of file, clock and camera count as well, and ask trees, too."
)
@common
def command(call: Call, examples: tuple[str, ...], table: Path | None, with_file: bool) -> int:
    """Whose photo is FILE (it need not be stored; it may lie in a bucket), or the stored photo with this ID?

    The picture alone is asked; what the facts of file, clock and camera say stands beside it, and with --with-file what
    CatBoost over features and embedding says. Names come with
    calibrated probabilities: of answers given with 80 %, about 80 % are right. Below the threshold, which was tuned on
    photographers the model had never seen, the answer is "unknown". One photo alone cannot be told well. Of several
    files, or all pictures in a FOLDER, each is answered and all are judged together: all by one photographer, by
    nobody who is known, or mixed.

    Exits with 1 where one of several could not be read.
    """
    from web.client import connect

    settings, evidence = call.settings(), "everything" if with_file else "picture"
    if len(examples) == 1 and table is None and not _is_folder(examples[0]):
        with connect(settings) as client:
            answer = _ask(client, examples[0], settings, evidence)
        call.answer(answer, lambda console: _show(answer, console))
        return 0
    named = [name for example in examples for name in _expanded(example, settings)]
    with connect(settings) as client:
        photos = list(_ask_each(client, named, settings, evidence))
        told = _judge(client, photos)
    if table is not None:
        from web.commands.photographers.tables import write_predictions

        write_predictions(table, photos)
        call.say(f"{table}: {len(photos):,} rows.")
    call.answer({"photos": photos, "set": told}, lambda console: _show_all(photos, told, console))
    return 1 if any(photo["error"] for photo in photos) else 0


def _is_folder(example: str) -> bool:
    from search import addresses

    return not addresses.is_remote(example) and Path(example).expanduser().is_dir()


def _expanded(example: str, settings: Settings) -> list[str]:
    """The argument itself, or the pictures at and below the folder that it names, as an ingest would find them.

    Raises:
        NotFoundError: there is no picture in the folder.
    """
    from ingest.scan.folders import FolderListing, Root, Scan
    from search.errors import NotFoundError
    from search.media import Kind
    from workers.decode.kinds import kind_of_name

    if not _is_folder(example):
        return [example]
    folder = str(Path(example).expanduser().resolve())
    found = Scan([Root(folder, folder)], excludes=settings.excludes, home=str(settings.home))
    paths = [path for listing in found if isinstance(listing, FolderListing) for path, *_ in listing.files]
    pictures = sorted(path for path in paths if kind_of_name(path) is Kind.IMAGE)
    if not pictures:
        raise NotFoundError(f"There is no picture in '{folder}'.", "Name a folder that holds pictures.")
    return pictures


def _ask(client: Client, example: str, settings: Settings, evidence: str) -> Json:
    from web.commands.questions.similar import example_file

    with example_file(example, settings) as file:
        if file is None:
            return client.post("/photographers/predict", {"like": example, "evidence": evidence})
        if client.node is None:
            return client.upload("/photographers/predict", file, {"evidence": evidence})
        return _ask_about_file(client.node, file, evidence)


def _ask_about_file(node: Node, file: Path, evidence: str) -> Json:
    """Predict in this process, which reads the file in place, whatever its size."""
    from search.photographers.answers import Basis
    from search.photographers.model_registry import ModelKind, untrained
    from web.api.photographers import Predicting, predict_photographer
    from web.plain import dump

    if not node.photographers.trained:
        raise untrained(ModelKind.CLASSIFIER)  # before the models are loaded in vain
    asked = Predicting(evidence=Basis(evidence))
    return dump(predict_photographer(node, asked, node.encoder.probe(str(file), file.name)))


def _ask_each(client: Client, examples: list[str], settings: Settings, evidence: str) -> Iterator[Json]:
    """Each photo with its prediction, or with the reason why it has none. Some are asked about at once, so that
    decoders work while others are embedded.

    Raises:
        LikewiseError: what fails for one photo would fail for all: nothing has been trained, say.
    """
    from concurrent.futures import ThreadPoolExecutor

    from search.errors import MediaError, UnreadableFileError, UsageError

    def ask(example: str) -> Json:
        try:
            return {"file": example, "prediction": _ask(client, example, settings, evidence), "error": None}
        except (MediaError, UnreadableFileError, UsageError) as error:
            return {"file": example, "prediction": None, "error": str(error)}

    at_once = min(settings.decode_workers or settings.cores, MOST_AT_ONCE)
    with ThreadPoolExecutor(at_once, thread_name_prefix="predict") as threads:
        for at, photo in enumerate(threads.map(ask, examples)):
            if photo["error"] is not None:
                say(one_line(f"{photo['file']}: {photo['error']}"))
            yield photo
            if (at + 1) % 100 == 0:
                say(f"{at + 1:,} of {len(examples):,}")


def _judge(client: Client, photos: list[Json]) -> Json:
    """The verdict on all photos that could be predicted; None for fewer than two."""
    told = [photo["prediction"] for photo in photos if photo["prediction"] is not None]
    evidence = [
        {
            "probabilities": {one["photographer"]: one["probability"] for one in prediction["candidates"]},
            "nearness": prediction["nearness"],
        }
        for prediction in told
        if prediction["candidates"]
    ]
    return client.post("/photographers/predict/set", {"photos": evidence}) if len(evidence) > 1 else None


def _show_all(photos: list[Json], told: Json, console: Console) -> None:
    from rich.table import Table

    table = Table("file", "photographer", "probability", "one of", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for photo in photos:
        prediction = photo["prediction"]
        if prediction is None:
            table.add_row(one_line(photo["file"]), "not read", "", "")
            continue
        best = prediction["candidates"][0] if prediction["candidates"] else None
        unknown = prediction["unknown"] or best is None
        name, likely = ("", "") if best is None else (_shown(best), f"{best['probability']:.0%}")
        table.add_row(
            one_line(photo["file"]),
            "unknown" if unknown else name,
            "" if unknown else likely,
            _names(prediction),
        )
    console.print(table)
    first = next((photo["prediction"] for photo in photos if photo["prediction"] is not None), None)
    if first is not None and first["coverage"] is not None:
        console.print(f"One of: for {first['coverage']:.0%} of the photos by photographers who are known, it holds the "
                      "right name.")  # fmt: skip
    if told is not None:
        _show_set(told, console)


def _show_set(told: Json, console: Console) -> None:
    if told["verdict"] is not None:
        words = {
            "ours": "all by one photographer who is known",
            "nobody": "by nobody who is known",
            "mixed": "mixed: by several photographers, or in part by nobody who is known",
        }
        console.print(f"All {told['photos']} photos together: {words[told['verdict']]} ({told['probability']:.0%}, "
                      "where all three are equally frequent)")  # fmt: skip
        likely = ", ".join(f"{_shown(one)} {one['probability']:.0%}" for one in told["candidates"][:SET_CANDIDATES])
        console.print(f"If all are by one: {likely}")
    for note in told["notes"]:
        console.print(one_line(note))


def _show(answer: Json, console: Console) -> None:
    from rich.table import Table

    best = answer["candidates"][0] if answer["candidates"] else None
    if answer["unknown"] or best is None:
        console.print(f"Unknown: nobody the classifier has learnt from, or too close to call (below "
                      f"{answer['threshold']:.0%}).")  # fmt: skip
    else:
        console.print(f"{_shown(best)}, {best['probability']:.0%}")
    trees = answer["by_trees"]
    columns = ("photographer", "probability", "by style", "by subject", "by file", *(["by trees"] if trees else []))
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    style, subject, file = (_by_name(answer[by]) for by in ("by_style", "by_subject", "by_file"))
    grown = _by_name(trees["candidates"]) if trees else {}
    for one in answer["candidates"][:SHOWN]:
        name = one["photographer"]
        beside = [by.get(name, "") for by in (style, subject, file, *([grown] if trees else []))]
        table.add_row(_shown(one), f"{one['probability']:.1%}", *beside)
    console.print(table)
    if trees:
        first = trees["candidates"][0]
        console.print(f"By trees (CatBoost over features and embedding): {_shown(first)}, {first['probability']:.0%}. "
                      f"{one_line(trees['note'])}")  # fmt: skip
    if answer["coverage"] is not None:
        console.print(f"One of {len(answer['one_of'])}: {_names(answer)}. For "
                      f"{answer['coverage']:.0%} of the photos by photographers who are known, such a set holds the "
                      "right name.")  # fmt: skip
    if answer["reasons"] and best is not None:
        console.print(f"What spoke for and against {_shown(best)}:")
    for reason in answer["reasons"][:REASONS]:
        console.print(f"{'for' if reason['weight'] > 0 else 'against'}: {one_line(reason['words'])}"
                      f" ({reason['weight']:+.2f})")  # fmt: skip
    for check in answer["checks"]:
        if check["passed"] is False:
            console.print(f"Mind: {one_line(check['words'])}")
    for note in answer["notes"]:
        console.print(one_line(note))


def _shown(candidate: Json) -> str:
    """What people read for a candidate."""
    return one_line(candidate.get("display_name") or candidate["photographer"])


def _names(answer: Json) -> str:
    """The conformal set, as people read the names."""
    shown = {one["photographer"]: _shown(one) for one in answer["candidates"]}
    return ", ".join(shown.get(name, one_line(name)) for name in answer["one_of"])


def _by_name(candidates: Json) -> dict[str, str]:
    return {one["photographer"]: f"{one['probability']:.1%}" for one in candidates}
