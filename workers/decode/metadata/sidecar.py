"""Read the XMP sidecars of a file, which the caller has opened."""

from __future__ import annotations

import os
from collections.abc import Iterable

from workers.decode.metadata.sources import Source, SourceFacts
from workers.decode.metadata.xmp import MOST_BYTES, xmp_facts


def sidecar_facts(descriptors: Iterable[int]) -> tuple[SourceFacts, ...]:
    """What opened sidecars say, in their order. One that cannot be read says nothing."""
    packets = (_read(descriptor) for descriptor in descriptors)
    return tuple(xmp_facts(packet, Source.SIDECAR) for packet in packets if packet is not None)


def _read(descriptor: int) -> bytes | None:
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    except OSError:
        return None
