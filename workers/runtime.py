"""Settings of the C library and of OpenMP for a process that computes."""

from __future__ import annotations

import ctypes
import os

MIB = 1 << 20

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Source: glibc, ``malloc.h``."""

_MODELS_KEEP = 256 * MIB


def make_ready_for_models() -> None:
    """Set up a process that will run models on its CPU; call it before torch is imported or threads are started.

    Waiting threads of a model sleep rather than spin, because decoders need the same cores. On 2 cores beside two busy
    processes, 16 pictures at once, a picture took 12 ms for its style instead of 15 to 18, and 17 ms in ResNet-18
    instead of 28 to 46. On idle cores it costs time: 4.7 ms instead of 3.6, and 8.8 instead of 8.3.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    keep_freed(_MODELS_KEEP, _MODELS_KEEP)


def keep_freed(kept: int, own: int) -> None:
    """Let glibc keep up to ``kept`` freed bytes for the next allocations; other C libraries are left as they are.

    Only blocks of more than ``own`` bytes are returned to the system at once. Threads that start later share the kept
    memory. Pictures and activations of networks are blocks of one to a hundred megabytes. By default each is requested
    from the system and cleared page by page on its first write, which takes as long as the work on it: on 2 cores, 32
    at once, a picture took 6.5 ms for its style and 9.8 ms in EfficientNet-Lite0, and 4.7 ms and 5.0 ms with kept
    memory. The price is that an idle process holds ``kept`` bytes.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, own)
        library.mallopt(_TRIM_THRESHOLD, kept)
        library.mallopt(_ARENA_MAX, 1)
