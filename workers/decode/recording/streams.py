"""Decode videos and sounds by FFmpeg, opened so that a file cannot refer to other files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import IO

import av
import av.error
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer

from search.errors import CorruptMediaError, MediaError, MediaTooLargeError, UnsupportedMediaError
from search.media import Kind
from search.similar.reuse.footprints import Footprints
from workers.decode.decoded import Decoded
from workers.decode.metadata.recordings import recording_facts
from workers.decode.metadata.sources import SourceFacts
from workers.decode.recording.audio import as_audio
from workers.decode.recording.byte_reader import ByteReader
from workers.decode.recording.choice import film, sounds
from workers.decode.recording.damage import damage_of, seconds_of
from workers.decode.recording.extent import lacks_index
from workers.decode.recording.frames import NoFrames, Reading
from workers.decode.recording.listening import Track, read_track
from workers.decode.recording.video import decode_video
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound

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

_OPEN_OPTIONS = {"format_whitelist": ",".join(DEMUXERS.split()), "protocol_whitelist": "none", "export_xmp": "1"}
"""No protocol is called none: FFmpeg reads what it is given and opens nothing itself."""

MOST_TRACKS = 4
"""Sound tracks that are listened to in search of one that is not silent."""
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


def decode_streams(
    file: IO[bytes], name: str, options: DecodeOptions, sound: Sound, others: Sequence[SourceFacts] = ()
) -> Decoded:
    """Decode a video or a sound, by its streams. A sound with pictures that illustrate it is a sound.

    Args:
        file: with a descriptor; containers read at positions of their own.
        sound: takes the samples.
        others: what sources outside the file say of it, such as sidecars.

    Raises:
        NotARecording: nothing that FFmpeg recognises.
        UnsupportedMediaError: nothing in it that FFmpeg can decode.
        CorruptMediaError: less than half of it can be read.
        MediaTooLargeError: longer, or of larger frames, than allowed.
    """
    opened = partial(open_container, file, name)
    with opened() as container:
        video, tracks = film(container, name, opened), sounds(container)
        listening = _Listening(container, tracks, file, name, sound, options.max_seconds)
        if video is None and not tracks:
            raise _nothing_in(container, name)
        seconds = _believable_seconds(container, os.fstat(file.fileno()).st_size)
        if seconds is not None and seconds > options.max_seconds:
            raise MediaTooLargeError(f"'{name}' lasts {seconds:,.0f} s.", "LIKEWISE_MAX_DURATION sets the longest.")
        if video is not None:
            facts = recording_facts(container, Kind.VIDEO, others)
            try:
                decoded = decode_video(container, video, file, name, seconds, facts, options)
            except NoFrames:
                if not tracks:
                    raise CorruptMediaError(f"'{name}' holds no picture that can be decoded.") from None
            else:
                return _with_sound(decoded, container, listening, name)
        try:
            track, damaged = listening.hear()
        except NoFrames:
            raise CorruptMediaError(f"'{name}' holds no sound that can be decoded.") from None
        facts = recording_facts(container, Kind.AUDIO, others)
        facts = replace(facts, damaged=damaged)
        return replace(as_audio(track, sound, seconds, facts), mime=_mime(container, Kind.AUDIO, name))


@dataclass(frozen=True, slots=True)
class _Listening:
    """The sound tracks of a recording, and what takes the samples of the one that is heard."""

    container: InputContainer
    tracks: Sequence[AudioStream]
    file: IO[bytes]
    name: str
    sound: Sound
    most: float

    def hear(self, *, cut_is_refused: bool = True) -> tuple[Track, float | None]:
        """The first of the tracks in which anything can be heard, or else the first that can be read, and how much of
        it is damaged.

        Raises:
            NoFrames: none of them holds a sample.
            CorruptMediaError: less than half of each can be read.
        """
        readable: list[AudioStream] = []
        errors: list[NoFrames | CorruptMediaError] = []
        heard: tuple[Track, float | None] | None = None
        for stream in self.tracks[:MOST_TRACKS]:
            try:
                heard = self._read(stream, cut_is_refused)
            except (NoFrames, CorruptMediaError) as error:
                errors.append(error)
                continue
            readable.append(stream)
            if heard[0].is_audible:
                return heard
        if heard is None:
            raise errors[0]
        return heard if len(self.tracks) == 1 else self._read(readable[0], cut_is_refused)

    def _read(self, stream: AudioStream, cut_is_refused: bool) -> tuple[Track, float | None]:
        opened, length = partial(open_container, self.file, self.name), seconds_of(stream, self.container)
        reading = Reading()
        track = read_track(opened, stream.index, self.name, reading, self.sound, self.most, length)
        return track, damage_of(reading, self.container, stream, self.file, self.name, cut_is_refused=cut_is_refused)


def _with_sound(decoded: Decoded, container: InputContainer, listening: _Listening, name: str) -> Decoded:
    """A video with the sound that goes with it. One that cannot be read is no error."""
    decoded = replace(decoded, mime=_mime(container, Kind.VIDEO, name))
    if not listening.tracks:
        return decoded
    try:
        track, _ = listening.hear(cut_is_refused=False)
    except NoFrames:
        return decoded
    except CorruptMediaError:
        remark = decoded.facts.remark or "The sound of this video cannot be read."
        return replace(decoded, facts=replace(decoded.facts, remark=remark))
    seen = decoded.footprints or Footprints()
    return replace(
        decoded,
        facts=replace(decoded.facts, has_sound=True),
        sound=listening.sound,
        footprints=replace(seen, landmarks=track.landmarks),
    )


class NotARecording(Exception):
    """FFmpeg does not recognise the file; the caller decides whether it is broken or of another format."""


@contextmanager
def open_container(file: IO[bytes], name: str) -> Iterator[InputContainer]:
    """A container opened for reading; FFmpeg's errors become ours within the block.

    Raises:
        NotARecording: FFmpeg does not recognise the file.
        CorruptMediaError: it is broken.
    """
    opened = False
    try:
        reader = ByteReader(file.fileno(), name)
        with av.open(reader, "r", options=_OPEN_OPTIONS, metadata_errors="surrogateescape") as container:
            opened = True
            yield container
    except MemoryError:
        raise
    except av.error.FFmpegError as error:
        if opened:
            reason = error.strerror or type(error).__name__
            raise CorruptMediaError(f"'{name}' is a broken recording: {reason}.") from None
        if lacks_index(file):
            raise CorruptMediaError(
                f"'{name}' has no index (moov): its recording or transfer was cut off before that was written."
            ) from None
        raise NotARecording from None


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
