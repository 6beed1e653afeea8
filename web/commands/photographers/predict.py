"""``likewise photographers predict``: predict the photographer of a file or of a stored photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from ingest.node import Node
    from web.client import Json

SHOWN, REASONS = 5, 8


@click.command("predict", short_help="Whose photo is this?")
@click.argument("example", metavar="FILE|ID")
@common
def command(call: Call, example: str) -> None:
    """Whose photo is FILE (it need not be stored; it may lie in a bucket), or the stored photo with this ID?

    Names come with calibrated probabilities: of answers given with 80 %, about 80 % are right. Below the threshold,
    which was tuned on photographers the model had never seen, the answer is "unknown".
    """
    from web.client import connect
    from web.commands.questions.similar import example_file

    settings = call.settings()
    with example_file(example, settings) as file, connect(settings) as client:
        if file is None:
            answer = client.post("/photographers/predict", {"like": example})
        elif client.node is None:
            answer = client.upload("/photographers/predict", file, {})
        else:
            answer = _ask_about_file(client.node, file)
    call.answer(answer, lambda console: _show(answer, console))


def _ask_about_file(node: Node, file: Path) -> Json:
    """Predict in this process, which reads the file in place, whatever its size."""
    from search.photographers.model_registry import ModelKind, untrained
    from web.api.photographers import Predicting, predict_photographer
    from web.plain import dump

    if not node.photographers.trained:
        raise untrained(ModelKind.CLASSIFIER)  # before the models are loaded in vain
    return dump(predict_photographer(node, Predicting(), node.encoder.probe(str(file), file.name)))


def _show(answer: Json, console: Console) -> None:
    from rich.table import Table

    best = answer["candidates"][0] if answer["candidates"] else None
    if answer["unknown"] or best is None:
        console.print(f"Unknown: nobody the classifier has learnt from, or too close to call (below "
                      f"{answer['threshold']:.0%}).")  # fmt: skip
    else:
        console.print(f"{one_line(best['photographer'])}, {best['probability']:.0%}")
    table = Table("photographer", "probability", "by style", "by subject", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    style, subject = (_by_name(answer[by]) for by in ("by_style", "by_subject"))
    for one in answer["candidates"][:SHOWN]:
        name = one["photographer"]
        table.add_row(one_line(name), f"{one['probability']:.1%}", style.get(name, ""), subject.get(name, ""))
    console.print(table)
    if answer["reasons"] and best is not None:
        console.print(f"What spoke for and against {one_line(best['photographer'])}:")
    for reason in answer["reasons"][:REASONS]:
        console.print(f"{'for' if reason['weight'] > 0 else 'against'}: {one_line(reason['words'])}"
                      f" ({reason['weight']:+.2f})")  # fmt: skip
    for note in answer["notes"]:
        console.print(one_line(note))


def _by_name(candidates: Json) -> dict[str, str]:
    return {one["photographer"]: f"{one['probability']:.1%}" for one in candidates}
