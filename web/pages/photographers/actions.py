"""What the dashboard's forms do: labelling, training, renaming, merging and correcting a credit."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from ingest.photographers.training import TASK_OF
from search.errors import NotFoundError, UsageError
from search.photographers.answers import Credit
from search.photographers.model_registry import ModelKind
from search.photographers.photos.labels import decoded
from search.photographers.photos.names import given_name, photographer_id
from web.api.operation import current_node
from web.api.questions import check_id
from web.pages.photographers.shared import blueprint

MOST_TABLE = 8 << 20
"""Bytes of a table of names."""


@blueprint.post("/label")
def label() -> Response:
    """Take names from a source; a job, as it may look at every record."""
    current_node().start_task("label", label_options())
    return redirect(url_for("photographers.everyone"), 303)


def label_options() -> dict[str, str]:
    """Options of the task ``label`` from the form; the table comes with it, so no path of the server is read.

    Raises:
        UsageError: the table is missing or too large.
    """
    options = {name: request.form.get(name, "").strip() for name in ("from", "path", "depth", "groups", "base")}
    if options["from"] == Credit.CSV:
        options["table"] = _table()
    return {name: text for name, text in options.items() if text}


def _table() -> str:
    sent = request.files.get("table")
    data = sent.stream.read(MOST_TABLE + 1) if sent else b""
    if not data:
        raise UsageError("No table came with the form.", "Choose a CSV file with the columns path and photographer.")
    if len(data) > MOST_TABLE:
        raise UsageError(
            f"The table is larger than {MOST_TABLE >> 20} MiB.", "`likewise photographers label` takes it."
        )
    return decoded(data)


@blueprint.post("/train")
def train() -> Response:
    """Learn from the photos whose photographer is known; a job."""
    kind = request.form.get("kind", "classifier")
    if kind not in set(ModelKind):
        raise UsageError(f"There is no model '{kind}' to train.", f"Known are: {', '.join(ModelKind)}.")
    current_node().start_task(TASK_OF[ModelKind(kind)])
    return redirect(url_for("photographers.space" if kind == ModelKind.JOINT else "photographers.everyone"), 303)


@blueprint.post("/<who>/rename")
def rename(who: str) -> Response:
    """Give a photographer another name; the page of that name follows."""
    node = current_node()
    name = request.form.get("name", "").strip()
    node.rename_photographer(node.photographers.name_of(who), name)
    return redirect(url_for("photographers.one", who=photographer_id(given_name(name) or name)), 303)


@blueprint.post("/<who>/merge")
def merge(who: str) -> Response:
    """Credit all photos of one photographer to another."""
    node = current_node()
    into = node.photographers.name_of(request.form.get("into", ""))
    node.rename_photographer(node.photographers.name_of(who), into)
    return redirect(url_for("photographers.one", who=photographer_id(into)), 303)


@blueprint.post("/credit")
def credit() -> Response:
    """Say by hand whose photo one is, or by an empty name that it is nobody's who is known; then back to the page that
    asked: the photographer's, or the photo's."""
    node = current_node()
    media, back = check_id(request.form.get("media", "")), request.form.get("back", "")
    node.credit_photo(media, request.form.get("name", "").strip())
    if not back:
        return redirect(url_for("item.page", media_id=media), 303)
    try:
        node.photographers.name_of(back)
    except NotFoundError:  # it was their only photo
        return redirect(url_for("photographers.everyone"), 303)
    return redirect(url_for("photographers.one", who=back), 303)
