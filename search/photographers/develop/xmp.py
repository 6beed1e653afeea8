"""Settings as a preset of Lightroom and Camera Raw (``.xmp``).

Exposure has a slider in stops. Contrast and fade become the point curve; white balance and split toning the curves of
red, green and blue, so that every gray becomes what it is to. Saturation, vignette and grain are the nearest positions
of sliders whose scales are not published: about right, and so said in ``APPROXIMATE``.

Source: Adobe, "XMP Specification Part 2", 2016, Camera Raw namespace.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from search.photographers.develop.colours import curve, developed
from search.photographers.develop.settings import Preset

APPROXIMATE = ("saturation", "vignette", "grain")
"""Settings whose slider has another scale than ours."""

POINTS = 17
"""Points of each curve."""

_VIGNETTE, _GRAIN = -35.0, 4.0
"""Positions of the sliders of vignette and grain for a stop, and for a level of 255."""

_CURVES = ("ToneCurvePV2012Red", "ToneCurvePV2012Green", "ToneCurvePV2012Blue")
_NAMESPACE = uuid.UUID("5b0b7a0e-4a0e-5f6f-9d0e-6f2f3a4c1d11")
"""So that the same preset of the same name has the same identity."""

_HEAD = """<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Likewise">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
"""
_TAIL = """  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def xmp(preset: Preset, name: str, group: str = "Likewise") -> str:
    """Text of the preset file.

    Args:
        name: what the preset is called.
        group: the group of presets that it appears in.
    """
    attributes = {
        "PresetType": "Normal",
        "Cluster": "",
        "UUID": uuid.uuid5(_NAMESPACE, f"{name}\n{preset}").hex.upper(),
        "SupportsAmount": "True",
        "SupportsColor": "True",
        "SupportsMonochrome": "True",
        "SupportsHighDynamicRange": "True",
        "SupportsNormalDynamicRange": "True",
        "SupportsSceneReferred": "True",
        "SupportsOutputReferred": "True",
        "ProcessVersion": "11.0",
        "Exposure2012": f"{np.clip(preset.exposure, -5, 5):+.2f}",
        "Saturation": _slider(100 * (preset.saturation - 1)),
        "PostCropVignetteAmount": _slider(_VIGNETTE * preset.vignette),
        "GrainAmount": f"{np.clip(round(_GRAIN * preset.grain), 0, 100):d}",
        "ToneCurveName2012": "Custom",
        "HasSettings": "True",
    }
    lines = [f'   crs:{key}="{value}"' for key, value in attributes.items()]
    texts = [_text("Name", name), _text("Group", group)]
    curves = [_curve("ToneCurvePV2012", main_curve(preset))]
    curves += [_curve(key, points) for key, points in zip(_CURVES, channel_curves(preset), strict=True)]
    return _HEAD + "\n".join(lines) + ">\n" + "".join((*texts, *curves)) + _TAIL


def main_curve(preset: Preset) -> NDArray[np.intp]:
    """Points of contrast and fade, intp ``(n, 2)``: levels 0 to 255 before and after, the former rising."""
    tones = np.linspace(0.0, 1.0, POINTS)
    return _levels(tones, curve(tones, preset))


def channel_curves(preset: Preset) -> tuple[NDArray[np.intp], ...]:
    """Points of white balance and split toning for red, green and blue, as :func:`main_curve`; they follow it."""
    tones = np.linspace(0.0, 1.0, POINTS)
    wanted = developed(np.repeat(tones[:, None], 3, axis=1), replace(preset, exposure=0.0))
    return tuple(_levels(curve(tones, preset), channel) for channel in wanted.T)


def _levels(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.intp]:
    pairs = np.rint(255 * np.clip(np.stack([before, after], axis=1), 0.0, 1.0)).astype(np.intp)
    return pairs[np.unique(pairs[:, 0], return_index=True)[1]]


def _slider(value: float) -> str:
    return f"{np.clip(round(value), -100, 100):+d}"


def _text(key: str, value: str) -> str:
    shown = escape("".join(letter if letter.isprintable() else "_" for letter in value))
    return f'   <crs:{key}><rdf:Alt><rdf:li xml:lang="x-default">{shown}</rdf:li></rdf:Alt></crs:{key}>\n'


def _curve(key: str, points: Sequence[Sequence[int]] | NDArray[np.intp]) -> str:
    items = "".join(f"<rdf:li>{before}, {after}</rdf:li>" for before, after in np.asarray(points).tolist())
    return f"   <crs:{key}><rdf:Seq>{items}</rdf:Seq></crs:{key}>\n"
