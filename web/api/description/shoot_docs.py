"""What the properties of calls about shoots and style over time mean, with an example; see ``property_docs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID = "3c375b09-a29a-5a72-8fff-09bb5f09d7af"
_TAKEN = "2019-05-04T10:00:00"

SHOOTS: Mapping[str, tuple[str, Any]] = {
    "NamedShoot.name": ("What the shoot is called, empty where the name was taken back", "Harvest"),
    "NamedShoot.photos": ("Number of its photos", 12),
    "Session.id": ("Id of its first photo, by which it is given a name", _ID),
    "Session.name": ("What people call it, or what follows from place, folder and date", "Washington, March 1942"),
    "Session.named": ("People have given it this name", False),
    "Shift.after": ("Mean over the shoots since, of the medians of their photos", 92.0),
    "Shift.before": ("Mean over the shoots before, of the medians of their photos", 120.0),
    "Shift.difference": ("After less before", -28.0),
    "Shift.feature": ("Name of the feature, or `warmth` or `tint`", "gray_mean"),
    "Shift.high": ("Upper end of the 95 % interval of the difference, over shoots", -19.0),
    "Shift.low": ("Lower end of the 95 % interval of the difference, over shoots", -37.0),
    "Shift.unit": ("Unit of the values", "levels"),
    "Shift.words": ("What the photos are since", "darker"),
    "ShootNaming.id": ("Id of a photo of the shoot", _ID),
    "ShootNaming.name": ("What it is to be called; empty for what follows from place, folder and date", "Harvest"),
    "StyleChange.after": ("Number of shoots since", 10),
    "StyleChange.before": ("Number of shoots before", 14),
    "StyleChange.p_value": ("Share of shuffled orders of the shoots with as large a change anywhere", 0.004),
    "StyleChange.sentence": ("The change and its time", "Since May 2019 the photos are darker and warmer than before."),
    "StyleChange.shifts": ("What has changed, the clearest first", []),
    "StyleChange.shoot": ("Id of the first shoot since", _ID),
    "StyleChange.since": ("When that shoot began", _TAKEN),
    "StyleChange.words": ("What the photos are since", "darker and warmer"),
    "Timeline.change": ("The change of style, where one can be distinguished from chance", None),
    "Timeline.id": ("Id of the photographer", "aa2d75a0e4e54791"),
    "Timeline.name": ("The photographer", "Lucia Ferrante"),
    "Timeline.notes": ("What is left out or uncertain, in sentences", []),
    "Timeline.shoots": ("Shoots with a date, in order of time", []),
    "TimelineShoot.end": ("When its last photo was taken", _TAKEN),
    "TimelineShoot.id": ("Id of its first photo", _ID),
    "TimelineShoot.name": ("What it is called", "Washington, March 1942"),
    "TimelineShoot.photos": ("Number of its photos", 12),
    "TimelineShoot.start": ("When its first photo was taken", _TAKEN),
    "TimelineShoot.unlike": ("Distance of its style from that of all shoots before; 1 is usual", 1.2),
    "TimelineShoot.values": ("Median of its photos in some quantities", {"gray_mean": 108.0, "warmth": 12.0}),
}
"""Property to what it means and an example."""
