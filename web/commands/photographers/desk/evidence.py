"""``likewise photographers evidence``: write predictions with all that is behind them as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from ingest.node import Node
    from web.client import Json


@click.command("evidence", short_help="Predictions with all behind them, as one file.")
@click.argument("examples", metavar="FILE|ID...", nargs=-1)
@click.option("--folder", help="All pictures of the library at or below this folder.")
@click.option(
    "--to", "target", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The HTML file to write."
)
@common
def command(call: Call, examples: tuple[str, ...], folder: str | None, target: Path) -> None:
    """Write whose photos these are, of up to 40, with what spoke for and against, the nearest photos by style and their
    credits, and the digests of model and data, as one HTML file that loads nothing and prints well.

    Photos are named by their IDs, or by a folder of the library; one of them may be a FILE that is not stored.
    """
    from search.errors import UsageError
    from web.client import connect
    from web.commands.questions.similar import example_file
    from web.export import replacing

    settings = call.settings()
    files, ids = [], []
    for example in examples:
        with example_file(example, settings) as file:
            if file is None:
                ids.append(example)
            else:
                files.append(example)
    if len(files) > 1:
        raise UsageError("Evidence takes one file that is not stored.", "Ingest the others, and name their ids.")
    given = {"like": ids, "folder": folder or ""}
    with connect(settings) as client:
        if not files:
            made = client.post("/photographers/predict/evidence", given)
        else:
            with example_file(files[0], settings) as file:
                assert file is not None
                if client.node is None:
                    made = client.upload("/photographers/predict/evidence", file, given)
                else:
                    made = _of_file(client.node, file, given)
    with replacing(target.expanduser()) as fresh:
        fresh.write_text(made["html"], "utf-8")
    told = {"to": str(target), "bytes": len(made["html"].encode())}
    call.answer(told, lambda console: console.print(f"Written: {target}", highlight=False))


def _of_file(node: Node, file: Path, given: Json) -> Json:
    """Evidence in this process, which reads the file in place, whatever its size."""
    from web.api.prediction.evidence import predict_evidence
    from web.api.prediction.many import PredictingMany
    from web.app import create_app
    from web.plain import dump

    asked = PredictingMany(tuple(given["like"]), given["folder"])
    probe = node.encoder.probe(str(file), file.name)
    with create_app(node).app_context():
        return dump(predict_evidence(node, asked, probe))
