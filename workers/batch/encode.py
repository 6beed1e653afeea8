"""Embed one file, or words, as the example of a query; nothing is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from search import addresses
from search.deadlines import paused_deadline
from search.errors import SpaceMismatchError, UnreadableFileError, UnsupportedMediaError
from search.media import Kind, media_id
from search.records.lookup import carried_fields
from search.records.sound_rows import as_row_runs, as_runs
from search.settings import Settings
from search.similar.questions import Probe
from search.similar.shots import Shot
from search.spaces import MEANING, CollectionSchema, Space
from search.store.base import Array
from workers.batch.processor import MediaDecoder, MediaEmbedder
from workers.decode.decoded import Decoded
from workers.decode.kinds import kind_of_name
from workers.storage.files import FileAccess


class DescribedEmbedder(MediaEmbedder, Protocol):
    """Models with the schemas of the collections that they fill, and an embedder of words."""

    @property
    def schemas(self) -> Sequence[CollectionSchema]: ...

    def load(self) -> None:
        """See ``workers.embedders.models.Models.load``."""

    def text(self, words: str) -> Array:
        """See ``workers.embedders.models.Models.text``."""


class ExampleEncoder:
    """Embeds files as probes, and words as vectors, with the models of the collections."""

    def __init__(self, settings: Settings, pool: MediaDecoder, models: DescribedEmbedder) -> None:
        self._pool, self._models = pool, models
        self._access = FileAccess(settings)

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example of a query.

        Args:
            name: its name in the answer; the file name when left out.

        Raises:
            MediaError: it cannot be read or decoded, or holds nothing to compare by.
            ModelError: a model could not be loaded or run.
        """
        with paused_deadline():  # decoding has its own limit, and models may have to be loaded
            with self._access.local(path) as here:
                id_ = media_id(sha256_of(here))
                decoding = self._pool.submit(here)
                if kind_of_name(path) is Kind.IMAGE:
                    self._models.load()  # while the decoder starts and decodes: the first time both take seconds
                decoded = decoding.result()
            (embedded,) = self._models.embed([decoded])
        if not embedded.vectors:
            raise UnsupportedMediaError(f"'{name or path}' holds nothing to compare by.")
        schema = next(schema for schema in self._models.schemas if schema.kind is decoded.kind)
        carried = {field.space.name: field.space for field in carried_fields(schema)}
        vectors = {name: rows for name, rows in embedded.vectors.items() if name in carried}
        return Probe(
            kind=decoded.kind,
            vectors=vectors,
            spaces={name: carried[name].fingerprint for name in vectors},
            media_id=id_,
            fingerprints=decoded.fingerprints,
            moments=decoded.moments,
            name=name or addresses.name(path),
            duration=decoded.facts.duration,
            features=decoded.features,
            borders=decoded.borders,
            sound_runs=as_runs(embedded.spans),
            voice_runs=as_row_runs(embedded.voice_rows),
            shot=_shot(decoded),
            footprints=decoded.footprints,
        )

    def text(self, words: str, space: Space) -> Array:
        """Words as a vector of ``space``, float32 ``(1, dim)``, L2-normalised.

        Raises:
            ModelError: there is no model of words, or it could not be loaded or run.
            SpaceMismatchError: it makes vectors of another space.
        """
        with paused_deadline():
            return embed_words(self._models, words, space.fingerprint)


def _shot(decoded: Decoded) -> Shot | None:
    if decoded.kind is not Kind.IMAGE:
        return None
    facts = decoded.facts
    return Shot(
        width=facts.width,
        height=facts.height,
        taken_at=facts.taken_at,
        camera=facts.camera,
        exposure=facts.exposure,
        iso=facts.iso,
        pixel_hash=decoded.pixel_hash,
        preview=decoded.preview,
    )


def embed_words(models: DescribedEmbedder, words: str, fingerprint: str) -> Array:
    """Words as a vector of the space ``meaning`` with this fingerprint, float32 ``(1, dim)``, L2-normalised.

    Raises:
        ModelError, SpaceMismatchError: as :meth:`ExampleEncoder.text`.
    """
    vector = models.text(words)
    made = {space.fingerprint: space for schema in models.schemas if (space := schema.space(MEANING)) is not None}
    if fingerprint not in made:
        raise SpaceMismatchError(
            f"What is stored of meaning has the fingerprint {fingerprint}, but words are embedded with "
            f"{', '.join(map(str, made.values()))}.",
            f"Make it anew with `likewise reembed --space {MEANING}`.",
        )
    return vector


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
