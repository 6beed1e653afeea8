"""Store preview pictures in the shared place as ``previews/ab/<id>.webp``, spread over 256 folders."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from search.errors import NotFoundError, StoreError
from search.settings import Settings
from search.similar.reuse.footprints import Footprints
from workers.storage.sealed_webp import complaint_of_webp, footprints_in, seal
from workers.storage.shared_place import PREVIEWS, shared_place

log = logging.getLogger(__name__)

_KEY = re.compile(r"([0-9a-f]{2})/\1[0-9a-f-]{34}\.webp")


class Previews:
    """Previews by their keys, which are part of the records.

    Raises:
        NotFoundError: the key is not one of :meth:`save` (any method), so that no key leads out of the folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._place = shared_place(settings)

    def save(self, pictures: Mapping[str, bytes], *, sealed: bool = True) -> dict[str, str]:
        """Write WebP pictures, each atomically; media id to the key for the record.

        Args:
            sealed: give each a checksum (``sealed_webp``) if it has none. Whoever copies pictures leaves them as they
                are, so that damage is not sealed.

        Raises:
            DiskFullError: no space is left.
            StoreError: the shared place cannot be written.
        """
        keys = {media_id: preview_key(media_id) for media_id in pictures}
        written = {id_: seal(id_, webp) if sealed else webp for id_, webp in pictures.items()}
        self._place.save({_name(keys[media_id]): webp for media_id, webp in written.items()})
        return keys

    def exists(self, key: str) -> bool:
        return self._place.exists(_name(key))

    def path(self, key: str) -> Path | None:
        """Path of the preview where the shared place is a folder; it need not exist."""
        return self._place.path(_name(key))

    def read(self, key: str) -> bytes:
        """WebP bytes of the preview.

        Raises:
            NotFoundError: there is none.
        """
        try:
            return self._place.read(_name(key))
        except FileNotFoundError:
            raise NotFoundError(f"The preview '{key}' has gone.", "`likewise verify --repair` makes one.") from None

    def footprints(self, media_id: str) -> Footprints | None:
        """Fingerprints over time of a content, which lie in the file of its preview; None where there are none, or
        where the file is damaged.

        Raises:
            StoreError: the shared place cannot be read.
        """
        try:
            webp = self._place.read(_name(preview_key(media_id)))
        except FileNotFoundError:
            return None
        found = footprints_in(webp)
        if found is None or complaint_of_webp(media_id, webp):
            return None
        try:
            return Footprints.from_bytes(found)
        except StoreError as error:
            log.warning("The fingerprints over time of %s are left out: %s", media_id, error)
            return None

    def delete(self, key: str) -> None:
        self._place.delete(_name(key))


def preview_key(media_id: str) -> str:
    """Key of the preview of a content."""
    return f"{media_id[:2]}/{media_id}.webp"


def _name(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise NotFoundError(f"'{key}' is not the key of a preview.")
    return f"{PREVIEWS}/{key}"
