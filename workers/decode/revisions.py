"""Revisions of decoding: what each changed, and the records whose files are decoded otherwise since.

Whoever changes what decoders make of a file raises ``search.media.DECODING_REVISION`` and adds a row to
:data:`CHANGES`. If the change leaves records alone, ``PAYLOAD_REVISION`` is raised with it: payloads are rewritten
then, and these records are marked as current without their files being read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from search.media import DECODING_REVISION, Kind, MediaRecord

FIVE_MINUTES = 300
"""Seconds of a recording that were read before decoding revision 4."""

TEN_SECONDS = 10
"""Seconds of a video from which on there may be more key frames since then."""


@dataclass(frozen=True, slots=True)
class DecodingChange:
    """One row of :data:`CHANGES`.

    Attributes:
        what: is made otherwise, for people.
        affects: whether the file of a record may be decoded otherwise; False only where that is certain.
    """

    revision: int
    what: str
    affects: Callable[[MediaRecord], bool]


def _every(record: MediaRecord) -> bool:
    """Every picture got a hash of its pixels; of recordings, no record says which of them the change left alone."""
    return True


def _pictures(record: MediaRecord) -> bool:
    """Whether a picture has borders is not known before its file is read."""
    return record.kind is Kind.IMAGE


def _long_sounds(record: MediaRecord) -> bool:
    """Five minutes were read of a recording or sound track; of what a longer one held, no record says."""
    heard = record.kind is Kind.AUDIO or (record.kind is Kind.VIDEO and record.has_sound)
    return heard and (record.duration is None or record.duration > FIVE_MINUTES or record.remark is not None)


def _long_films(record: MediaRecord) -> bool:
    """Shorter ones have the key frames that they had."""
    return record.kind is Kind.VIDEO and (record.duration is None or record.duration > TEN_SECONDS)


def _recordings(record: MediaRecord) -> bool:
    return record.kind is not Kind.IMAGE


CHANGES = (
    DecodingChange(
        2,
        "colour profiles, HDR, transparency, orientation; sidecars, dates and names; the choice of streams, sound and "
        "pages; damaged files; hashes of pixels",
        _every,
    ),
    DecodingChange(3, "style and features of pictures within their borders", _pictures),
    DecodingChange(4, "sounds of more than five minutes, or that begin with silence", _long_sounds),
    DecodingChange(4, "fingerprints over time, by which reused film and sound is found", _recordings),
    DecodingChange(4, "a key frame each ten seconds of videos", _long_films),
)
"""In order. Revision 1 is version 0.1.0."""


def is_outdated(record: MediaRecord) -> bool:
    """Whether decoding the record's file now may give something else than what is stored."""
    return any(change.revision > record.decoding and change.affects(record) for change in CHANGES)


def marked(record: MediaRecord) -> int:
    """The revision to store with a record that has not been decoded anew: the current one unless it is outdated."""
    return record.decoding if is_outdated(record) else max(record.decoding, DECODING_REVISION)
