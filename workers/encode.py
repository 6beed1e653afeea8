"""Encoding one file as an example for a question; it need not be stored and nothing is written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from search.errors import UnreadableFileError, UnsupportedMediaError
from search.media import media_id
from search.questions import Probe
from search.settings import Settings
from search.store.base import Store
from workers.batch import Decoder
from workers.embedders.models import Models
from workers.standardise import current_statistics, fit, standardise


class Encoder:
    """Turns files into probes with the models of the collections."""

    def __init__(self, settings: Settings, store: Store, pool: Decoder, models: Models) -> None:
        self._settings, self._store, self._pool, self._models = settings, store, pool, models

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example.

        Args:
            name: what to call it in the answer; its file name when left out.

        Raises:
            MediaError: it cannot be read or decoded, or holds nothing to compare by.
            ModelError: a model could not be loaded or run.
        """
        id_ = media_id(sha256_of(path))
        decoded = self._pool.submit(path).result()
        (embedded,) = self._models.embed([decoded])
        vectors = dict(embedded.vectors)
        raw = vectors.pop("sound_raw", None)
        if raw is not None:
            statistics = current_statistics(self._store) or fit([raw], version=0)
            vectors["sound"] = standardise(raw, statistics)
        if not vectors:
            raise UnsupportedMediaError(f"'{name or path}' holds nothing to compare by.")
        schema = next(schema for schema in self._models.schemas if schema.kind is decoded.kind)
        return Probe(
            kind=decoded.kind,
            vectors=vectors,
            spaces={
                field.space.name: field.space.fingerprint for field in schema.fields if field.space.name in vectors
            },
            media_id=id_,
            fingerprints=decoded.fingerprints,
            moments=decoded.moments,
            name=name or Path(path).name,
            duration=decoded.facts.duration,
        )


def sha256_of(path: str) -> str:
    """SHA-256 of a file's bytes, hex.

    Raises:
        UnreadableFileError: the operating system would not give them.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFileError(f"'{path}' cannot be read: {error.strerror or error}.") from error
