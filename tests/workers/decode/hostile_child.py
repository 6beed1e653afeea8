"""A decoder child that does what the name of the file tells it, to what the file names, for the tests of its pool."""

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
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.child import serve
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound

held: list[np.ndarray] = []


def misbehave(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    order, said = media.name, os.pread(media.descriptor, 4096, 0).decode()
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
        Path(said).write_text("x")
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
        mime=f"pid/{os.getpid()}" if order != "count" else f"open/{len(open_descriptors())}",
        facts=MediaFacts(width=1, camera=said),
        crops=np.full((1, 224, 224, 3), 7, np.uint8),
        sound=Sound.of(np.ones(3_000_000, np.float32)) if order == "large" else None,
        preview=b"webp",
    )


def open_descriptors() -> list[int]:
    def is_open(descriptor: int) -> bool:
        try:
            os.fstat(descriptor)
        except OSError:
            return False
        return True

    return [descriptor for descriptor in range(64) if is_open(descriptor)]


if __name__ == "__main__":
    serve(misbehave, DecodeOptions.from_json(sys.argv[1]))
