"""What the classifier is worth: every figure with the number of photos it was measured on and its interval."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from flask import render_template

from search.errors import NotFoundError
from web.api.operation import current_node
from web.pages.photographers.shared import blueprint, underway


@blueprint.get("/report")
def report() -> str:
    node = current_node()
    found: Mapping[str, object] | None = None
    with suppress(NotFoundError):
        found = node.photographers.report()
    return render_template("photographers/report.html", report=found, jobs=underway(node))
