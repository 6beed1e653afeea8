"""Write previews and points of embedded files."""

from __future__ import annotations

from collections.abc import Sequence

from search.settings import Settings
from search.store.base import Point
from workers.batch.embedding_store import EmbeddingStore
from workers.batch.items import BatchItem
from workers.batch.records import new_record, with_files
from workers.batch.report import Status
from workers.decode.decoded import Decoded
from workers.embedders.models import Embedded
from workers.storage.previews import Previews
from workers.storage.sealed_webp import with_footprints


class Writer:
    """Writes groups of embedded files and sets their outcomes, and those of later files of the same content."""

    def __init__(self, settings: Settings, store: EmbeddingStore) -> None:
        self._previews, self._store = Previews(settings), store

    def write(self, made: Sequence[tuple[BatchItem, Decoded, Embedded]]) -> None:
        """Write a group of files.

        Raises:
            StoreError: the store or the disk refused; no file of the group has an outcome.
        """
        points: dict[str, list[Point]] = {}
        ended: list[tuple[BatchItem, list[BatchItem], Decoded]] = []
        pictures = {item.id: _preview(decoded.preview, decoded) for item, decoded, _ in made if decoded.preview}
        keys = self._previews.save(pictures)
        for item, decoded, embedded in made:
            record = new_record(
                item.id,
                item.file,
                decoded,
                item.known,
                embedded,
                keys.get(item.id),
                item.progress.batch.job,
            )
            twins = [twin for twin in item.twins if not twin.skip_if_changed()]
            record = with_files(record, [twin.file for twin in twins])
            points.setdefault(decoded.kind.collection, []).append(Point(item.id, embedded.vectors, record.to_payload()))
            ended.append((item, twins, decoded))
        for collection, group in points.items():
            self._store.upsert(collection, group)
        for item, twins, decoded in ended:
            item.end(Status.EMBEDDED, kind=decoded.kind)
            for twin in twins:
                twin.end(Status.DUPLICATE, kind=decoded.kind)


def _preview(picture: bytes, decoded: Decoded) -> bytes:
    """The preview with the fingerprints over time, which lie in its file."""
    prints = decoded.footprints
    return picture if prints is None or prints.is_empty else with_footprints(picture, prints.to_bytes())
