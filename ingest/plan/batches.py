"""Number of files in a batch, by kind of media."""

from __future__ import annotations

from collections.abc import Mapping

from search.media import Kind
from search.settings import Settings


def batch_sizes(settings: Settings) -> Mapping[Kind, int]:
    """Files per batch of each kind. By default a batch takes a few seconds on a CPU, so that progress is smooth and a
    kill costs little. Larger batches keep a fast GPU busier, as a worker decodes nothing ahead of its batch."""
    pictures = settings.batch_files
    return {Kind.IMAGE: pictures, Kind.AUDIO: max(1, pictures // 4), Kind.VIDEO: max(1, pictures // 16)}
