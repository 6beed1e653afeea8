"""Page of two photographers beside each other."""

from __future__ import annotations

from flask import render_template, request

from search.errors import UsageError
from web.api.operation import current_node
from web.pages.photographers.photographer import BY_WORDS, STRONGEST
from web.pages.photographers.shared import blueprint


@blueprint.get("/<who>/compare")
def compare(who: str) -> str:
    other = request.args.get("with", "")
    if not other:
        raise UsageError("It does not say whom to compare with.", "Choose a second photographer.")
    found = current_node().photographers.compare(who, other)
    return render_template(
        "photographers/compare.html",
        found=found,
        strongest=max((abs(trait.effect) for trait in found.traits), default=STRONGEST),
        certain=[trait for trait in found.traits if trait.certain],
        by_words=BY_WORDS,
    )
