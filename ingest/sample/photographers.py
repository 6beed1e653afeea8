"""Five invented photographers: their cameras and their styles of development.

Each develops every picture in one consistent style, varied a little from picture to picture, so that the style can be
recognised whatever a picture shows. The names are invented.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.sample.paint import Frame, Light


@dataclass(frozen=True, slots=True)
class EditingStyle:
    """One way of developing.

    Attributes:
        exposure: stops.  warmth: above 0 is more amber, below more blue.  tint: above 0 is more magenta.
        contrast: slope of the tone curve at middle grey; 1 leaves it.  lift: how far black is raised, 0 to 0.2.
        saturation: 0 is black and white, 1 leaves it.
        shadows, highlights: RGB added to dark and to bright tones (split toning).
        vignette: darkening of the corners, in stops.  grain: deviation of the grain, 1 being white.
    """

    exposure: float = 0.0
    warmth: float = 0.0
    tint: float = 0.0
    contrast: float = 1.0
    lift: float = 0.0
    saturation: float = 1.0
    shadows: tuple[float, float, float] = (0.0, 0.0, 0.0)
    highlights: tuple[float, float, float] = (0.0, 0.0, 0.0)
    vignette: float = 0.0
    grain: float = 0.0

    def varied(self, rng: np.random.Generator) -> EditingStyle:
        """The same style on another day: a little lighter or darker, warmer or cooler."""
        return replace(
            self,
            exposure=self.exposure + 0.12 * rng.standard_normal(),
            warmth=self.warmth + 0.015 * rng.standard_normal(),
            contrast=self.contrast * (1 + 0.03 * rng.standard_normal()),
            saturation=self.saturation * (1 + 0.04 * rng.standard_normal()),
        )


@dataclass(frozen=True, slots=True)
class Photographer:
    """An invented photographer with a camera, a style and a home.

    Attributes:
        frame: size of the finished pictures, pixels.
        home: latitude and longitude around which the pictures are taken, degrees; None for a camera without GPS.
    """

    name: str
    folder: str
    style: EditingStyle
    frame: Frame
    camera: tuple[str, str]
    lens: str
    focal_length: float
    aperture: float
    base_iso: int
    home: tuple[float, float] | None


PHOTOGRAPHERS = (
    Photographer(
        name="Ines Calloway",
        folder="ines-calloway",
        style=EditingStyle(
            exposure=0.15, warmth=0.10, contrast=1.08, saturation=1.12, vignette=0.25, grain=0.006,
            shadows=(0.010, 0.0, 0.012), highlights=(0.035, 0.018, -0.020),
        ),
        frame=Frame(1080, 720),
        camera=("Canon", "Canon EOS R6"), lens="RF24-70mm F2.8 L IS USM",
        focal_length=35, aperture=4.0, base_iso=100, home=(41.90, -8.80),
    ),
    Photographer(
        name="Tomasz Wieland",
        folder="tomasz-wieland",
        style=EditingStyle(exposure=0.05, contrast=1.32, saturation=0.0, vignette=0.8, grain=0.030),
        frame=Frame(1080, 720),
        camera=("LEICA CAMERA AG", "LEICA Q2 MONO"), lens="SUMMILUX 1:1.7/28 ASPH.",
        focal_length=28, aperture=5.6, base_iso=400, home=None,
    ),
    Photographer(
        name="Aiko Brandt",
        folder="aiko-brandt",
        style=EditingStyle(
            exposure=0.45, warmth=-0.02, contrast=0.80, lift=0.07, saturation=0.74, grain=0.010,
            shadows=(0.0, 0.016, 0.026), highlights=(0.018, 0.006, 0.010),
        ),
        frame=Frame(1024, 768),
        camera=("FUJIFILM", "X-T4"), lens="XF23mmF2 R WR",
        focal_length=23, aperture=2.8, base_iso=160, home=(47.56, 10.75),
    ),
    Photographer(
        name="Samuel Okoro-Lind",
        folder="samuel-okoro-lind",
        style=EditingStyle(
            exposure=-0.25, warmth=-0.09, tint=-0.02, contrast=1.22, saturation=0.95, vignette=0.5, grain=0.008,
            shadows=(-0.012, 0.014, 0.030), highlights=(0.020, 0.008, -0.014),
        ),
        frame=Frame(1120, 630),
        camera=("SONY", "ILCE-7M4"), lens="FE 35mm F1.8",
        focal_length=35, aperture=8.0, base_iso=100, home=(59.33, 18.06),
    ),
    Photographer(
        name="Lucia Ferrante",
        folder="lucia-ferrante",
        style=EditingStyle(
            exposure=0.10, warmth=0.03, tint=0.03, contrast=1.18, saturation=1.42, vignette=0.1, grain=0.004,
            shadows=(0.006, -0.004, 0.010),
        ),
        frame=Frame(900, 900),
        camera=("Apple", "iPhone 13 Pro"), lens="iPhone 13 Pro back triple camera 5.7mm f/1.5",
        focal_length=5.7, aperture=1.5, base_iso=50, home=(36.72, -4.42),
    ),
)  # fmt: skip


def develop(light: Light, style: EditingStyle, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn linear light into a finished picture: uint8 (rows, columns, 3) sRGB."""
    height, width = light.shape[:2]
    frame = Frame(width, height)
    gains = np.exp2(
        np.array([style.warmth + style.tint / 2, -style.tint, style.tint / 2 - style.warmth], np.float32) * 2
    )
    stops = np.full(frame.shape, style.exposure, np.float32)
    if style.vignette:
        corner = frame.right**2 + frame.bottom**2
        stops -= style.vignette * ((frame.x**2 + frame.y**2) / corner) ** 1.5
    tones = film_curve(light * gains * np.exp2(stops)[..., None])
    grey = tones @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    tones = grey[..., None] + (tones - grey[..., None]) * style.saturation
    tones = tone_curve(tones, style.contrast)
    tones += np.square(1.0 - grey)[..., None] * np.array(style.shadows, np.float32)
    tones += np.square(grey)[..., None] * np.array(style.highlights, np.float32)
    tones = style.lift + tones * (1.0 - 1.3 * style.lift)
    if style.grain:
        grain = cv2.GaussianBlur(rng.standard_normal(frame.shape, np.float32), (0, 0), 0.7)
        tones += (grain * (style.grain * 2.0))[..., None]
    pixels: NDArray[np.uint8] = np.clip(tones * 255 + 0.5, 0, 255).astype(np.uint8)
    return pixels


def film_curve(light: Light) -> Light:
    """Linear light to display tones with a shoulder: middle grey stays, what is over white keeps its colour longer.

    Source: Hable's filmic idea in the rational form of Narkowicz (2015), "ACES filmic tone mapping curve".
    """
    x = np.maximum(light, 0.0) * 0.72
    toned = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    display: Light = np.clip(toned, 0.0, 1.0) ** (1 / 2.2)
    return display


def tone_curve(tones: Light, contrast: float) -> Light:
    """An S-curve through black, middle grey and white, whose slope at middle grey is ``contrast``."""
    tones = np.clip(tones, 0.0, 1.0)
    smooth = tones * tones * (3.0 - 2.0 * tones)
    return tones + 2 * (contrast - 1) * (smooth - tones)
