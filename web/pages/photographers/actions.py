"""Forms of the dashboard: label, train, rename, merge and credit, by the functions of the API."""

from __future__ import annotations

from dataclasses import replace

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from search.errors import NotFoundError, UsageError
from search.photographers.photos.labels import decoded
from search.photographers.photos.names import photographer_id
from web.api import photographers as api
from web.api.crediting import by_hand, shoots
from web.api.operation import current_node
from web.bodies import takes_file, takes_long_text
from web.pages.forms import read_form
from web.pages.photographers.shared import blueprint

SOURCES = {"exif": "metadata", "folder": "folders", "csv": "a CSV"}
"""Sources of credits whose changes are shown before they are made, in words."""


@blueprint.post("/label")
@takes_file
@takes_long_text
def label() -> Response:
    """What crediting by a source would change; with ``apply`` the job that does it starts instead. A table comes with
    the form, first as a file. Groups of alike photos are made at once."""
    form = MultiDict((name, text) for name, text in request.form.items(multi=True) if name != "apply")
    new: api.NewLabels = read_form(api.NewLabels, form)
    if table := request.files.get("table"):
        new = replace(new, table=decoded(table.stream.read()))
    if new.source in SOURCES and not request.form.get("apply"):
        body = render_template(
            "photographers/label.html",
            new=new,
            fields=new.options,
            source_words=SOURCES[new.source],
            preview=api.preview_labels(current_node(), new),
        )
        return make_response(body)
    api.label_photographers(current_node(), new)
    return redirect(url_for("photographers.everyone"), 303)


@blueprint.post("/label/undo")
def undo_label() -> Response:
    """Start the job that takes back what a job has credited."""
    api.label_photographers(current_node(), api.NewLabels("none", undo=request.form.get("job", "")))
    return redirect(url_for("photographers.everyone"), 303)


@blueprint.post("/train")
def train() -> Response:
    """Start the job that trains a model on the credited photos."""
    new: api.NewTraining = read_form(api.NewTraining)
    api.train_photographers(current_node(), new)
    return redirect(url_for("photographers.space" if new.kind == "joint" else "photographers.everyone"), 303)


@blueprint.post("/<who>/rename")
def rename(who: str) -> Response:
    """Ask whether a photographer is to have another name; once that is confirmed, the page of that name follows."""
    node, name = current_node(), request.form.get("name", "").strip()
    if not request.form.get("confirmed"):
        return _confirm("photographers.rename", who, name)
    former = node.photographers.name_of(who)
    renamed = by_hand.rename_photographer(node, by_hand.Renaming(former, name))
    return redirect(url_for("photographers.one", who=photographer_id(renamed.name), former=former), 303)


@blueprint.post("/<who>/merge")
def merge(who: str) -> Response:
    """Ask whether all photos of one photographer are to be credited to another; once that is confirmed, the page of the
    other follows."""
    node, into = current_node(), request.form.get("into", "").strip()
    if not request.form.get("confirmed"):
        return _confirm("photographers.merge", who, into)
    former = node.photographers.name_of(who)
    merged = by_hand.merge_photographers(node, by_hand.Merging(former, into))
    return redirect(url_for("photographers.one", who=photographer_id(merged.name), former=former), 303)


@blueprint.post("/former-name")
def undo_rename() -> Response:
    """Undo a rename or a merge: credits by the former name go by it again. The page of that name follows."""
    former = request.form.get("former", "")
    by_hand.rename_photographer(current_node(), by_hand.Renaming(former, former))
    return redirect(url_for("photographers.one", who=photographer_id(former)), 303)


def _confirm(endpoint: str, who: str, value: str) -> Response:
    """The question before a rename or a merge.

    Raises:
        NotFoundError: nobody is known by this id or name.
        UsageError: no name was typed, or it is the present one.
    """
    node = current_node()
    name = node.photographers.name_of(who)
    known = {one.name: one for one in node.photographers.list()}
    if not value or value == name:
        raise UsageError("No other name was given.", "Type a name, or choose whom to merge with.")
    other = known.get(node.photographers.name_of(value) if endpoint == "photographers.merge" else value)
    action = f"Merge {name} with {other.name}?" if other else f"Rename {name} to {value}?"
    body = render_template(
        "photographers/confirm.html",
        endpoint=endpoint,
        one=known[name],
        into=other,
        name=value,
        value=value,
        action=action,
    )
    return make_response(body)


@blueprint.post("/<who>/shoots/name")
def name_shoot(who: str) -> Response:
    """Name a shoot, or take its name back; the photographer's page follows."""
    name = "" if request.form.get("undo") else request.form.get("name", "").strip()
    media = request.form.get("id", "")
    shoots.name_shoot(current_node(), shoots.ShootNaming(media, name))
    return redirect(url_for("photographers.one", who=who, _anchor="sessions"), 303)


@blueprint.post("/credit")
def credit() -> Response:
    """Credit one photo by hand; the page that asked follows: the photographer's, or the photo's.

    An empty name means that the photographer is unknown.
    """
    node = current_node()
    media, back = request.form.get("media", ""), request.form.get("back", "")
    credit = by_hand.PhotoCredit(media, request.form.get("name", "").strip())
    by_hand.credit_photos(node, by_hand.Crediting((credit,)))
    if not back:
        return redirect(url_for("item.page", media_id=media), 303)
    try:
        node.photographers.name_of(back)
    except NotFoundError:  # the photographer had no other photo
        return redirect(url_for("photographers.everyone"), 303)
    return redirect(url_for("photographers.one", who=back), 303)
