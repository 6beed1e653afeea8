"""Decode videos: key frames with their times, and what models of motion see: clips, or how it moves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
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
from search.similar.reuse.footprints import Footprints
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.fingerprints.frames import FilmFrames
from workers.decode.image.geometry import encode_preview
from workers.decode.recording.colour import FramePainter
from workers.decode.recording.damage import damage_of, seconds_of
from workers.decode.recording.frames import NoFrames, Reading, decode_frames
from workers.decode.recording.keyframes import FEWEST, SECONDS_BETWEEN, SECONDS_EACH, KeyFrameCandidate, Sampler
from workers.decode.recording.movement.clips import cut_clips
from workers.decode.recording.movement.windows import MovementWindows
from workers.decode.recording.upright import Turn
from workers.decode.sandbox.options import DecodeOptions

SEQUENTIAL_PIXELS = 1.5e9
"""Pixels up to which every frame is decoded (about 5 s of one core; half a minute of full HD). Longer videos are
sampled by seeking to evenly spaced moments, one each five seconds."""
PRINTED_SECONDS = 10.0
"""Time in which a longer video is read from its start for fingerprints over time; what follows has none."""
FEWEST_SEEKS, MOST_SEEKS = 64, 1080
BETWEEN_PIXELS = SEQUENTIAL_PIXELS
"""Pixels decoded beside, at most, where a film's codec begins anew less often than key frames are wanted."""


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
    windows = MovementWindows(seconds, video.aspect) if seconds and options.movement else None
    prints = FilmFrames()
    if seconds and work > SEQUENTIAL_PIXELS:
        sampler = video.by_seeking(seconds, options.key_frames)
        read_on = True
    else:
        sampler = video.by_decoding_all(seconds, options.key_frames, windows, prints)
        read_on = windows is None
    chosen = sampler.key_frames()
    if not chosen:
        raise NoFrames
    damaged = video.damage(file)
    if seconds and work > SEQUENTIAL_PIXELS:
        video.read_from_start(prints)
    if read_on and options.movement:
        windows = video.read_windows(MovementWindows(seconds or video.end, video.aspect))
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
        movement=None if windows is None else windows.movement(),
        whole=np.stack([frame.whole for frame in chosen]),
        fingerprints=tuple(frame.fingerprint for frame in chosen if frame.fingerprint),
        footprints=Footprints(prints.rows()),
        preview=encode_preview(sampler.preview),
    )


class DecodedVideo:
    """Frames of one video stream, upright and with square pixels, each with its moment in seconds."""

    def __init__(self, container: InputContainer, stream: VideoStream, name: str) -> None:
        self._container, self._stream, self._name = container, stream, name
        self._painter = FramePainter()
        self._reading = Reading()
        self._sought = self._not_found = 0
        aspect = float(stream.sample_aspect_ratio or 1)
        self.aspect = aspect if 0.1 < aspect < 10 else 1.0
        self._start = float((stream.start_time or 0) * (stream.time_base or 0))
        self.rate = min(float(stream.average_rate or 25), 1000.0) or 25.0
        self.pixels = stream.width * stream.height
        self.size = (stream.width, stream.height)
        self.end = 0.0
        """Moment at which the last frame decoded so far ends."""

    def by_decoding_all(
        self, seconds: float | None, most: int, windows: MovementWindows | None, prints: FilmFrames
    ) -> Sampler:
        """Evenly spaced frames of the whole video, those of its windows, and fingerprints of frames."""
        sampler = Sampler(most, seconds or 0.0)
        for count, (moment, frame) in enumerate(self.frames(reading=self._reading)):
            sampler.offer(moment, partial(self._candidate, moment, frame))
            prints.offer(moment, frame)
            if windows is not None:
                windows.offer(moment, frame)
            if count * self.pixels > 4 * SEQUENTIAL_PIXELS:
                break
        return sampler

    def by_seeking(self, seconds: float, most: int) -> Sampler:
        """The last intra-coded frame before each of evenly spaced moments; frames in between where they are too few."""
        sampler = Sampler(most, seconds, step=0.0)
        intra_coded = self._intra_coded(seconds)
        self._stream.codec_context.skip_frame = "NONKEY"
        first = list(itertools.islice(intra_coded, FEWEST))
        if len(first) == FEWEST:
            for candidate in itertools.chain(first, intra_coded):
                sampler.offer(candidate.moment, partial(_itself, candidate))
        self._stream.codec_context.skip_frame = "DEFAULT"
        if len(first) < FEWEST:
            affordable = max(1, int(SEQUENTIAL_PIXELS / FEWEST / max(1, self.pixels)))
            between = [self._near(float(at), affordable) for at in (np.arange(FEWEST) + 0.5) * seconds / FEWEST]
            found = {candidate.moment: candidate for candidate in (*first, *filter(None, map(self._first, between)))}
            for moment in sorted(found):
                sampler.offer(moment, partial(_itself, found[moment]))
        return sampler

    def _intra_coded(self, seconds: float) -> Iterator[KeyFrameCandidate]:
        """The last intra-coded frame before each of evenly spaced moments, each once, and frames between two of them
        that are more than ten seconds apart, as far as :data:`BETWEEN_PIXELS` go."""
        latest, left = 0.0, BETWEEN_PIXELS
        seeks = min(MOST_SEEKS, max(FEWEST_SEEKS, round(seconds / SECONDS_BETWEEN)))
        for number, target in enumerate(np.linspace(0, seconds, seeks, endpoint=False)):
            candidate = self._first(self.frames(float(target)))
            if candidate is None or (number and candidate.moment <= latest):
                continue
            if candidate.moment > latest + SECONDS_EACH and left > 0:
                between, left = self._between(latest, candidate.moment, left)
                yield from between
            latest = candidate.moment
            yield candidate
        if seconds > latest + SECONDS_EACH and left > 0:
            yield from self._between(latest, seconds, left)[0]

    def _between(self, since: float, until: float, left: float) -> tuple[list[KeyFrameCandidate], float]:
        """Frames each ten seconds between two moments, decoding at most ``left`` pixels, and how many are left."""
        found: list[KeyFrameCandidate] = []
        self._stream.codec_context.skip_frame = "DEFAULT"
        with suppress(CorruptMediaError, av.error.FFmpegError):
            for moment, frame in self.frames(since):
                left -= self.pixels
                if moment >= until or left <= 0:
                    break
                if moment >= since + SECONDS_EACH * (len(found) + 1) * 0.99:
                    found.append(self._candidate(moment, frame))
        self._stream.codec_context.skip_frame = "NONKEY"
        return found, left

    def _first(self, frames: Iterator[tuple[float, VideoFrame]], later_than: float = -1.0) -> KeyFrameCandidate | None:
        """The first of these frames, None where it cannot be read or is not later."""
        self._sought += 1
        try:
            moment, frame = next(frames, (None, None))
        except (CorruptMediaError, av.error.FFmpegError):
            self._not_found += 1
            return None
        return None if moment is None or frame is None else self._candidate(moment, frame)

    def read_from_start(self, prints: FilmFrames) -> None:
        """Read a long video from its start for fingerprints of its frames, for ``PRINTED_SECONDS``.

        Frames that no other is made of are left out, so that codecs decode about twice as much in that time.
        """
        until = time.monotonic() + PRINTED_SECONDS
        self._stream.codec_context.skip_frame = "NONREF"
        with suppress(CorruptMediaError, av.error.FFmpegError):
            for moment, frame in self.frames(0.0):
                prints.offer(moment, frame)
                if time.monotonic() > until:
                    break
        self._stream.codec_context.skip_frame = "DEFAULT"

    def read_windows(self, windows: MovementWindows) -> MovementWindows:
        """Read the windows of a video, each from where decoding can begin."""
        for number, start in enumerate(windows.starts):
            with suppress(CorruptMediaError, av.error.FFmpegError):
                windows.read(number, self.frames(start))
        return windows

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
        width, height = max(1, round(frame.width * self.aspect)), frame.height
        turn = Turn.of(frame)
        self.size = turn.size(width, height)
        pixels = self._painter.shrunk(frame, width, height)
        return Image.fromarray(np.ascontiguousarray(turn.upright(pixels)))


def _itself(candidate: KeyFrameCandidate) -> KeyFrameCandidate:
    return candidate
