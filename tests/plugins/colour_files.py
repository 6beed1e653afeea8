"""Formats that carry a colour profile, and profiles in which pictures are written."""

from __future__ import annotations

from workers.decode.image.matrix_profiles import ADOBE_GAMMA, ADOBE_PRIMARIES, D65, SRGB_PRIMARIES, rgb_profile

FORMS = {
    "jpg": {"quality": 95, "subsampling": 0},
    "png": {},
    "tif": {},
    "webp": {"quality": 95},
    "heic": {"quality": 90},
    "avif": {"quality": 92},
}
PROFILES = {
    "Display P3": rgb_profile(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), D65), 2.2),
    "Adobe RGB": rgb_profile(ADOBE_PRIMARIES, ADOBE_GAMMA),
    "ProPhoto": rgb_profile(((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585)), 1.8),
    "swapped": rgb_profile(((0.30, 0.60), (0.15, 0.06), (0.64, 0.33), D65), 2.2),
    "linear": rgb_profile(SRGB_PRIMARIES, 1.0),
}
