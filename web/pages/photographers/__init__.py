"""The dashboard of picture editors: who there is, what sets each apart, who works alike, whose photo this is."""

from web.pages.photographers import acts, listing, one, predict, report, space
from web.pages.photographers.shared import blueprint

__all__ = ["acts", "blueprint", "listing", "one", "predict", "report", "space"]
