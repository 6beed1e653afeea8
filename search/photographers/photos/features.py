"""The 78 handcrafted features of a picture: name, meaning, unit, range, formula and source of each.

``workers.decode.image.handcrafted`` computes them when a file is decoded; the record keeps them in this order, None
where a file does not say. All but the first four are of the picture after EXIF orientation; larger ones are shrunk to
at most :data:`MOST_PIXELS` pixels by averaging. Y is the gray picture, 0 to 255 with the weights of Rec. 601.

Names and order are those of a published list for photographer recognition, so that figures compare. Several entries of
the original were degenerate: an edge density that a percentile threshold fixes at 0.25, a corner count that is 5 % of
the pixels by construction, a contrast equal to the deviation of gray, a noise equal to sharpness, a face count that is
always 0. The formulas here replace them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

MOST_PIXELS = 500_000
"""Pixels of the copy that is measured, at most; smaller pictures are never enlarged."""


class FeatureGroup(StrEnum):
    """Families of features, as reports list them."""

    FRAME = "frame"
    COLOR = "color"
    HISTOGRAM = "histogram"
    TONE = "tone"
    TIME = "time"
    CAMERA = "camera"
    TEXTURE = "texture"
    CONTENT = "content"
    COMPOSITION = "composition"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class Feature:
    """One number about a picture.

    Attributes:
        unit: of its value; empty for a plain number or a code.
        low, high: every value is NaN or between them, both included.
        label: what charts call it.
        less, more: how a person says that a picture has a lower or higher value; "than most photos" can follow.
        formula: how the value is found, and what stands for undefined cases.
        source: whose formula or tag it is.
    """

    name: str
    group: FeatureGroup
    unit: str
    low: float
    high: float
    label: str
    less: str
    more: str
    formula: str
    source: str

    @property
    def words(self) -> tuple[str, str]:
        """``less`` and ``more``."""
        return self.less, self.more


_ORIGIN = "defined here"
_EXIF = "CIPA DC-008 (EXIF 2.32)"
_MOST_SIDE = float(1 << 31)
_LOG_MOST_BYTES = 44.0
_MOST_LAPLACIAN = 1020.0
"""Of a white pixel among black ones: 4 x 255."""
_MOST_NOISE = 427.0
"""Of a chessboard of black and white pixels: sqrt(pi / 2) / 6 x 8 x 255, rounded up."""
_MOST_SOBEL = 1.1181
"""Of a full-contrast corner: sqrt(20) / 4, rounded up."""


# fmt: off
# A table: one entry a feature, as few lines as it takes.
def _frame() -> tuple[Feature, ...]:
    group = FeatureGroup.FRAME
    return (
        Feature("width", group, "px", 1, _MOST_SIDE, "width", "narrower", "wider", "columns of the file", _ORIGIN),
        Feature("height", group, "px", 1, _MOST_SIDE, "height", "lower", "taller", "rows of the file", _ORIGIN),
        Feature(
            "aspect_ratio", group, "", 0, _MOST_SIDE, "aspect ratio", "more upright", "more panoramic",
            "width / height", _ORIGIN,
        ),
        Feature(
            "log_bytes", group, "ln bytes", 0, _LOG_MOST_BYTES, "file size", "smaller files", "larger files",
            "ln(1 + bytes of the file)", _ORIGIN,
        ),
    )


def _color() -> tuple[Feature, ...]:
    group, unit = FeatureGroup.COLOR, "levels"
    mean, std = "mean of {} over all pixels", "standard deviation of {} over all pixels"
    means = (("red", "less red", "redder"), ("green", "less green", "greener"), ("blue", "less blue", "bluer"))
    return (
        Feature("gray_mean", group, unit, 0, 255, "brightness", "darker", "brighter", mean.format("Y"), _ORIGIN),
        Feature(
            "gray_std", group, unit, 0, 127.5, "spread of tones", "flatter tones", "a wider spread of tones",
            std.format("Y"), _ORIGIN,
        ),
        *(
            Feature(f"{name}_mean", group, unit, 0, 255, f"mean {name}", less, more, mean.format(name), _ORIGIN)
            for name, less, more in means
        ),
        *(
            Feature(
                f"{name}_std", group, unit, 0, 127.5, f"spread of {name}", f"a more even {name}",
                f"a more varied {name}", std.format(name), _ORIGIN,
            )
            for name, _, _ in means
        ),
    )


def _histograms() -> tuple[Feature, ...]:
    tones = ("black", "very dark", "dark", "darker middle", "lighter middle", "light", "very light", "brightest")
    return tuple(
        Feature(
            f"{color}_hist_{bin_}", FeatureGroup.HISTOGRAM, "share", 0, 1, f"{tone} {color} tones",
            f"fewer {tone} {color} tones", f"more {tone} {color} tones",
            f"share of pixels whose {color} is {32 * bin_} to {32 * bin_ + 31}", _ORIGIN,
        )
        for color in ("red", "green", "blue")
        for bin_, tone in enumerate(tones)
    )


def _tone() -> tuple[Feature, ...]:
    tone, texture = FeatureGroup.TONE, FeatureGroup.TEXTURE
    return (
        Feature(
            "sharpness", texture, "levels²", 0, _MOST_LAPLACIAN**2, "sharpness", "softer", "sharper",
            "variance of the Laplacian of Y (4-neighbour kernel)", "Pech-Pacheco et al., ICPR 2000",
        ),
        Feature(
            "saturation", FeatureGroup.COLOR, "%", 0, 100, "saturation", "less saturated", "more saturated",
            "mean of 100 (max - min) / max of a pixel's R, G and B; 0 where they are all 0",
            "Smith, SIGGRAPH 1978 (HSV)",
        ),
        Feature(
            "entropy", tone, "bits", 0, 6, "variety of tones", "fewer different tones", "more different tones",
            "-sum p log2 p over 64 equal bins of Y", "Shannon 1948",
        ),
        Feature(
            "contrast", tone, "L*", 0, 50, "contrast", "less contrast", "more contrast",
            "standard deviation of CIE L* (sRGB, D65, 0 to 100)", "Peli, JOSA A 7, 1990 (RMS contrast)",
        ),
        Feature(
            "highlights", tone, "%", 0, 100, "blown highlights", "fewer blown highlights", "more blown highlights",
            "share of pixels with Y >= 250", _ORIGIN,
        ),
        Feature(
            "shadows", tone, "%", 0, 100, "blocked shadows", "fewer blocked shadows", "more blocked shadows",
            "share of pixels with Y <= 5", _ORIGIN,
        ),
        Feature(
            "noise", texture, "levels", 0, _MOST_NOISE, "noise and grain", "cleaner", "noisier or grainier",
            "sqrt(pi / 2) / 6 times the mean of |Y * [1 -2 1]' [1 -2 1]| inside the border; 0 under 3 pixels a side",
            "Immerkær, CVIU 64(2), 1996",
        ),
    )


def _time() -> tuple[Feature, ...]:
    group = FeatureGroup.TIME
    how = (
        "{} of the EXIF time of capture, on the camera's clock; NaN without one: a file's time is not that of its photo"
    )
    return (
        Feature(
            "hour", group, "h", 0, 23, "hour", "earlier in the day", "later in the day", how.format("hour"), _EXIF
        ),
        Feature(
            "weekday", group, "", 0, 6, "weekday", "earlier in the week", "later in the week",
            how.format("day of the week (0 is Monday)"), _EXIF,
        ),
        Feature(
            "month", group, "", 1, 12, "month", "earlier in the year", "later in the year", how.format("month"),
            _EXIF,
        ),
        Feature(
            "is_weekend", group, "", 0, 1, "weekend", "more on weekdays", "more at weekends",
            how.format("1 on Saturday and Sunday, else 0,"), _EXIF,
        ),
    )


def _camera() -> tuple[Feature, ...]:
    group = FeatureGroup.CAMERA
    absent = "; NaN when absent or outside the range"
    return (
        Feature(
            "log_iso", group, "ln ISO", 0, 17, "ISO", "lower ISO", "higher ISO",
            f"ln(1 + tag 34855, or 34866 or 34865 where it holds 65535){absent}", _EXIF,
        ),
        Feature(
            "aperture", group, "f-number", 0.5, 512, "f-number", "wider apertures", "smaller apertures",
            f"tag 33437{absent}", _EXIF,
        ),
        Feature(
            "log_exposure", group, "ln s", 0, 12, "exposure time", "shorter exposures", "longer exposures",
            f"ln(1 + tag 33434 in seconds){absent}", _EXIF,
        ),
        Feature("flash", group, "", 0, 1, "flash", "less flash", "more flash", f"bit 0 of tag 37385{absent}", _EXIF),
        Feature(
            "focal_length_35mm", group, "mm", 1, 10_000, "focal length", "wider angles", "longer focal lengths",
            f"tag 41989; NaN where it is 0 (unknown){absent}", _EXIF,
        ),
        Feature(
            "digital_zoom", group, "", 1, 1000, "digital zoom", "less digital zoom", "more digital zoom",
            f"tag 41988; 1 where it is 0 (not used){absent}", _EXIF,
        ),
        Feature(
            "exposure_compensation", group, "EV", -20, 20, "exposure compensation", "exposed darker",
            "exposed brighter", f"tag 37380{absent}", _EXIF,
        ),
        Feature(
            "white_balance", group, "", 0, 1, "white balance by hand", "more automatic white balance",
            "more white balance by hand", f"tag 41987: 0 automatic, 1 by hand{absent}", _EXIF,
        ),
        Feature(
            "exposure_mode", group, "", 0, 2, "exposure mode", "more automatic exposure",
            "more manual or bracketed exposure", f"tag 41986: 0 automatic, 1 by hand, 2 bracketed{absent}", _EXIF,
        ),
        Feature(
            "metering_mode", group, "", 1, 255, "metering mode", "more averaged metering",
            "more spot or pattern metering",
            f"tag 37383: 1 average, 2 centre-weighted, 3 spot, 4 multi-spot, 5 pattern, 6 partial, 255 other; "
            f"NaN where it is 0 (unknown){absent}", _EXIF,
        ),
    )


def _texture() -> tuple[Feature, ...]:
    group, content = FeatureGroup.TEXTURE, FeatureGroup.CONTENT
    return (
        Feature(
            "edge_density", group, "share", 0, 1, "edges", "fewer edges", "more edges",
            "share of pixels with S > 0.1; S is the length of the 3 x 3 Sobel gradient of Y / (4 x 255), 1 at a "
            "straight edge from black to white", "Sobel and Feldman 1968",
        ),
        Feature(
            "edge_strength", group, "", 0, _MOST_SOBEL, "edge strength", "weaker edges", "stronger edges", "mean of S",
            "Sobel and Feldman 1968",
        ),
        Feature(
            "corners", group, "/MP", 0, 1e6, "corners", "fewer corners", "more corners",
            "local maxima of det M - 0.04 (tr M)² above 1e-4, M the mean over 3 x 3 of the products of S's two parts, "
            "a megapixel", "Harris and Stephens, Alvey 1988",
        ),
        Feature(
            "faces", content, "", 0, 1000, "faces", "fewer faces", "more faces",
            "number of faces; NaN: OpenCV 5 ships no detector, and none could be had with its weights", _ORIGIN,
        ),
        Feature(
            "tonal_skew", FeatureGroup.TONE, "", -1, 1, "tonal skew", "more dark accents among bright tones",
            "more bright accents among dark tones", "(mean - median) / standard deviation of Y; 0 where that is 0",
            "Hotelling and Solomons 1932",
        ),
        Feature(
            "color_temperature", FeatureGroup.COLOR, "%", -100, 100, "warmth", "cooler", "warmer",
            "100 (R - B) / (R + G + B) of the mean colour; 0 of black", _ORIGIN,
        ),
    )


def _composition() -> tuple[Feature, ...]:
    group = FeatureGroup.COMPOSITION
    return (
        Feature(
            "center_brightness", group, "", 0, 4.1, "centre brightness", "darker centres", "brighter centres",
            "mean of Y in the middle half of both sides / mean of Y; 1 of black", _ORIGIN,
        ),
        Feature(
            "exposure_quality", FeatureGroup.LIGHT, "", 0, 1, "well-exposedness", "more extreme exposures",
            "more evenly exposed", "mean of exp(-(Y / 255 - 0.5)² / (2 x 0.2²))",
            "Mertens et al., Pacific Graphics 2007",
        ),
        Feature(
            "color_diversity", FeatureGroup.COLOR, "", 0, 1, "variety of colours", "fewer different colours",
            "more different colours", "-sum p log2 p / 9 bits over 8 x 8 x 8 equal cells of R, G and B",
            "Shannon 1948",
        ),
        Feature(
            "rule_of_thirds", group, "share", 0, 1, "detail at the thirds", "less detail at the thirds",
            "more detail at the thirds",
            "share of all S in four windows of a sixth of each side about the crossings of "
            "the third lines; their share of the area, 1/9, where there is none", _ORIGIN,
        ),
        Feature(
            "symmetry", group, "", -1, 1, "left-right symmetry", "less symmetric", "more symmetric",
            "correlation of Y, averaged to 48 x 48, with its mirror image; 1 where it is even", _ORIGIN,
        ),
        Feature(
            "horizon", group, "", 0, 1, "horizon", "less clear horizons", "clearer horizons",
            "greatest over all rows of |mean of S's vertical part|: 1 where black meets white along a whole row",
            _ORIGIN,
        ),
        Feature(
            "center_focus", group, "", 0, 4.1, "focus in the centre", "less detail in the centre",
            "more detail in the centre",
            "mean of |Laplacian of Y| in the middle half of both sides / its mean; 1 where there is none", _ORIGIN,
        ),
        Feature(
            "dynamic_range", FeatureGroup.TONE, "levels", 0, 255, "tonal range", "a narrower tonal range",
            "a wider tonal range", "99th less 1st percentile of Y", _ORIGIN,
        ),
    )


def _light() -> tuple[Feature, ...]:
    group = FeatureGroup.LIGHT
    return (
        Feature(
            "subject_isolation", FeatureGroup.COMPOSITION, "", 0, 1, "isolated subject", "more evenly detailed",
            "more isolated subjects",
            "1 - median / 95th percentile of mean |Laplacian of Y| in 12 x 12 cells; 0 where there is none", _ORIGIN,
        ),
        Feature(
            "golden_hour", group, "share", 0, 1, "golden light", "less golden light", "more golden light",
            "share of pixels of hue 20° to 56°, saturation at least 0.25 and value at least 0.4 (HSV)", _ORIGIN,
        ),
        Feature(
            "lighting_quality", group, "", 0, 1, "softness of light", "harder light", "softer light",
            "1 - greatest between-class share of the variance of Y"
            " (0 of two tones, 0.36 of a normal curve); 1 of one tone",
            "Otsu, IEEE SMC 9(1), 1979",
        ),
        Feature(
            "color_harmony", FeatureGroup.COLOR, "", 0, 1, "colour harmony", "more clashing colours",
            "more harmonious colours",
            "greatest of |sum s exp(i k h)| / sum s for k = 1 (one hue), 2 (opposite hues) and 3 (triads), of hue h "
            "and saturation s where value is at least 0.1; 1 of gray",
            "after the templates of Cohen-Or et al., SIGGRAPH 2006",
        ),
        Feature(
            "sky_ground_contrast", FeatureGroup.COMPOSITION, "", -1, 1, "bright above, dark below", "brighter below",
            "brighter above", "(mean of Y in the upper third - in the lower third) / 255", _ORIGIN,
        ),
        Feature(
            "motion_blur", FeatureGroup.TEXTURE, "", 0, 1, "motion blur", "less motion blur", "more motion blur",
            "difference of the blur along rows and along columns, each the share of neighbours' differences that a "
            "mean of 9 leaves; 0 where nothing changes along one of them", "Crété et al., SPIE 6492, 2007",
        ),
        Feature(
            "person_present", FeatureGroup.CONTENT, "", 0, 1, "people", "fewer people", "more people",
            "whether somebody is in the picture; NaN: no "
            "detector could be had with its weights, and skin colours do not tell people from wood", _ORIGIN,
        ),
    )


# fmt: on

FEATURES: tuple[Feature, ...] = (
    *_frame(),
    *_color(),
    *_histograms(),
    *_tone(),
    *_time(),
    *_camera(),
    *_texture(),
    *_composition(),
    *_light(),
)
"""All of them, in the order of every stored row."""

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
INDEX: Mapping[str, int] = MappingProxyType({name: at for at, name in enumerate(FEATURE_NAMES)})
"""Place of each feature by name."""

METADATA: tuple[int, ...] = tuple(at for at, feature in enumerate(FEATURES) if feature.group in ("frame", "time"))
"""Features of the file and the clock, not of the picture."""
CAMERA: tuple[int, ...] = tuple(at for at, feature in enumerate(FEATURES) if feature.group == FeatureGroup.CAMERA)
"""Features of the camera and its settings."""
CONTENT: tuple[int, ...] = tuple(at for at, feature in enumerate(FEATURES) if feature.group == FeatureGroup.CONTENT)
"""Features of who or what is in the picture."""
UNMEASURED: tuple[int, ...] = CONTENT
"""Features that nothing computes: NaN in every row, and shown nowhere. Faces and people need a detector; on 2026-11-30
no wheel that fits held one: facenet-pytorch 2.6.0 wants torch < 2.3, mediapipe 1.2.3 and OpenCV 5 ship no weights."""
PICTURE_ONLY: tuple[int, ...] = tuple(sorted(set(range(len(FEATURES))) - {*METADATA, *CAMERA, *CONTENT}))
"""The 58 features of how a picture is developed and composed, without those of content or camera."""
GLOBAL: tuple[int, ...] = tuple(
    at for at, one in enumerate(FEATURES) if one.name in {"gray_std", "red_mean", "green_mean", "blue_mean"}
)
"""The four global features of the published set-up: contrast, and the means of red, green and blue."""

REVISION = hashlib.sha256("\n".join(f"{f.name}: {f.formula}" for f in FEATURES).encode()).hexdigest()[:16]
"""Digest of what is computed: values under another revision mean something else."""
