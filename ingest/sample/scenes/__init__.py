"""The subjects of the sample library, each painted by one function.

* ``balloons``: Hot-air balloons over a morning valley.
* ``coast``: The sea: a sailing boat, a lighthouse on its rock.
* ``flower``: A flower close up.
* ``forest``: Conifers in mist; other scenes use the conifer as well.
* ``fruit``: A bowl of fruit on a table.
* ``landscape``: Land: a mountain lake, desert dunes.
* ``night``: After dark: a city across the water, a sky full of stars.
* ``tower``: A lighthouse and the headland that it stands on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ingest.sample.paint import Frame, Light
from ingest.sample.scenes.balloons import hot_air_balloons
from ingest.sample.scenes.coast import lighthouse, sailing_boat
from ingest.sample.scenes.flower import flower
from ingest.sample.scenes.forest import pine_forest
from ingest.sample.scenes.fruit import fruit_bowl
from ingest.sample.scenes.landscape import desert_dunes, mountain_lake
from ingest.sample.scenes.night import city_night, starry_sky

Scene: TypeAlias = Callable[[Frame, np.random.Generator], Light]
"""Paints a subject in a frame; viewpoint, arrangement, hour and colours come from the generator."""

SCENES: dict[str, Scene] = {
    "mountain-lake": mountain_lake,
    "pine-forest": pine_forest,
    "desert-dunes": desert_dunes,
    "sailing-boat": sailing_boat,
    "lighthouse": lighthouse,
    "city-night": city_night,
    "starry-sky": starry_sky,
    "flower": flower,
    "fruit-bowl": fruit_bowl,
    "hot-air-balloons": hot_air_balloons,
}
