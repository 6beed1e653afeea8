"""Result of decoding one file: plain data, light to import."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from search.media import Kind
from search.similar.reuse.footprints import Footprints
from workers.decode.sound import Sound

CROP = 224
"""Side of the pictures that image models take, pixels."""

CLIP_FRAMES, CLIP_SIDE = 16, 112
"""Frames of a clip and their side in pixels, as R3D-18 was trained."""

MOVEMENT_NUMBERS = 221
"""Numbers that say how a film moves (``recording.movement.flow``)."""


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Metadata of a file; fields, names and units as in ``search.media.MediaRecord``."""

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    taken_at: str | None = None
    camera: str | None = None
    lens: str | None = None
    iso: float | None = None
    aperture: float | None = None
    exposure: float | None = None
    focal_length: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    artist: str | None = None
    has_sound: bool = False
    damaged: float | None = None
    remark: str | None = None


def no_crops() -> npt.NDArray[np.uint8]:
    """uint8 (0, 224, 224, 3)."""
    return np.empty((0, CROP, CROP, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded file, ready for the models.

    Attributes:
        kind: by the content, whatever the name says.
        crops: uint8 (n, 224, 224, 3) RGB, upright; one of an image, one a key frame of a video, none of a sound.
        moments: seconds of a video's crops, rising; empty otherwise.
        clips: uint8 (c, 16, 112, 112, 3) RGB of a video, when the pool was asked for clips; else None.
        movement: float32 (221,) of a video, how it moves (``recording.movement.flow``), when the pool was asked for it;
            else, and of a film in which nothing moves, None.
        whole: uint8 (n, 224, 224, 3) RGB, the uncropped pictures of ``crops``, resized to a square; None of a sound.
        inner: of an image with borders, uint8 (1, 224, 224, 3) RGB, what lies within them, resized to a square; else
            None.
        borders: shares of an image's width or height that lie outside the picture, of left, top, right and bottom (see
            ``image.borders``); empty where there are none, or where they are not to be cut.
        sound: the whole sound track, mono at 16 kHz (see ``sound``); None without.
        fingerprints: 256-bit hashes as 64 hex digits (see ``perceptual``); of an image or a sound one, or none when it
            is too plain; of a video one for each key frame that is not.
        footprints: of a video or a sound, fingerprints over time; of an image, the fingerprint that it would have as
            the frame of a film; None of what is no file of media.
        pixel_hash: of an image, SHA-256 of the pixels that ``crops`` are cut from, as 64 hex digits; two files whose
            pixels are equal have one hash, whatever their metadata. None of a video or a sound.
        features: of an image, the 78 of ``search.photographers.photos.features``, of what lies within its borders, None
            for NaN; else empty.
        preview: WebP picture, long side at most 480 pixels: the picture, a key frame or the waveform.
        luminance: uint8 (height, width) of a preview that was decoded (``sandbox.preview_child``); else None.
        colours: uint8 (height, width, 3) RGB of a preview whose colours were asked for; else None.
        vectors: float32 (n * d,), rows of a vector cache (``workers.decode.vector_cache``); else None.
        names: uint8 (k,), the n file names of a vector cache as UTF-8 with zero bytes between; else None.
    """

    kind: Kind
    mime: str
    facts: MediaFacts
    crops: npt.NDArray[np.uint8] = field(default_factory=no_crops)
    moments: tuple[float, ...] = ()
    clips: npt.NDArray[np.uint8] | None = None
    movement: npt.NDArray[np.float32] | None = None
    whole: npt.NDArray[np.uint8] | None = None
    inner: npt.NDArray[np.uint8] | None = None
    borders: tuple[float, ...] = ()
    sound: Sound | None = None
    fingerprints: tuple[str, ...] = ()
    footprints: Footprints | None = None
    pixel_hash: str | None = None
    features: tuple[float | None, ...] = ()
    preview: bytes | None = field(default=None, repr=False)
    luminance: npt.NDArray[np.uint8] | None = None
    colours: npt.NDArray[np.uint8] | None = None
    vectors: npt.NDArray[np.float32] | None = None
    names: npt.NDArray[np.uint8] | None = None
