"""The dashboard of picture editors: who there is, what sets each apart, who works alike, whose photo this is."""

from web.pages.photographers import actions, listing, photographer, predict, report, space
from web.pages.photographers.shared import blueprint

__all__ = ["actions", "blueprint", "listing", "photographer", "predict", "report", "space"]
