"""Preview pictures on their way into a backup and out of it."""

from __future__ import annotations

from search.errors import NotFoundError
from search.media import Payload
from search.settings import Settings
from workers.previews import Previews


def read_preview(settings: Settings, payload: Payload) -> bytes | None:
    """The preview of a record; None when it has none, or it is lost."""
    key = payload.get("thumbnail")
    if not isinstance(key, str):
        return None
    try:
        return Previews(settings).read(key)
    except NotFoundError:
        return None


def write_preview(settings: Settings, media_id: str, webp: bytes) -> None:
    Previews(settings).save({media_id: webp})
