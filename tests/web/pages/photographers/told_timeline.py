"""A timeline whose answers are written down."""

from __future__ import annotations

from search.photographers.photos.names import photographer_id
from search.photographers.profiles.drift import Shift
from search.photographers.profiles.timeline import StyleChange, Timeline, TimelineShoot

HOSTILE_SHOOT = "<b>Harvest</b>"


def told_timeline(name: str) -> Timeline:
    """Fifteen shoots, of which the last six are darker."""
    shoots = tuple(
        TimelineShoot(
            id=f"{at:08d}-0000-4000-8000-000000000000",
            name=HOSTILE_SHOOT if at == 9 else f"Ohio, {at + 1} March 2012",
            photos=2 + 3 * at % 17,
            start=f"2012-{1 + at * 3 // 4:02d}-{1 + at:02d}T10:00:00",
            end=f"2012-{1 + at * 3 // 4:02d}-{1 + at:02d}T12:00:00",
            unlike=None if at == 0 else 0.8 + 0.1 * (at % 5) + 1.1 * (at == 9),
            values={"gray_mean": 120.0 + at % 3 - 30 * (at >= 9), "warmth": 5.0 + at % 4, "saturation": 30.0},
        )
        for at in range(15)
    )
    shift = Shift("gray_mean", "darker", "levels", 121.0, 91.0, -30.0, -33.0, -27.0)
    change = StyleChange(
        since=shoots[9].start,
        shoot=shoots[9].id,
        words="darker",
        sentence="Since July 2012 the photos are darker than before.",
        p_value=0.002,
        before=9,
        after=6,
        shifts=(shift,),
    )
    return Timeline(photographer_id(name), name, shoots, change, ("2 shoots without a date are left out.",))
