"""Changes of settings in an editor's words: "half a stop brighter, warmer shadows, less contrast"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from search.photographers.develop.settings import DEVIATIONS, PARAMETERS, Preset


@dataclass(frozen=True, slots=True)
class SettingWords:
    """How a setting is called.

    Attributes:
        label: its name.  unit: of its values.
        more, less: what a photo becomes by more or less of it.
    """

    label: str
    unit: str
    more: str
    less: str


WORDS: Mapping[str, SettingWords] = {
    "exposure": SettingWords("Exposure", "stops", "brighter", "darker"),
    "temperature": SettingWords("Temperature", "stops red over blue", "warmer", "cooler"),
    "tint": SettingWords("Tint", "stops", "more magenta", "greener"),
    "contrast": SettingWords("Contrast", "", "more contrast", "less contrast"),
    "fade": SettingWords("Fade", "share of white", "lifted blacks", "deeper blacks"),
    "saturation": SettingWords("Saturation", "times", "stronger colours", "weaker colours"),
    "shadow_warmth": SettingWords("Shadow warmth", "share of white", "warmer shadows", "cooler shadows"),
    "shadow_magenta": SettingWords("Shadow tint", "share of white", "more magenta shadows", "greener shadows"),
    "highlight_warmth": SettingWords("Highlight warmth", "share of white", "warmer highlights", "cooler highlights"),
    "highlight_magenta": SettingWords(
        "Highlight tint", "share of white", "more magenta highlights", "greener highlights"
    ),
    "vignette": SettingWords("Vignette", "stops at the corners", "darker corners", "brighter corners"),
    "grain": SettingWords("Grain", "levels of 255", "more grain", "less grain"),
}
"""By setting, in their order."""

VISIBLE, MUCH = 0.35, 1.7
"""Deviations between presets below which a change goes unmentioned, and from which it is a strong one."""

MOST = 6
"""Changes that are mentioned, the strongest."""

_STOPS = (
    (0.21, "a sixth of a stop"),
    (0.29, "a quarter of a stop"),
    (0.42, "a third of a stop"),
    (0.58, "half a stop"),
    (0.71, "two thirds of a stop"),
    (0.88, "three quarters of a stop"),
    (1.25, "one stop"),
    (1.75, "one and a half stops"),
)
"""Upper limit of each size of an exposure, and what it is called."""


def in_words(changed: Preset) -> tuple[str, ...]:
    """What a change does to a photo, the exposure first, then the strongest; empty where nothing would be seen."""
    nothing = Preset()
    sizes = {
        name: (getattr(changed, name) - getattr(nothing, name)) / deviation
        for name, deviation in zip(PARAMETERS, DEVIATIONS, strict=True)
    }
    seen = sorted((name for name in PARAMETERS if abs(sizes[name]) >= VISIBLE), key=lambda name: -abs(sizes[name]))
    chosen = sorted(seen[:MOST], key=lambda name: name != "exposure")
    return tuple(_stops(changed.exposure) if name == "exposure" else _sized(name, sizes[name]) for name in chosen)


def sentence(words: tuple[str, ...]) -> str:
    """The changes as an enumeration."""
    return ", ".join(words) or "as it is"


def _sized(name: str, size: float) -> str:
    words = WORDS[name].more if size > 0 else WORDS[name].less
    return f"much {words}" if abs(size) >= MUCH and not words.startswith("lifted") else words


def _stops(stops: float) -> str:
    direction = WORDS["exposure"].more if stops > 0 else WORDS["exposure"].less
    for limit, called in _STOPS:
        if abs(stops) < limit:
            return f"{called} {direction}"
    return f"{abs(stops):.1f} stops {direction}"
