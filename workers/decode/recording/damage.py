"""How much of a recording could not be read, as far as that is certain.

What counts: packets that do not decode; jumps in time where the file holds bytes that belong to nothing, or in formats
without such jumps; and what a file that is shorter than its own headers say has lost. What does not count, because
whole files have it: lengths in headers that are wrong, pauses, edit lists, variable rates, padding, tags.
"""

from __future__ import annotations

from typing import IO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from search.errors import CorruptMediaError
from workers.decode.recording.extent import Extent, measure_extent
from workers.decode.recording.frames import RESUMED, Gap, Reading

LEAST_READABLE = 0.5
"""Share of a recording that must be readable for it to be taken up."""
LEAST_TOLD = 0.001
"""Share below which nothing is said."""

_SKIPPING = ("aac", "ac3", "dts", "eac3", "loas")
"""Formats of which FFmpeg skips what is broken without a word, and counts bytes without it."""
_BY_BYTES = ("aac", "ac3", "amr", "dts", "eac3", "loas", "mlp", "mp3", "truehd")
"""Formats whose broken packets say nothing of their length in time."""
_WITHOUT_PAUSES = ("flac", "ogg")
_HINTS = ("mp3",)
"""Formats whose headers programs leave standing when they cut a file: what those promise is told, but no reason to
refuse."""
_MOST_RUNS, _LEAST_RUNS = 0.1, 8
"""Runs of faults, as a share of all packets and at least, from which what does decode is chance and no sound or film:
damage lies together."""
_LEAST_UNREAD = 0.5
"""Seconds between the last page that could be read and the last of the file from which some in between are lost."""
_IDLE_SHARE = 0.25
"""Bytes that belong to nothing, against what a gap of that length should hold, from which a gap is damage."""


def family_of(container: InputContainer) -> str:
    return container.format.name.split(",")[0]


def damage_of(
    reading: Reading,
    container: InputContainer,
    stream: VideoStream | AudioStream,
    file: IO[bytes],
    name: str,
    not_found: float = 0.0,
    cut_is_refused: bool = True,
) -> float | None:
    """Share of a recording that could not be read, None when nothing is known to be missing.

    Args:
        not_found: of a film that was not read from start to end, the share of moments with nothing to be decoded.
        cut_is_refused: whether a missing end counts for refusing.

    Raises:
        CorruptMediaError: less than ``LEAST_READABLE`` can be read.
    """
    family = family_of(container)
    extent = measure_extent(file, family)
    missing = missing_share(extent, container, stream, reading)
    lost = _lost_share(reading, extent, family, seconds_of(stream, container))
    share = max(missing + (1 - missing) * lost, not_found)
    if reading.fault_runs > max(_LEAST_RUNS, _MOST_RUNS * (reading.packets + reading.faults)):
        raise CorruptMediaError(f"'{name}' is broken throughout: {reading.reason}.")
    certain = (
        0.0 if family in _HINTS or not cut_is_refused else min(missing, extent.missing) if extent.missing else missing
    )
    if max(certain + (1 - certain) * lost, not_found) > 1 - LEAST_READABLE:
        raise CorruptMediaError(
            f"'{name}' is broken: {min(share, 0.99):.0%} of it cannot be read"
            + (
                ", because the end of the file is missing."
                if missing > lost
                else f" ({reading.reason or 'bytes are lost'})."
            )
        )
    return min(share, 1.0) if share >= LEAST_TOLD else None


def seconds_of(stream: Stream, container: InputContainer) -> float:
    """Length of a stream by its header, or that of the container's; 0 where neither names one."""
    if stream.duration and stream.time_base and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    return max(0.0, (container.duration or 0) / av.time_base)


def missing_share(extent: Extent, container: InputContainer, stream: Stream, reading: Reading | None = None) -> float:
    """Share of ``stream`` that lies behind the end of the file."""
    family = family_of(container)
    seconds = seconds_of(stream, container)
    if family == "flac":
        if reading is None or not reading.complete or not extent.frames or seconds <= 0:
            return 0.0
        return max(0.0, 1 - _span(reading) / seconds)
    if extent.missing == 0:
        return 0.0
    if family == "mov":
        entries = stream.index_entries
        beyond = sum(entry.pos + entry.size > extent.size for entry in entries)
        return beyond / max(1, len(entries))
    if family == "mp3":
        read = reading.packets if reading is not None and reading.complete else 0
        by_frames = max(0.0, 1 - read / extent.frames) if read and extent.frames else 1.0
        return min(extent.missing, by_frames)
    if family in ("matroska", "flv") and reading is not None and reading.complete and seconds:
        return max(0.0, 1 - _span(reading) / seconds)
    return extent.missing


def _span(reading: Reading) -> float:
    return reading.end - (reading.start or 0.0)


def _lost_share(reading: Reading, extent: Extent, family: str, seconds: float) -> float:
    """Share of what is there that could not be read. What lies behind the part that is analysed counts as whole."""
    cut = extent.missing > 0
    if family in _BY_BYTES:
        lost_bytes = reading.lost_bytes + (0 if cut else reading.trailing_bytes)
        if family in _SKIPPING and reading.complete and not extent.tagged:
            lost_bytes += max(0, extent.size - reading.position)
        seen = lost_bytes + reading.read_bytes
        return lost_bytes / max(1, seen if reading.complete else extent.size) if lost_bytes else 0.0
    span = _span(reading)
    in_gaps = sum(gap.seconds for gap in reading.gaps)
    rate = max(reading.position - (reading.first or 0) - reading.idle_bytes, 1) / max(span - in_gaps, 0.001)
    lost, whole = reading.lost + (0.0 if cut else reading.trailing), span if reading.complete else max(seconds, span)
    unread, idle_bytes = seconds - span, extent.size - reading.position
    if family == "avi":
        # It counts frames, so that a gap shows itself only by the number of all.
        unread, idle_bytes = unread + in_gaps, idle_bytes + reading.idle_bytes
    else:
        lost += sum(gap.seconds for gap in reading.gaps if _is_lost(gap, rate, span, extent, family))
    if reading.complete and not cut and family in (*RESUMED, "avi", "ogg") and unread > 2 * _packet(reading, span):
        enough = unread > _LEAST_UNREAD if family == "ogg" else idle_bytes >= _IDLE_SHARE * rate * unread
        if enough:
            lost, whole = lost + unread, max(seconds, span)
    share = min(1.0, lost / whole) if whole > 0 else 0.0
    return max(share, extent.unsynchronised)


def _is_lost(gap: Gap, rate: float, span: float, extent: Extent, family: str) -> bool:
    """Whether a gap is damage.

    Args:
        rate: bytes a second.
        span: seconds of the recording.
    """
    if family in _WITHOUT_PAUSES or gap.idle_bytes >= _IDLE_SHARE * rate * gap.seconds:
        return True
    return extent.broken_order and gap.seconds < span / 2


def _packet(reading: Reading, span: float) -> float:
    return span / max(1, reading.packets)
