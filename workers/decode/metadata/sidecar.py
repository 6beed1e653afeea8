"""Find and read the XMP sidecars of a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from search.sidecars import sidecar_names
from workers.decode.metadata.sources import Source, SourceFacts
from workers.decode.metadata.xmp import MOST_BYTES, xmp_facts


def sidecar_facts(path: str) -> tuple[SourceFacts, ...]:
    """What the sidecars beside a file say, the one that decides first: one ``a.jpg.xmp`` and one ``a.xmp`` at most.

    A sidecar that cannot be read, that is no regular file, or that has more than ``xmp.MOST_BYTES`` says nothing.
    """
    return tuple(xmp_facts(packet, Source.SIDECAR) for packet in _packets(path))


def _packets(path: str) -> Iterator[bytes]:
    folder, name = os.path.split(path)
    seen: set[str] = set()
    for candidate in sidecar_names(name):
        stem = candidate[: -len("xmp")]
        if stem not in seen and (packet := _read(os.path.join(folder, candidate))) is not None:  # noqa: PTH118
            seen.add(stem)
            yield packet


def _read(path: str) -> bytes | None:
    """The bytes of a small regular file, or None. A named pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
