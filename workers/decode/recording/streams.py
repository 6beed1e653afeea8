"""Decode videos and sounds by FFmpeg, opened so that a file cannot refer to other files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import av
import av.error
import av.logging
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from search.errors import CorruptMediaError, MediaError, MediaTooLargeError, UnsupportedMediaError
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.metadata.recordings import recording_facts
from workers.decode.metadata.sources import SourceFacts
from workers.decode.recording.audio import decode_audio, read_track
from workers.decode.recording.frames import NoFrames
from workers.decode.recording.video import decode_video
from workers.decode.sandbox.options import DecodeOptions

av.logging.set_level(av.logging.PANIC)

DEMUXERS = """
    aa aac aax ac3 ac4 act adx aea aiff aix amr amrnb amrwb apac ape aptx asf ast au av1 avi avr bfstm bink binka
    bonk brstm caf cavsvideo cine codec2 dhav dirac dnxhd dsf dss dts dtshd dv dxa eac3 ea evc flac flv g722 g723_1 g729
    gsm gxf h261 h263 h264 hca hevc iamf iff ilbc ipmovie ircam ivf ivr kux lc3 live_flv loas m4v matroska mjpeg mlp mlv
    mov mp3 mpc mpc8 mpeg mpegts mpegvideo mtv mxf nistsphere nsv nut nuv obu ogg oma osq pva pvf qcp qoa r3d rka rm roq
    rso sbc shn siff sln smjpeg smk sol sox swf tak thp truehd tta ty vc1 vc1test vivo voc vqf vvc w64 wav wavarc
    wc3movie webm wsd wtv wv xa xwma yuv4mpegpipe"""
"""Demuxers a file may call for. Left out: play lists and everything that opens other files or addresses (``hls``,
``concat``, ``dash``, ``sdp``), pictures, subtitles, devices, and raw samples that any bytes would pass for."""

_OPEN_OPTIONS = {"format_whitelist": ",".join(DEMUXERS.split()), "protocol_whitelist": "file"}

LEAST_BYTES_A_SECOND = 16
"""A header that claims fewer bytes a second than this lies about the length, and is not believed."""

_MIME = {
    "mov": ("video/mp4", "audio/mp4"),
    "matroska": ("video/x-matroska", "audio/x-matroska"),
    "avi": ("video/x-msvideo", "audio/x-msvideo"),
    "asf": ("video/x-ms-wmv", "audio/x-ms-wma"),
    "ogg": ("video/ogg", "audio/ogg"),
    "mpeg": ("video/mpeg", "audio/mpeg"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
    "wav": ("audio/wav", "audio/wav"),
    "w64": ("audio/wav", "audio/wav"),
    "flac": ("audio/flac", "audio/flac"),
    "aac": ("audio/aac", "audio/aac"),
    "aiff": ("audio/aiff", "audio/aiff"),
    "amr": ("audio/amr", "audio/amr"),
    "flv": ("video/x-flv", "audio/x-flv"),
}

_S = TypeVar("_S", VideoStream, AudioStream)


def decode_streams(
    path: str, name: str, size: int, options: DecodeOptions, others: Sequence[SourceFacts] = ()
) -> Decoded:
    """Decode a video or a sound, by its streams. A sound with a cover picture is a sound.

    Args:
        size: bytes of the file.
        others: what sources outside the file say of it, such as sidecars.

    Raises:
        NotARecording: nothing that FFmpeg recognises.
        UnsupportedMediaError: nothing in it that FFmpeg can decode.
        CorruptMediaError: broken from its start.
        MediaTooLargeError: longer, or of larger frames, than allowed.
    """
    with open_container(path, name) as container:
        video, sound = _first(container.streams.video), _first(container.streams.audio)
        if video is None and sound is None:
            raise _nothing_in(container, name)
        seconds = _believable_seconds(container, size)
        if seconds is not None and seconds > options.max_seconds:
            raise MediaTooLargeError(f"'{name}' lasts {seconds:,.0f} s.", "LIKEWISE_MAX_DURATION sets the longest.")
        if video is not None:
            try:
                video_part = decode_video(container, video, name, seconds, recording_facts(container, others), options)
            except NoFrames:
                if sound is None:
                    raise CorruptMediaError(f"'{name}' holds no picture that can be decoded.") from None
            else:
                track = _sound_track(path, name) if sound is not None else None
                facts = replace(video_part.facts, has_sound=track is not None)
                return replace(video_part, mime=_mime(container, Kind.VIDEO, name), facts=facts, sound=track)
    with open_container(path, name) as container:
        sound = _first(container.streams.audio)
        assert sound is not None
        decoded = decode_audio(container, sound, name, seconds, recording_facts(container, others))
        return replace(decoded, mime=_mime(container, Kind.AUDIO, name))


def _sound_track(path: str, name: str) -> npt.NDArray[np.float32] | None:
    """Samples of a video's sound, float32 (n,); None where it has none, or a broken one, which is no error."""
    with contextlib.suppress(NoFrames, CorruptMediaError), open_container(path, name) as container:
        sound = _first(container.streams.audio)
        return read_track(container, sound, name).samples if sound is not None else None
    return None


class NotARecording(Exception):
    """FFmpeg does not recognise the file; the caller decides whether it is broken or of another format."""


@contextmanager
def open_container(path: str, name: str) -> Iterator[InputContainer]:
    """A container opened for reading; FFmpeg's errors become ours within the block.

    Raises:
        NotARecording: FFmpeg does not recognise the file.
        CorruptMediaError: it is broken.
    """
    opened = False
    try:
        with av.open(f"file:{path}", options=_OPEN_OPTIONS, metadata_errors="replace") as container:
            opened = True
            yield container
    except MemoryError:
        raise
    except av.error.FFmpegError as error:
        if opened:
            reason = error.strerror or type(error).__name__
            raise CorruptMediaError(f"'{name}' is a broken recording: {reason}.") from None
        raise NotARecording from None


def _first(streams: tuple[_S, ...]) -> _S | None:
    """The first stream with a decoder that is no cover picture."""
    for stream in streams:
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None:
            return stream
    return None


def _nothing_in(container: InputContainer, name: str) -> MediaError:
    if container.streams:
        return UnsupportedMediaError(f"'{name}' holds no picture or sound in a coding that can be decoded.")
    return CorruptMediaError(f"'{name}' is a recording with nothing in it.")


def _believable_seconds(container: InputContainer, size: int) -> float | None:
    if container.duration is None or container.duration <= 0:
        return None
    seconds = container.duration / av.time_base
    return seconds if size / seconds >= LEAST_BYTES_A_SECOND else None


def _mime(container: InputContainer, kind: Kind, name: str) -> str:
    family = container.format.name.split(",")[0]
    if family == "mov" and container.metadata.get("major_brand", "").strip() == "qt":
        return "video/quicktime" if kind is Kind.VIDEO else "audio/mp4"
    if family == "matroska" and name.lower().endswith((".webm", ".weba")):
        return "video/webm" if kind is Kind.VIDEO else "audio/webm"
    video, audio = _MIME.get(family, (f"video/x-{family}", f"audio/x-{family}"))
    return video if kind is Kind.VIDEO else audio
