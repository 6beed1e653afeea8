"""Read a cache of vectors with file names, ``.npz`` or joblib, without unpickling anything but plain data.

``joblib`` files are pickles, and a pickle can call anything. Here one may hold dictionaries, lists, tuples, texts,
numbers and arrays of numbers or texts; whatever else it names is refused before it is looked up. Even so this runs in
a decoder child only (``workers.decode.sandbox.vector_cache_child``).

Source of the format: joblib, ``joblib/numpy_pickle.py``: the bytes of an array follow the pickled object that describes
it, behind one byte with the length of a padding.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
import zlib
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from search.errors import CorruptMediaError, MediaTooLargeError, UnsupportedMediaError
from search.media import Kind
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.protocol import MOST_CACHED_NAMES, MOST_CACHED_NUMBERS
from workers.decode.sound import Sound

VECTORS, NAMES = "embeddings", "filenames"
SEPARATOR = "\0"
"""Between file names; none can hold it."""

_ZIP, _PICKLE = b"PK", b"\x80"
_COMPRESSED = (b"\x78", b"\x1f\x8b")
"""First bytes of zlib and gzip, which joblib compresses with unless told otherwise."""


def decode_vector_cache(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    """Vectors and names of an opened cache; ``vectors`` and ``names`` are all that the answer holds.

    Raises:
        CorruptMediaError: it holds no vectors with as many names.
        UnsupportedMediaError: it is neither format, or holds other objects.
        MediaTooLargeError: it has more numbers or names than can be handed over.
    """
    with os.fdopen(media.descriptor, "rb", closefd=False) as file:
        vectors, names = checked(read_cache(file, options.memory_bytes), media.name)
    texts = np.frombuffer(SEPARATOR.join(names).encode(), np.uint8)
    if vectors.size > MOST_CACHED_NUMBERS or texts.size > MOST_CACHED_NAMES:
        raise MediaTooLargeError(f"'{media.name}' holds {vectors.size:,} numbers, at most {MOST_CACHED_NUMBERS:,} fit.")
    return Decoded(Kind.IMAGE, "application/octet-stream", MediaFacts(), vectors=vectors.reshape(-1), names=texts)


def read_cache(file: io.BufferedReader, most: int) -> object:
    """What the file holds; a mapping of texts to arrays or lists if it is such a cache.

    Args:
        most: bytes that a compressed file may have uncompressed.

    Raises:
        UnsupportedMediaError: it is neither format, or holds other objects.
        MediaTooLargeError: it is larger than ``most``.
        Exception: it is damaged; of any kind.
    """
    start = file.peek(2)[:2]
    if start == _ZIP:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > most:
            raise MediaTooLargeError(f"It is larger than {most:,} bytes.")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in (VECTORS, NAMES) if name in arrays.files}
    if start.startswith(_COMPRESSED):
        unpacker = zlib.decompressobj(wbits=47)  # zlib or gzip, by its header
        content = unpacker.decompress(file.read(), most)
        if unpacker.unconsumed_tail:
            raise MediaTooLargeError(f"It is larger than {most:,} bytes.")
        return _PlainUnpickler(io.BytesIO(content)).load()
    if start.startswith(_PICKLE):
        return _PlainUnpickler(file).load()
    raise UnsupportedMediaError("It is no .npz and no joblib file (plain, zlib or gzip).")


def checked(held: object, name: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Vectors float32 (n, d) and their n file names.

    Raises:
        CorruptMediaError: they are not there, or do not belong together.
    """
    vectors, names = (held.get(VECTORS), held.get(NAMES)) if isinstance(held, dict) else (None, None)
    if isinstance(names, np.ndarray) and names.ndim == 1:
        names = names.tolist()
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise CorruptMediaError(f"'{name}' holds no table of numbers called {VECTORS}.")
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) and SEPARATOR not in one for one in names):
        raise CorruptMediaError(f"'{name}' holds no list of texts called {NAMES}.")
    if len(names) != len(vectors) or not len(names):
        raise CorruptMediaError(f"'{name}' holds {len(vectors)} vectors and {len(names)} names.")
    return vectors.astype(np.float32), tuple(names)


class _Dtype:
    """Stands for ``numpy.dtype``: its text, and its byte order once that is set."""

    def __init__(self, text: str, *_: object) -> None:
        self.text, self.order = str(text), "|"

    def made(self) -> np.dtype[Any]:
        """
        Raises:
            UnsupportedMediaError: it is not of numbers or texts.
        """
        dtype = np.dtype(self.order + self.text)
        if dtype.kind not in "fiubU" or dtype.hasobject or dtype.subdtype is not None:
            raise UnsupportedMediaError(f"It holds an array of {dtype}; only numbers and texts are read.")
        return dtype


class _Array:
    """Stands for ``joblib.numpy_pickle.NumpyArrayWrapper``: describes an array whose bytes follow."""


class _ArrayClass:
    """Stands for ``numpy.ndarray`` and ``numpy.memmap``, which an array's description names."""


_KNOWN = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Array,
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "memmap"): _ArrayClass,
    ("numpy", "dtype"): _Dtype,
}


class _PlainUnpickler(pickle._Unpickler):
    """Builds arrays and plain containers; stand-ins take the place of the classes that a cache names."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self._content = file

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise UnsupportedMediaError(f"It holds {module}.{name}; only arrays, lists and texts are read.")
        return _KNOWN[module, name]

    def load_build(self) -> None:
        """Set the state of a stand-in; that of an array is followed by its bytes."""
        stack: list[Any] = self.stack  # type: ignore[attr-defined]
        state = stack.pop()
        built = stack[-1]
        if isinstance(built, _Dtype) and isinstance(state, tuple) and state[1] in {"<", ">", "|", "="}:
            built.order = state[1]
        elif isinstance(built, _Array) and isinstance(state, dict):
            stack[-1] = self._array(state)
        else:
            raise UnsupportedMediaError("It holds an object with a state; only arrays, lists and texts are read.")

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, state: dict[str, Any]) -> NDArray[Any]:
        dtype, shape = state["dtype"].made(), tuple(int(side) for side in state["shape"])
        if any(side < 0 for side in shape):
            raise CorruptMediaError("It holds an array of a negative size.")
        if state.get("numpy_array_alignment_bytes") is not None:
            self._content.read(self._content.read(1)[0])
        count = int(np.prod(shape, dtype=object)) * dtype.itemsize
        content = self._content.read(count)
        if len(content) != count:
            raise CorruptMediaError("It ends within an array.")
        array = np.frombuffer(content, dtype)
        return array.reshape(shape[::-1]).T if state.get("order") == "F" else array.reshape(shape)
