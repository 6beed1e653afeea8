"""Decode videos: key frames with their times, and on request the clips of a motion model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import IO

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from search.errors import CorruptMediaError, MediaTooLargeError
from search.media import Kind
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.image.geometry import encode_preview, squeeze
from workers.decode.perceptual import picture_fingerprint
from workers.decode.recording.clips import cut_clips
from workers.decode.recording.colour import FramePainter
from workers.decode.recording.damage import damage_of, seconds_of
from workers.decode.recording.frames import NoFrames, Reading, decode_frames
from workers.decode.recording.keyframes import FEWEST, KeyFrameCandidate, Sampler, choose_key_frames
from workers.decode.recording.upright import Turn
from workers.decode.sandbox.options import DecodeOptions

SEQUENTIAL_PIXELS = 1.5e9
"""Pixels up to which every frame is decoded (about 5 s of one core; half a minute of full HD). Longer videos are
sampled by seeking to ``SEEKS`` evenly spaced moments, so that their cost does not grow with their length."""
SEEKS = 64


def decode_video(
    container: InputContainer,
    stream: VideoStream,
    file: IO[bytes],
    name: str,
    seconds: float | None,
    facts: MediaFacts,
    options: DecodeOptions,
) -> Decoded:
    """Decode the pictures of a video, without its sound.

    Args:
        seconds: length by the container, None where that is not plausible.
        facts: metadata of the container's tags.

    Raises:
        NoFrames: the stream holds no picture, but is not broken either.
        CorruptMediaError: less than half of it can be read.
        MediaTooLargeError: frames of more pixels than allowed.
    """
    if stream.width * stream.height > options.max_pixels:
        raise MediaTooLargeError(
            f"'{name}' has frames of {stream.width} x {stream.height} pixels.",
            "LIKEWISE_MAX_PIXELS sets the largest frame.",
        )
    stream.thread_type = "NONE"
    video = DecodedVideo(container, stream, name)
    work = video.pixels * video.rate * (seconds or 0.0)
    candidates = video.by_seeking(seconds) if seconds and work > SEQUENTIAL_PIXELS else video.by_decoding_all()
    chosen = choose_key_frames(candidates, options.key_frames)
    if not chosen:
        raise NoFrames
    damaged = video.damage(file)
    fingerprints = (picture_fingerprint(frame.preview) for frame in chosen)
    return Decoded(
        kind=Kind.VIDEO,
        mime="",
        facts=replace(
            facts,
            width=video.size[0],
            height=video.size[1],
            duration=seconds or video.end or None,
            damaged=damaged,
        ),
        crops=np.stack([frame.crop for frame in chosen]),
        moments=tuple(round(frame.moment, 3) for frame in chosen),
        clips=cut_clips(video.frames, seconds or video.end) if options.clips else None,
        whole=np.stack([squeeze(frame.preview) for frame in chosen]),
        fingerprints=tuple(text for text in fingerprints if text),
        preview=encode_preview(max(chosen, key=lambda frame: frame.contrast).preview),
    )


class DecodedVideo:
    """Frames of one video stream, upright and with square pixels, each with its moment in seconds."""

    def __init__(self, container: InputContainer, stream: VideoStream, name: str) -> None:
        self._container, self._stream, self._name = container, stream, name
        self._painter = FramePainter()
        self._reading = Reading()
        self._sought = self._not_found = 0
        aspect = float(stream.sample_aspect_ratio or 1)
        self._aspect = aspect if 0.1 < aspect < 10 else 1.0
        self._start = float((stream.start_time or 0) * (stream.time_base or 0))
        self.rate = min(float(stream.average_rate or 25), 1000.0) or 25.0
        self.pixels = stream.width * stream.height
        self.size = (stream.width, stream.height)
        self.end = 0.0
        """Moment at which the last frame decoded so far ends."""

    def by_decoding_all(self) -> list[KeyFrameCandidate]:
        """Evenly spaced frames of the whole video."""
        sampler = Sampler()
        for count, (moment, frame) in enumerate(self.frames(reading=self._reading)):
            sampler.offer(moment, partial(self._candidate, moment, frame))
            if count * self.pixels > 4 * SEQUENTIAL_PIXELS:
                break
        return sampler.candidates

    def by_seeking(self, seconds: float) -> list[KeyFrameCandidate]:
        """The last intra-coded frame before each of ``SEEKS`` moments; frames in between where those are too few."""
        found: dict[float, KeyFrameCandidate] = {}
        self._stream.codec_context.skip_frame = "NONKEY"
        for target in np.linspace(0, seconds, SEEKS, endpoint=False):
            self._add_first(found, self.frames(float(target)))
        self._stream.codec_context.skip_frame = "DEFAULT"
        if len(found) < FEWEST:
            affordable = max(1, int(SEQUENTIAL_PIXELS / FEWEST / max(1, self.pixels)))
            for target in (np.arange(FEWEST) + 0.5) * seconds / FEWEST:
                self._add_first(found, self._near(float(target), affordable))
        return [found[moment] for moment in sorted(found)]

    def _add_first(self, found: dict[float, KeyFrameCandidate], frames: Iterator[tuple[float, VideoFrame]]) -> None:
        self._sought += 1
        try:
            moment, frame = next(frames, (None, None))
        except (CorruptMediaError, av.error.FFmpegError):
            self._not_found += 1
        else:
            if moment is not None and frame is not None and moment not in found:
                found[moment] = self._candidate(moment, frame)

    def damage(self, file: IO[bytes]) -> float | None:
        """Share of the film that could not be read, None if nothing is known to be missing.

        Raises:
            CorruptMediaError: less than half of it can be read.
        """
        seeking = self._not_found / self._sought if self._sought else 0.0
        return damage_of(self._reading, self._container, self._stream, file, self._name, seeking)

    def _near(self, target: float, affordable: int) -> Iterator[tuple[float, VideoFrame]]:
        """The frame at ``target``, or the last of the ``affordable`` frames before it."""
        last = None
        for count, last in enumerate(self.frames(target)):
            if last[0] >= target or count >= affordable:
                break
        if last is not None:
            yield last

    def frames(self, since: float = 0.0, reading: Reading | None = None) -> Iterator[tuple[float, VideoFrame]]:
        """Frames with their moments, from the last point before ``since`` at which decoding can begin.

        Args:
            reading: account to keep, of a reading from start to end.
        """
        if since or self.end:
            self._container.seek(int((since + self._start) * av.time_base), backward=True)
        moment = -1 / self.rate
        length = seconds_of(self._stream, self._container) if reading else 0.0
        for frame in decode_frames(self._container, self._stream, self._name, reading, length):
            moment = frame.time - self._start if frame.time is not None else moment + 1 / self.rate
            self.end = max(self.end, moment + 1 / self.rate)
            yield max(0.0, moment), frame

    def _candidate(self, moment: float, frame: VideoFrame) -> KeyFrameCandidate:
        picture = self.picture(frame)
        return KeyFrameCandidate.of(moment, picture, self.size)

    def picture(self, frame: VideoFrame) -> Image.Image:
        """The frame as RGB, upright, shrunk cheaply when much larger than needed."""
        width, height = max(1, round(frame.width * self._aspect)), frame.height
        turn = Turn.of(frame)
        self.size = turn.size(width, height)
        pixels = self._painter.shrunk(frame, width, height)
        return Image.fromarray(np.ascontiguousarray(turn.upright(pixels)))
