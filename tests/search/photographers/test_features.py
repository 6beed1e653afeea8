"""The table of the features: what others count on."""

from __future__ import annotations

import math

from search.photographers.photos.features import (
    CAMERA,
    FEATURE_NAMES,
    FEATURES,
    INDEX,
    METADATA,
    PICTURE_ONLY,
    REVISION,
)


def test_the_order_is_that_of_the_reference() -> None:
    assert len(FEATURES) == len(set(FEATURE_NAMES)) == len(INDEX) == 78
    first = {
        0: "width", 4: "gray_mean", 12: "red_hist_0", 20: "green_hist_0", 28: "blue_hist_0", 36: "sharpness",
        43: "hour", 47: "log_iso", 57: "edge_density", 63: "center_brightness", 71: "subject_isolation",
        77: "person_present",
    }  # fmt: skip
    assert {at: FEATURE_NAMES[at] for at in first} == first
    assert all(FEATURE_NAMES[at] == name for name, at in INDEX.items())


def test_what_leaks_content_or_camera_is_not_of_the_picture() -> None:
    leaking = {*range(4), *range(43, 57), 60, 77}
    assert set(PICTURE_ONLY) == set(range(78)) - leaking
    assert len(PICTURE_ONLY) == 58
    assert {*METADATA, *CAMERA} == leaking - {60, 77}


def test_every_feature_says_what_it_is() -> None:
    for feature in FEATURES:
        assert -math.inf < feature.low < feature.high < math.inf, feature.name
        assert all((feature.label, *feature.words, feature.formula, feature.source)), feature.name
        assert feature.less != feature.more, feature.name
    assert len({feature.label for feature in FEATURES}) == 78
    assert len(REVISION) == 16
