"""Encoding one file as an example for a question; it need not be stored and nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from search import addresses
from search.errors import UnreadableFileError, UnsupportedMediaError
from search.media import media_id
from search.questions import Probe
from search.settings import Settings
from search.spaces import CollectionSchema
from workers.batch import Decoder, Embedder
from workers.files import FileAccess
from workers.intake import Intake
from workers.standardise import current_statistics, fit, standardise


class DescribedEmbedder(Embedder, Protocol):
    """Models that say which spaces they fill."""

    @property
    def schemas(self) -> Sequence[CollectionSchema]: ...


class RawEncoder:
    """Turns files into probes whose sounds are not standardised yet, for which :func:`standardised` needs the store."""

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
        return Probe(
            kind=decoded.kind,
            vectors=embedded.vectors,
            spaces={field.space.name: field.space.fingerprint for field in schema.fields},
            media_id=id_,
            fingerprints=decoded.fingerprints,
            moments=decoded.moments,
            name=name or addresses.name(path),
            duration=decoded.facts.duration,
            features=decoded.features,
        )


class Encoder:
    """Turns files into probes with the models of the collections."""

    def __init__(self, settings: Settings, store: Intake, pool: Decoder, models: DescribedEmbedder) -> None:
        self._store, self._raw = store, RawEncoder(settings, pool, models)

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example; see :meth:`RawEncoder.probe`."""
        return standardised(self._store, self._raw.probe(path, name))


def standardised(store: Intake, probe: Probe) -> Probe:
    """A probe as it compares with what is stored: ``sound`` in place of ``sound_raw``."""
    vectors = dict(probe.vectors)
    raw = vectors.pop("sound_raw", None)
    if raw is not None:
        vectors["sound"] = standardise(raw, current_statistics(store) or fit([raw], version=0))
    return replace(
        probe,
        vectors=vectors,
        spaces={space: fingerprint for space, fingerprint in probe.spaces.items() if space in vectors},
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
