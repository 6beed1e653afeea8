"""Read the metadata of a video or a sound: the tags of its container and streams."""

from __future__ import annotations

import re
from collections.abc import Sequence

from av.container import InputContainer

from workers.decode.decoded import MediaFacts
from workers.decode.metadata.pictures import camera_name, container_moment, text
from workers.decode.metadata.sources import SourceFacts

_ISO_6709 = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")


def recording_facts(container: InputContainer, others: Sequence[SourceFacts] = ()) -> MediaFacts:
    """Metadata of an opened recording.

    Args:
        others: what sources outside the file say, such as sidecars.
    """
    tags = {key.lower(): value for key, value in container.metadata.items()}
    apple = "com.apple.quicktime."
    place = _ISO_6709.match(tags.get(apple + "location.iso6709", "") or tags.get("location", ""))
    latitude, longitude = (float(place[1]), float(place[2])) if place else (None, None)
    if latitude is not None and longitude is not None and not (abs(latitude) <= 90 and abs(longitude) <= 180):
        latitude = longitude = None
    return MediaFacts(
        taken_at=container_moment(tags.get(apple + "creationdate")) or container_moment(tags.get("creation_time")),
        camera=camera_name(
            text(tags.get(apple + "make") or tags.get("make")), text(tags.get(apple + "model") or tags.get("model"))
        ),
        latitude=latitude,
        longitude=longitude,
        artist=text(tags.get("artist") or tags.get("author") or tags.get("album_artist")),
    )
