"""Forms that accept or correct predictions, undo that, say how photographers are shown, and read dates and places from
a table."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from search.errors import UsageError
from search.photographers.photos.labels import decoded
from search.photographers.photos.names import photographer_id
from web.api.crediting import by_hand, facts
from web.api.operation import current_node
from web.bodies import takes_file, takes_long_text
from web.pages.forms import typed_path
from web.pages.photographers.shared import blueprint

CHOSEN = "chosen"


@blueprint.post("/predict/credit")
def credit_predicted() -> AnyResponse:
    """Credit photos of the library by hand as they were predicted, or by a name that was typed; the page that asked
    follows, where it can be undone.

    The form has ``photo``, ids of those that are ticked; ``accept`` or ``correct``, an id or ``chosen``; the name that
    was predicted and the one that was typed for each photo under ``predicted:ID`` and ``name:ID``; and ``name``, for
    all that are chosen.
    """
    form = request.form
    which = form.get("accept") or form.get("correct") or ""
    ids = form.getlist("photo") if which == CHOSEN else [which]
    typed = form.get("name", "").strip()
    if form.get("accept"):
        names = {media: form.get(f"predicted:{media}", "") for media in ids}
        names = {media: name for media, name in names.items() if name}
    else:
        names = {media: typed if which == CHOSEN else form.get(f"name:{media}", "").strip() for media in ids}
    if not names:
        raise UsageError("No photo that has an answer is ticked.", "Tick some, or credit a single one.")
    if form.get("correct") == CHOSEN and not typed:
        raise UsageError("No name was typed.", "Type whose photos the ticked ones are.")
    credits_ = tuple(by_hand.PhotoCredit(media, name) for media, name in names.items())
    made = by_hand.credit_photos(current_node(), by_hand.Crediting(credits_))
    return _back(made.edit)


@blueprint.post("/predict/undo")
def undo_credits() -> AnyResponse:
    """Undo what was credited by hand; the page that asked follows."""
    by_hand.undo_credits(current_node(), by_hand.Undoing(request.form.get("edit", "")))
    return _back("")


@blueprint.post("/<who>/display-name")
def display(who: str) -> AnyResponse:
    """Say how a photographer is shown; their page follows."""
    shown = by_hand.display_photographer(current_node(), by_hand.Displaying(request.form.get("display_name", "")), who)
    return redirect(url_for("photographers.one", who=photographer_id(shown.photographer)), 303)


@blueprint.post("/facts")
@takes_file
@takes_long_text
def tell_facts() -> AnyResponse:
    """What a table of dates and places would change; with ``apply`` the job that notes it starts instead."""
    form, node = request.form, current_node()
    if form.get("forget"):
        facts.note_facts(node, facts.NewFacts(forget=True))
        return redirect(url_for("photographers.everyone"), 303)
    sent = request.files.get("table")
    table = decoded(sent.stream.read()) if sent and sent.filename else form.get("table", "")
    if not table:
        raise UsageError("No table came with the form.", "Choose a CSV file first.")
    base, overwrite = typed_path(form.get("base", "")), bool(form.get("overwrite"))
    if form.get("apply"):
        facts.note_facts(node, facts.NewFacts(table, base, overwrite))
        return redirect(url_for("photographers.everyone"), 303)
    preview = facts.preview_facts(node, facts.FactsTableText(table, base, overwrite))
    body = render_template("photographers/facts.html", preview=preview, table=table, base=base, overwrite=overwrite)
    return make_response(body)


def _back(edit: str) -> Response:
    """To the predict page of the same photos."""
    like, folder = request.form.getlist("like"), request.form.get("folder", "")
    address = url_for("photographers.predict", like=like, folder=folder or None, edit=edit or None)
    return make_response(redirect(address, 303))
