"""The dashboard of photographers, one module a page.

A new page is a module with a view of :data:`blueprint`, a template, its line in :data:`TABS` and its test.
What the forms do is in ``actions``, what the pages share in ``shared``; input is checked by ``web.api.photographers``.
Read ``listing`` first.

* ``actions``: Forms of the dashboard: label, train, rename, merge and credit, by the functions of the API
* ``comparing``: Page of two photographers beside each other
* ``crediting``: Forms that accept or correct predictions, undo that, display names, and dates and places from a table
* ``develop``: Page that develops a photo like a photographer: before and after, settings, files, settings over time
* ``listing``: Page that lists the photographers: search by name, order, and pages; hints where there are none
* ``photographer``: Page of one photographer: traits, styles, similar photographers and changes over time
* ``predict``: Page that predicts the photographers of uploaded files, of stored photos, or of a folder of the library
* ``report``: Page of the classifier's report: every figure with its interval and number of photos
* ``shared``: Shared parts of the dashboard's pages: blueprint, jobs in work, labels and template filters
* ``space``: Page with the maps of photographers and of photos in two dimensions
"""

from flask.blueprints import BlueprintSetupState

from web.pages.photographers import (
    actions,
    comparing,
    crediting,
    develop,
    listing,
    photographer,
    predict,
    report,
    space,
)
from web.pages.photographers.shared import blueprint

__all__ = [
    "TABS",
    "actions",
    "blueprint",
    "comparing",
    "crediting",
    "develop",
    "listing",
    "photographer",
    "predict",
    "report",
    "space",
]

TABS = {
    "everyone": "All",
    "predict": "Identify",
    "develop": "Develop like",
    "space": "Map",
    "report": "Accuracy",
}
"""View function of each page that has a tab, with the text of the tab, in the order of the tabs."""


@blueprint.record_once
def _add_tabs(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals["photographer_tabs"] = TABS
