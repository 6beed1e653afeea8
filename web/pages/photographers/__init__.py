"""The dashboard of photographers, one module a page.

A new page is a module with a view of :data:`blueprint`, a template, its line in :data:`TABS` and its test.
What the forms do is in ``actions``, what the pages share in ``shared``; input is checked by ``web.api.photographers``.
Read ``listing`` first.
"""

from flask.blueprints import BlueprintSetupState

from web.pages.photographers import actions, listing, photographer, predict, report, space
from web.pages.photographers.shared import blueprint

__all__ = ["TABS", "actions", "blueprint", "listing", "photographer", "predict", "report", "space"]

TABS = {"everyone": "Everyone", "predict": "Whose style?", "space": "Map", "report": "How sure?"}
"""View function of each page that has a tab, with the text of the tab, in the order of the tabs."""


@blueprint.record_once
def _add_tabs(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals["photographer_tabs"] = TABS
