"""Forms of the dashboard: label, train, rename, merge and credit, by the functions of the API."""

from __future__ import annotations

from dataclasses import replace

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from search.errors import NotFoundError
from search.photographers.photos.labels import decoded
from search.photographers.photos.names import photographer_id
from web.api import photographers as api
from web.api.crediting import by_hand, shoots
from web.api.operation import current_node
from web.bodies import takes_file
from web.pages.forms import read_form
from web.pages.photographers.shared import blueprint


@blueprint.post("/label")
@takes_file
def label() -> Response:
    """Start the job that takes photographers' names from a source; a table comes with the form as a file."""
    new: api.NewLabels = read_form(api.NewLabels)
    if table := request.files.get("table"):
        new = replace(new, table=decoded(table.stream.read()))
    api.label_photographers(current_node(), new)
    return redirect(url_for("photographers.everyone"), 303)


@blueprint.post("/train")
def train() -> Response:
    """Start the job that trains a model on the credited photos."""
    new: api.NewTraining = read_form(api.NewTraining)
    api.train_photographers(current_node(), new)
    return redirect(url_for("photographers.space" if new.kind == "joint" else "photographers.everyone"), 303)


@blueprint.post("/<who>/rename")
def rename(who: str) -> Response:
    """Give a photographer another name; the page of that name follows."""
    renamed = by_hand.rename_photographer(current_node(), by_hand.Renaming(who, request.form.get("name", "").strip()))
    return redirect(url_for("photographers.one", who=photographer_id(renamed.name)), 303)


@blueprint.post("/<who>/merge")
def merge(who: str) -> Response:
    """Credit all photos of one photographer to another; the page of the other follows."""
    merged = by_hand.merge_photographers(current_node(), by_hand.Merging(who, request.form.get("into", "").strip()))
    return redirect(url_for("photographers.one", who=photographer_id(merged.name)), 303)


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
