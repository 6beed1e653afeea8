"""Pseudo-photographers by the four global features of the published set-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingest.jobs.service import JobService
from ingest.photographers.labelling import Label
from search.photographers.photos.features import FEATURES, GLOBAL


def test_groups_by_the_published_four_features_look_at_no_other(desk: Any) -> None:
    """Photos are of two kinds by the four, and of two others by the remaining 74."""
    desk.ingest.halt()
    tasks: Any = {"label": Label(desk.store, desk.ledger)}
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0,))
    for number in range(9):
        desk.write(f"{number}.jpg", f"picture {number}")
    desk.run()
    rng = np.random.default_rng(0)
    for name, record in desk.records().items():
        features = rng.normal(100 * (int(name[0]) % 2), 1, len(FEATURES))
        features[list(GLOBAL)] = 0 if name < "4.jpg" else 9
        desk.store.patch_payload("images", {record.id: {"features": features.tolist()}})
    desk.ingest.run(desk.ingest.start_task("label", {"from": "kmeans", "groups": "2", "features": "global"}))
    groups = {name: desk.store.retrieve("images", [one.id])[0].payload["photographer"]
              for name, one in desk.records().items()}  # fmt: skip
    assert groups == {f"{number}.jpg": "Group 02" if number < 4 else "Group 01" for number in range(9)}
    assert [FEATURES[at].name for at in GLOBAL] == ["gray_std", "red_mean", "green_mean", "blue_mean"]
