"""A decoder child that does what the name of the file tells it, for the tests of the pool that holds it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import numpy as np

from search.errors import CorruptMediaError
from search.media import Kind
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.sandbox.child import serve
from workers.decode.sandbox.options import DecodeOptions

held: list[np.ndarray] = []


def misbehave(path: str, kind: Kind | None, options: DecodeOptions) -> Decoded:
    order = Path(path).name
    if order == "hang":
        time.sleep(600)
    elif order == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif order == "be killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "exit":
        os._exit(7)
    elif order == "allocate":
        bytearray(2 * options.memory_bytes)
    elif order == "swell":
        held.append(np.ones(int(options.memory_bytes * 0.6), np.uint8))
    elif order == "write":
        Path(path).write_text("x")
    elif order == "chatter":
        os.write(1, b"\xff" * 100)
        os.write(2, b"noise from a C library\n")
    elif order == "babble":
        for descriptor in range(3, 20):
            try:
                os.write(descriptor, b"\xff" * 100)
            except OSError:
                continue
    elif order == "raise":
        raise RuntimeError("an error nobody foresaw")
    elif order == "corrupt":
        raise CorruptMediaError("broken", "mend it")
    return Decoded(
        kind=Kind.IMAGE,
        mime=f"pid/{os.getpid()}",
        facts=MediaFacts(width=1, camera=path),
        crops=np.full((1, 224, 224, 3), 7, np.uint8),
        sound=np.ones(3_000_000, np.float32) if order == "large" else None,
        preview=b"webp",
    )


if __name__ == "__main__":
    serve(misbehave, DecodeOptions.from_json(sys.argv[1]))
