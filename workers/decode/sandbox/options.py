"""Options of a decoder child, given once at its start."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from workers.decode.sandbox.powers import Wanted
from workers.runtime import MIB

if TYPE_CHECKING:  # see workers/storage/files.py
    from search.settings import Settings


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """Limits and outputs of a decoder child.

    Attributes:
        memory_bytes: address space that it may take beyond that at its start.
        max_bytes, max_pixels, max_seconds: larger files, pictures (or frames) and recordings are refused undecoded.
        key_frames: most key frames of a video.
        clips: also cut the clips of R3D-18.
        movement: also measure how videos move.
        cut_borders: find the borders of pictures, and measure what lies within them.
        sandbox: whether it gives up its powers.
    """

    memory_bytes: int
    max_bytes: int
    max_pixels: int
    max_seconds: float
    key_frames: int
    clips: bool = False
    movement: bool = False
    cut_borders: bool = True
    sandbox: Wanted = "auto"

    @classmethod
    def of(cls, settings: Settings, *, clips: bool = False, movement: bool = False) -> DecodeOptions:
        return cls(
            memory_bytes=settings.decode_memory_mb * MIB,
            max_bytes=settings.max_file_mb * MIB,
            max_pixels=settings.max_pixels,
            max_seconds=settings.max_duration,
            key_frames=settings.key_frames,
            clips=clips,
            movement=movement,
            cut_borders=settings.cut_borders,
            sandbox=settings.decoder_sandbox,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DecodeOptions:
        return cls(**json.loads(text))
