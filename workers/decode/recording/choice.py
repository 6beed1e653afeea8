"""Choose which streams of a recording are its film and its sound, by disposition, size, length and number of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from search.media import Kind
from workers.decode.kinds import kind_of_name

PICTURE_CODINGS = frozenset(
    ("apng", "bmp", "gif", "jpeg2000", "jpegls", "jpegxl", "mjpeg", "mjpegb", "png", "ppm", "targa", "tiff", "webp")
)
"""Codings of single pictures, which covers and chapters' pictures have."""
_SOUND_BRANDS = ("M4A", "M4B", "M4P", "F4A", "F4B")

FEWEST_A_SECOND = 0.5
"""Pictures a second below which a stream of pictures beside a sound illustrates it."""
FEWEST_A_SECOND_OF_SOUND = 2.0
"""The same of a file that its name or brand calls a sound."""
_COUNTED = 16
"""Pictures that are counted where the container does not say how many there are."""

_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_BESIDE_FILM = Disposition.dependent | Disposition.still_image | Disposition.comment | Disposition.metadata
_BESIDE_SOUND = (
    Disposition.comment
    | Disposition.visual_impaired
    | Disposition.hearing_impaired
    | Disposition.karaoke
    | Disposition.lyrics
    | Disposition.clean_effects
    | Disposition.descriptions
    | Disposition.non_diegetic
    | Disposition.dependent
)
"""Tracks beside the main one: commentary, descriptions for the blind, music alone."""

Opened = Callable[[], AbstractContextManager[InputContainer]]


def sounds(container: InputContainer) -> list[AudioStream]:
    """Sound tracks with a decoder, the one a player would play first."""
    able = [stream for stream in container.streams.audio if stream.codec_context is not None]
    return sorted(able, key=lambda stream: (bool(stream.disposition & _BESIDE_SOUND), not _default(stream)))


def film(container: InputContainer, name: str, opened: Opened) -> VideoStream | None:
    """The stream that is a recording's film; None where its pictures are covers or illustrate the chapters of a sound.

    Args:
        opened: opens the same file anew, for counting pictures.
    """
    able = [s for s in container.streams.video if not s.disposition & _COVER and s.codec_context is not None]
    called_sound = kind_of_name(name) is Kind.AUDIO or container.metadata.get("major_brand", "").startswith(
        _SOUND_BRANDS
    )
    if any(s.codec_context is not None for s in container.streams.audio):
        fewest = FEWEST_A_SECOND_OF_SOUND if called_sound else FEWEST_A_SECOND
        able = [s for s in able if not _illustrates(s, container, fewest, called_sound, opened)]
    if len(able) < 2:
        return able[0] if able else None
    able = _those(able, lambda s: not s.disposition & _BESIDE_FILM)
    able = _those(able, lambda s: s.codec_context.name not in PICTURE_CODINGS or not _is_single(s, opened))
    longest = max(_seconds(s) for s in able)
    able = _those(able, lambda s: _seconds(s) == 0 or _seconds(s) >= longest / 2)
    largest = max(s.width * s.height for s in able)
    able = _those(able, lambda s: s.width * s.height >= largest / 2)
    able = _those(able, lambda s: not (s.codec_context.pix_fmt or "").startswith("gray"))
    return max(able, key=lambda s: (_default(s), s.width * s.height, -s.index))


def _those(streams: Sequence[VideoStream], keep: Callable[[VideoStream], bool]) -> list[VideoStream]:
    """Those of ``streams`` that are to be kept, or all when none is."""
    return [stream for stream in streams if keep(stream)] or list(streams)


def _default(stream: Stream) -> bool:
    """Whether a player takes this track unasked; of MP4, whether it is enabled."""
    return bool(stream.disposition & Disposition.default)


def _seconds(stream: Stream) -> float:
    """Length that the stream's header names, 0 where it names none."""
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def _illustrates(
    stream: VideoStream,
    container: InputContainer,
    fewest: float,
    called_sound: bool,
    opened: Opened,
) -> bool:
    """Whether a stream beside a sound is no film but a cover, or a few pictures that go with it."""
    if stream.codec_context.name not in PICTURE_CODINGS and not called_sound:
        return False
    length = max([_seconds(sound) for sound in container.streams.audio] + [(container.duration or 0) / av.time_base])
    if stream.frames:
        return stream.frames == 1 or stream.frames < fewest * length
    with opened() as again:
        count, last = _count(again, stream.index)
    return count <= 1 or count < fewest * (length if count < _COUNTED else last)


def _is_single(stream: VideoStream, opened: Opened) -> bool:
    if stream.frames:
        return stream.frames == 1
    with opened() as again:
        return _count(again, stream.index)[0] <= 1


def _count(container: InputContainer, index: int) -> tuple[int, float]:
    """Pictures of a stream, at most ``_COUNTED``, and the seconds from the first to the last of them."""
    count, first, last = 0, None, 0.0
    try:
        for packet in container.demux(container.streams[index]):
            if packet.dts is None or not packet.size:
                continue
            count += 1
            moment = float(packet.dts * packet.time_base)
            first = moment if first is None else first
            last = moment - first
            if count >= _COUNTED:
                break
    except av.error.FFmpegError:
        pass
    return count, last
