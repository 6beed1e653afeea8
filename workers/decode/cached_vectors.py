"""Vectors and file names of another program's cache, read in a decoder child."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.errors import CorruptMediaError
from search.settings import Settings
from workers.decode.sandbox.pool import VECTOR_CACHE_COMMAND, DecodePool

_SEPARATOR = b"\0"


@dataclass(frozen=True, slots=True)
class VectorCache:
    """Vectors float32 (n, d) and the file name of each, as the other program wrote it."""

    vectors: NDArray[np.float32]
    names: tuple[str, ...]


def read_vector_cache(settings: Settings, path: str) -> VectorCache:
    """Read an ``.npz`` or joblib file with ``embeddings`` (n, d) and ``filenames``; nothing in it is called.

    Raises:
        MediaError: it cannot be read, is no such cache, or holds other objects.
        DecoderStartError, DecoderSandboxError: there is no child for it.
    """
    with DecodePool(settings, command=VECTOR_CACHE_COMMAND) as pool:
        found = pool.submit(path).result()
    if found.vectors is None or found.names is None:
        raise CorruptMediaError(f"'{path}' holds no vectors.")
    names = tuple(name.decode("utf-8", "replace") for name in found.names.tobytes().split(_SEPARATOR))
    if found.vectors.size % len(names):
        raise CorruptMediaError(f"'{path}' holds {found.vectors.size} numbers for {len(names)} names.")
    return VectorCache(found.vectors.reshape(len(names), -1), names)
