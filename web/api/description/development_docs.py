"""What the properties of calls about developing photos mean, with an example; see ``property_docs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.photographers.develop.words import WORDS

_EXAMPLES: Mapping[str, float] = {
    "exposure": 0.5,
    "temperature": 0.2,
    "tint": 0.05,
    "contrast": -0.2,
    "fade": 0.04,
    "saturation": 0.9,
    "shadow_warmth": 0.02,
    "shadow_magenta": 0.01,
    "highlight_warmth": -0.01,
    "highlight_magenta": 0.0,
    "vignette": 0.4,
    "grain": 3.0,
}

DEVELOPMENT: Mapping[str, tuple[str, Any]] = {
    **{
        f"Preset.{name}": (f"{words.label}{f', {words.unit}' if words.unit else ''}; more gives {words.more}", example)
        for (name, words), example in zip(WORDS.items(), _EXAMPLES.values(), strict=True)
    },
    "Developing.like": ("Id of a stored photo", "3c375b09-a29a-5a72-8fff-09bb5f09d7af"),
    "Developing.photographer": ("Name or id of the photographer to develop it like", "Lucia Ferrante"),
    "Developing.strength": ("Share of the way there; more than 1 exaggerates", 0.8),
    "Developing.style": ("Number of one of the photographer's styles, 1 is the most frequent", 1),
    "Developing.taken_from": ("Only what they took from then on: a year, a month or a day", "2019"),
    "Developing.taken_to": ("Only what they took until then: a year, a month or a day", "2021-06"),
    "Development.change": ("What is done to the photo", dict(_EXAMPLES)),
    "Development.id": ("Id of the photographer", "aa2d75a0e4e54791"),
    "Development.photos": ("Number of their photos that the settings were read from", 96),
    "Development.settings": ("All twelve settings", []),
    "Development.strength": ("Share of the way there", 0.8),
    "Development.style": ("Number of the style; null for all photos", 1),
    "Development.taken_from": ("Only what they took from then on; empty for any", "2019"),
    "Development.taken_to": ("Only what they took until then; empty for any", "2021-06"),
    "Development.words": ("The change in an editor's words", ["half a stop brighter", "warmer shadows"]),
    "SettingChange.error": ("Standard error of `theirs`", 0.04),
    "SettingChange.label": ("Name of the setting for people", "Exposure"),
    "SettingChange.unit": ("Unit of the numbers; empty without one", "stops"),
    "SettingsCourse.style": ("Number of the style, 1 is the most frequent; null for all photos", 1),
    "change": ("What is done to the photo", 0.5),
    "cube": ("A 3-D LUT of 33 points a side, the text of a `.cube` file; null unless asked for", None),
    "developed": ("The photo has been developed before, so its own settings count", True),
    "development": ("The settings", {}),
    "include": ("What is to come with the answer", ["cube", "xmp", "preview"]),
    "own": ("Read from the photo", 0.1),
    "preview": ("The developed preview, a JPEG as base64; null unless asked for, or without a preview", None),
    "setting": ("Name of the setting", "exposure"),
    "settings": ("Settings by name", {"exposure": 0.3}),
    "theirs": ("Mean of the photographer's photos", 0.6),
    "xmp": ("A preset of Lightroom and Camera Raw, the text of an `.xmp` file; null unless asked for", None),
}
"""Rows by ``Type.name`` or ``name``."""
