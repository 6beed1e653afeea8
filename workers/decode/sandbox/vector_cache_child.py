"""Decoder child process of vector caches: reads ``.npz`` and joblib files of vectors and names, and nothing else.

It is started as ``child`` is, and imports less. What it hands over are numbers and texts.
"""

from __future__ import annotations

import io
import sys

import numpy as np

from workers.decode.sandbox.child import serve
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.vector_cache import decode_vector_cache


def main() -> None:
    archive = io.BytesIO()
    np.savez(archive, warm=np.zeros(1))
    archive.seek(0)
    np.load(archive)["warm"]  # no module can be imported once powers are given up
    serve(decode_vector_cache, DecodeOptions.from_json(sys.argv[1]))


if __name__ == "__main__":
    main()
