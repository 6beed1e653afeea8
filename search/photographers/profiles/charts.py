"""Maps of photographers by the mean vectors of their photos, without training."""

from __future__ import annotations

import numpy as np

from search.photographers.answers import Chart, Spot
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.people import People
from search.photographers.space import Plane

STYLE, SUBJECT = "style", "subject"


def profile_chart(people: People, by: str) -> Chart | None:
    """Photographers by the mean of their photos' vectors; None where fewer than two have any.

    Args:
        by: ``style`` or ``subject``.
    """
    vectors = people.photos.style if by == STYLE else people.photos.visual
    names: list[str] = []
    means = []
    for name, rows in people.rows.items():
        of_them = vectors[rows]
        of_them = of_them[np.isfinite(of_them).all(axis=1)]
        if of_them.size:
            names.append(name)
            means.append(of_them.mean(axis=0))
    if len(names) < 2:
        return None
    plane = Plane.of(np.stack(means))
    spots = tuple(
        Spot(photographer_id(name), name, len(people.rows[name]), (float(x), float(y)))
        for name, (x, y) in zip(names, plane.project(np.stack(means)), strict=True)
    )
    return Chart(by, spots, plane.explained)
