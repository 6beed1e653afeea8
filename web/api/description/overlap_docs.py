"""Rows of ``property_docs`` about spans of films and sounds that are in others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID, _OTHER = "3c375b09-a29a-5a72-8fff-09bb5f09d7af", "5d1f0c3a-7f6b-5c0e-9d54-0c5b8a1e2f30"
_SPAN = {"id": _ID, "kind": "video", "paths": ["/mnt/films/harbour.mp4"], "start": 12.0, "end": 34.0}

OVERLAPS: Mapping[str, tuple[str, Any]] = {
    "NewComparison.anew": ("Compare again what was compared before", False),
    "Overlap.flipped": ("One shows the other's mirror image", False),
    "Overlap.heard": ("Found by what is heard and not by what is seen", False),
    "Overlap.one": ("Id of the example; `upload` of an uploaded one", _ID),
    "Overlap.other": ("Id of the hit", _OTHER),
    "Overlap.other_start": ("Second of the hit at which the span begins", 62.0),
    "Overlap.seconds": ("Length of the span; 0 of a picture that is a still of a film", 22.0),
    "Overlap.start": ("Second of the example at which the span begins", 12.0),
    "OverlapAnswer.overlaps": ("Spans of recordings that are in others", []),
    "OverlapAnswer.total": ("All spans that were found", 12),
    "ReusedSpan.flipped": ("One shows the other's mirror image", False),
    "ReusedSpan.heard": ("Found by what is heard and not by what is seen", False),
    "ReusedSpan.one": ("The span in one recording", _SPAN),
    "ReusedSpan.other": ("The same span in the other", {**_SPAN, "id": _OTHER, "start": 62.0, "end": 84.0}),
    "SimilarHit.overlap": (
        "The longest span of an example that is in this hit, or, without length, the second that a picture shows; "
        "of stored recordings once `POST /overlaps` has compared them; null where none is known",
        {"one": _ID, "other": _OTHER, "start": 12.0, "other_start": 62.0, "seconds": 22.0},
    ),
    "SpanOfMedia.end": ("Second at which the span ends", 34.0),
    "SpanOfMedia.start": ("Second at which the span begins", 12.0),
}
