"""Files that a trained model of each kind consists of, by name; no other file is taken from a worker."""

from __future__ import annotations

import re

from search.photographers.classifier.model_files import ARRAYS, MANIFEST, OUT_OF_FOLD, REPORT, TREES
from search.photographers.folded_in import FOLDED_IN
from search.photographers.model_registry import ModelKind
from search.photographers.space import CODES, LOGS, PLOTS, VECTORS, WEIGHTS
from search.photographers.space import MANIFEST as MANIFEST_OF_SPACE

MOST_FILES = 256
MOST_BYTES = 4 * 2**30
"""Most files of a model, and bytes of one of them."""

_NAMES = {
    ModelKind.CLASSIFIER: (MANIFEST, ARRAYS, TREES, OUT_OF_FOLD, REPORT),
    ModelKind.JOINT: (MANIFEST_OF_SPACE, VECTORS, CODES, WEIGHTS, FOLDED_IN),
}
_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}"
_IN_FOLDERS = {
    ModelKind.CLASSIFIER: re.compile(r"(?!)"),  # none
    ModelKind.JOINT: re.compile(rf"{PLOTS}/{_PLAIN}\.html|{LOGS}/({_PLAIN}/){{0,3}}{_PLAIN}"),
}


def is_model_file(kind: ModelKind, name: str) -> bool:
    """Whether a model of this kind has a file of this name, relative to its folder."""
    return name in _NAMES[kind] or _IN_FOLDERS[kind].fullmatch(name) is not None
