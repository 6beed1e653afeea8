"""How many files make a batch."""

from __future__ import annotations

from collections.abc import Mapping

from search.media import Kind
from search.settings import Settings


def batch_sizes(settings: Settings) -> Mapping[Kind, int]:
    """Files a batch. By default a few seconds' work each on a CPU, so that progress is smooth and a kill costs little;
    a fast GPU is kept busier by larger ones, since a worker decodes nothing ahead of its batch."""
    pictures = settings.batch_files
    return {Kind.IMAGE: pictures, Kind.AUDIO: max(1, pictures // 4), Kind.VIDEO: max(1, pictures // 16)}
