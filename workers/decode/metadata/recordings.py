"""Read the metadata of a video or a sound: the tags of its container and streams.

Source of names: FFmpeg's generic tags (libavformat/avformat.h), QuickTime's metadata keys, Matroska's tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from av.container import InputContainer

from search.media import Kind
from workers.decode.decoded import MediaFacts
from workers.decode.metadata.dates import container_moment, moment
from workers.decode.metadata.quantities import iso_6709, tolerant
from workers.decode.metadata.sources import Source, SourceFacts, camera_name, merged
from workers.decode.metadata.texts import first_text, text
from workers.decode.metadata.xmp import xmp_facts

_APPLE = "com.apple.quicktime."
_RECORDED = (f"{_APPLE}creationdate", "date_recorded", "date")
"""Dates that people or cameras set, the most telling first. ``date`` is ID3's time of recording (``TDRC``), Vorbis'
``DATE``, MP4's ``©day``."""
_AUTHORS = {
    Kind.VIDEO: (f"{_APPLE}author", "author"),
    Kind.AUDIO: ("artist", "author", "album_artist"),
}
"""Tags that name whoever made a recording. The artist of a film is mostly the singer heard in it, so of a film only its
author counts. A sound's artist is a fact, but nobody's credit (``search.photographers.photos.names.credited_name``)."""


def recording_facts(container: InputContainer, kind: Kind, others: Sequence[SourceFacts] = ()) -> MediaFacts:
    """Metadata of an opened recording.

    Args:
        kind: whether it counts as a video or as a sound.
        others: what sources outside the file say, such as sidecars.
    """
    tags = _tags(container)
    packet = tags.get("xmp")
    embedded = tolerant(lambda: xmp_facts(packet.encode("utf-8", "surrogateescape"))) if packet else None
    return merged([*others, *([embedded] if embedded else []), container_facts(tags, kind)])


def container_facts(tags: Mapping[str, str], kind: Kind) -> SourceFacts:
    """What tags say, by their names in lower case."""
    places = (tags.get(key) for key in (f"{_APPLE}location.iso6709", "location", "location-eng"))
    return SourceFacts(
        Source.EXIF,
        authors=tuple(author for key in _AUTHORS[kind] if (author := text(tags.get(key)))),
        original=tuple(_dates(tags)),
        digitised=tuple(date for date in [moment(text(tags.get("date_digitized")))] if date),
        camera=camera_name(
            first_text((tags.get(f"{_APPLE}make"), tags.get("make"))),
            first_text((tags.get(f"{_APPLE}model"), tags.get("model"))),
        ),
        place=next((found for place in places if (found := iso_6709(place))), None),
    )


def _dates(tags: Mapping[str, str]) -> Iterator[str]:
    """Dates with a time, then the container's own, which many programs set to that of a conversion, then days alone."""
    dates = [date for key in _RECORDED if (date := moment(text(tags.get(key))))]
    yield from (date for date in dates if "T" in date)
    if created := container_moment(text(tags.get("creation_time"))):
        yield created
    yield from (date for date in dates if "T" not in date)


def _tags(container: InputContainer) -> dict[str, str]:
    """Tags by their names in lower case; Ogg keeps them with its streams. The container's own count first."""
    found: dict[str, str] = {}
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        for key, value in metadata.items():
            found.setdefault(key.lower(), value)
    return found
