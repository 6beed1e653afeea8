"""Encoding one file as an example for a question; it need not be stored and nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from search import addresses
from search.errors import UnreadableFileError, UnsupportedMediaError
from search.media import media_id
from search.questions import Probe
from search.records import asked_fields
from search.settings import Settings
from search.spaces import CollectionSchema
from workers.batch import Decoder, Embedder
from workers.files import FileAccess


class DescribedEmbedder(Embedder, Protocol):
    """Models that say which spaces they fill."""

    @property
    def schemas(self) -> Sequence[CollectionSchema]: ...


class Encoder:
    """Turns files into probes with the models of the collections."""

    def __init__(self, settings: Settings, pool: Decoder, models: DescribedEmbedder) -> None:
        self._pool, self._models = pool, models
        self._access = FileAccess(settings)

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example.

        Args:
            name: what to call it in the answer; its file name when left out.

        Raises:
            MediaError: it cannot be read or decoded, or holds nothing to compare by.
            ModelError: a model could not be loaded or run.
        """
        with self._access.local(path) as here:
            id_ = media_id(sha256_of(here))
            decoded = self._pool.submit(here).result()
        (embedded,) = self._models.embed([decoded])
        if not embedded.vectors:
            raise UnsupportedMediaError(f"'{name or path}' holds nothing to compare by.")
        schema = next(schema for schema in self._models.schemas if schema.kind is decoded.kind)
        asked = {field.space.name: field.space for field in asked_fields(schema) if not field.sparse}
        vectors = {name: rows for name, rows in embedded.vectors.items() if name in asked}
        return Probe(
            kind=decoded.kind,
            vectors=vectors,
            spaces={name: asked[name].fingerprint for name in vectors},
            media_id=id_,
            fingerprints=decoded.fingerprints,
            moments=decoded.moments,
            name=name or addresses.name(path),
            duration=decoded.facts.duration,
            features=decoded.features,
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
