"""What identifies a trained classifier: its version, digests of its files and of its training data."""

from __future__ import annotations

import json
from dataclasses import dataclass

from search.errors import ModelError
from search.photographers.classifier.model_files import MANIFEST, file_digest
from search.photographers.model_registry import ModelKind, ModelRegistry, untrained


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What identifies a classifier.

    Attributes:
        version: name of the version.
        made: ISO 8601, UTC.
        manifest: SHA-256 of its manifest, hex; that holds the digests of all other files.
        data: digest of the training data, 16 hex digits.
        photos: number of training photos.
        photographers: number of names that it knows.
    """

    version: str
    made: str
    manifest: str
    data: str
    photos: int
    photographers: int


def model_facts(models: ModelRegistry) -> ModelFacts:
    """What identifies the classifier in use.

    Raises:
        NotFoundError: none has been trained.
        ModelError: its manifest cannot be read.
    """
    version = models.current(ModelKind.CLASSIFIER)
    if version is None:
        raise untrained(ModelKind.CLASSIFIER)
    path = models.folder(ModelKind.CLASSIFIER, version) / MANIFEST
    try:
        facts = json.loads(path.read_text("utf-8"))
        digest = file_digest(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"The classifier's manifest cannot be read: {error}.", "Train it again.") from error
    return ModelFacts(
        version.name,
        version.made,
        digest,
        str(facts.get("digest", "")),
        int(facts.get("photos") or 0),
        len(facts.get("photographers") or ()),
    )
