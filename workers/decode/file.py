"""Decode one opened file: find its format by its first bytes, and call the decoder of that format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO

from search.errors import CorruptMediaError, UnreadableFileError, UnsupportedMediaError
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.image.camera_raw import decode_raw
from workers.decode.image.picture import NotAPicture, decode_image
from workers.decode.image.truncated import beginning_later
from workers.decode.kinds import SNIFFED_BYTES, TIFF_STARTS, Family, is_raw_name, kind_of_name, sniff
from workers.decode.metadata.sidecar import sidecar_facts
from workers.decode.opened import OpenedMedia
from workers.decode.recording.streams import NotARecording, decode_streams
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound

_JUNK_BEFORE = "Its picture begins behind bytes that do not belong to it."


def decode_file(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    """Decode a file. The content decides on its kind, and the name only where the content does not. What its
    XMP sidecars say is part of its facts. No other file is opened.

    Args:
        kind: kind that the caller assumes; by the name when None.
        sound: takes the samples of a recording; empty before.

    Raises:
        MediaError: it cannot be decoded; the code says why.
    """
    name = media.name
    with _reading(media) as file:
        head = file.read(SNIFFED_BYTES)
        family = sniff(head)
        if is_raw_name(name) and head.startswith(TIFF_STARTS):
            family = Family.RAW
        file.seek(0)
        beside = sidecar_facts(media.sidecars)

        def picture() -> Decoded:
            try:
                return decode_image(file, name, options, beside)
            except NotAPicture:
                if family is not Family.UNKNOWN or kind_of_name(name) not in (None, Kind.IMAGE):
                    raise
                later = beginning_later(file)
                if later is None:
                    raise
                decoded = decode_image(later, name, options, beside)
                return replace(decoded, facts=replace(decoded.facts, remark=decoded.facts.remark or _JUNK_BEFORE))

        def recording() -> Decoded:
            return decode_streams(file, name, options, sound, beside)

        if family is Family.UNKNOWN:
            return _try_both(picture, recording, kind or kind_of_name(name), name)
        try:
            if family is Family.RAW:
                return decode_raw(file, name, options, beside)
            return picture() if family is Family.PICTURE else recording()
        except (NotAPicture, NotARecording):
            raise CorruptMediaError(f"'{name}' begins like a {family.value}, but its header is broken.") from None


def _try_both(
    picture: Callable[[], Decoded], recording: Callable[[], Decoded], kind: Kind | None, name: str
) -> Decoded:
    """Try the kind of the name first. A name of a picture is final, because FFmpeg finds a sound in any file."""
    attempts = (picture,) if kind is Kind.IMAGE else (picture, recording) if kind is None else (recording, picture)
    for attempt in attempts:
        try:
            return attempt()
        except (NotAPicture, NotARecording):
            continue
    raise UnsupportedMediaError(f"'{name}' is not a picture, video or sound in a format that can be read.")


@contextmanager
def _reading(media: OpenedMedia) -> Iterator[IO[bytes]]:
    """The file, from its first byte.

    Raises:
        UnreadableFileError: it could not be read within the block.
    """
    with os.fdopen(media.descriptor, "rb", closefd=False) as file:
        try:
            yield file
        except OSError as error:
            raise UnreadableFileError(f"'{media.name}' could not be read: {error.strerror or error}.") from None
