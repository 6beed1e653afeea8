"""The sample pictures: every subject by every photographer, with camera data, in several formats."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from ingest.sample.photographers import PHOTOGRAPHERS, Photographer, develop
from ingest.sample.plan import SampleFile, SampleItem, generator, moment_of
from ingest.sample.scenes import SCENES
from search.media import Kind

TAKES = 2
"""Pictures of each subject by each photographer."""

OTHER_FORMATS = {
    ("lucia-ferrante", "flower"): "heic",
    ("lucia-ferrante", "hot-air-balloons"): "heic",
    ("lucia-ferrante", "fruit-bowl"): "heic",
    ("aiko-brandt", "lighthouse"): "webp",
    ("aiko-brandt", "pine-forest"): "webp",
    ("samuel-okoro-lind", "city-night"): "avif",
    ("samuel-okoro-lind", "sailing-boat"): "avif",
    ("tomasz-wieland", "starry-sky"): "png",
}
"""Format of the last take, where it is not JPEG."""

NIGHT = frozenset({"city-night", "starry-sky"})


def picture_items() -> list[SampleItem]:
    """All pictures, photographer by photographer."""
    items = []
    for photographer in PHOTOGRAPHERS:
        for subject in SCENES:
            for take in range(1, TAKES + 1):
                other = OTHER_FORMATS.get((photographer.folder, subject)) if take == TAKES else None
                path = f"photographers/{photographer.folder}/{subject}-{take:02}.{other or 'jpg'}"
                file = SampleFile(path, Kind.IMAGE, subjects=(subject,), photographer=photographer.name)
                items.append(SampleItem(file, partial(take_picture, photographer, subject, path)))
    return items


def take_picture(photographer: Photographer, subject: str, path: str, folder: Path) -> bytes:
    """Paint a subject and develop it in a photographer's style."""
    rng = generator(path)
    light = SCENES[subject](photographer.frame, rng)
    style = photographer.style.varied(rng)
    if subject in NIGHT:  # a night picture keeps its darkness
        style = replace(style, exposure=style.exposure * 0.5, lift=style.lift * 0.5)
    pixels = develop(light, style, rng)
    return encode_picture(pixels, path.rpartition(".")[2], camera_data(photographer, subject, path, rng))


def camera_data(photographer: Photographer, subject: str, path: str, rng: np.random.Generator) -> Image.Exif:
    """EXIF as that photographer's camera would have written it."""
    night = subject in NIGHT
    exif = Image.Exif()
    taken = moment_of(path)
    if night:
        taken = taken.replace(hour=22)
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    base = ExifTags.Base
    exif[base.Make], exif[base.Model] = photographer.camera
    exif[base.Artist] = photographer.name
    exif[base.DateTime] = stamp
    exif[base.Orientation] = 1
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[base.DateTimeOriginal] = stamp
    details[base.DateTimeDigitized] = stamp
    details[base.LensModel] = photographer.lens
    details[base.FocalLength] = IFDRational(round(photographer.focal_length * 10), 10)
    details[base.FNumber] = IFDRational(round(photographer.aperture * 10), 10)
    stops = int(rng.integers(4, 6)) if night else int(rng.integers(0, 3))
    details[base.ISOSpeedRatings] = photographer.base_iso * 2**stops
    details[base.ExposureTime] = (
        IFDRational(10, 1) if night else IFDRational(1, int(rng.choice([60, 125, 250, 500, 1000])))
    )
    details[base.ExposureBiasValue] = IFDRational(round(photographer.style.exposure * 3), 3)
    if photographer.home is not None:
        latitude, longitude = photographer.home + rng.uniform(-0.4, 0.4, 2)
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef] = "N" if latitude >= 0 else "S"
        gps[ExifTags.GPS.GPSLatitude] = sexagesimal(abs(latitude))
        gps[ExifTags.GPS.GPSLongitudeRef] = "E" if longitude >= 0 else "W"
        gps[ExifTags.GPS.GPSLongitude] = sexagesimal(abs(longitude))
    return exif


def sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees as EXIF stores them: degrees, minutes and hundredths of seconds."""
    hundredths = round(degrees * 360_000)
    minutes, rest = divmod(hundredths, 6000)
    return IFDRational(minutes // 60, 1), IFDRational(minutes % 60, 1), IFDRational(rest, 100)


def encode_picture(
    pixels: NDArray[np.uint8], extension: str, exif: Image.Exif | None = None, quality: int = 86
) -> bytes:
    """Encode uint8 pixels of shape (rows, columns, 3); single-threaded where threads could change the bytes."""
    image = Image.fromarray(pixels)
    extra = {} if exif is None else {"exif": exif.tobytes()}
    buffer = io.BytesIO()
    writers: dict[str, Callable[[], None]] = {
        "jpg": lambda: image.save(buffer, "JPEG", quality=quality, **extra),
        "png": lambda: image.convert("L").save(buffer, "PNG", **extra),
        "webp": lambda: image.save(buffer, "WEBP", quality=quality, method=3, **extra),
        "avif": lambda: image.save(buffer, "AVIF", quality=72, speed=9, max_threads=1, **extra),
        "heic": lambda: pillow_heif.from_pillow(image).save(
            buffer, quality=72, save_all=False, enc_params={"preset": "ultrafast"}, **extra
        ),
    }
    writers[extension]()
    return buffer.getvalue()
