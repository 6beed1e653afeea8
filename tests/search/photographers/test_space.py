"""The photographer space as its readers see it, from files written by hand: no torch is needed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from search.errors import ModelError, NotFoundError
from search.evaluation.statistics import Estimate
from search.photographers.photos.names import photographer_id
from search.photographers.space import (
    CODES,
    LAYOUT,
    MANIFEST,
    VECTORS,
    JointReport,
    PhaseTime,
    PhotographerSpace,
    VectorErrors,
)

NAMES = ("Ann", "<script>", "../../x")
ERRORS = VectorErrors(Estimate(0.2, 0.1, 0.3, 9), Estimate(0.8, 0.7, 0.9, 9), 4.0)
REPORT = JointReport(
    3, 6, 2, 2, 0, 400, 1.5, "d", "f", ERRORS, ERRORS, None, 0.9, {"torch": "2"}, ("Few photos.",),
    0.8, 0.4, (PhaseTime("vectors", 1.0, 2.0, True),),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ann and the second are near each other, the third is far from both."""
    vectors = np.array([[0, 0], [0, 1], [9, 0]], np.float32)
    frames = np.stack([0 * vectors, vectors])
    np.savez(tmp_path / VECTORS, vectors=vectors, photos=np.array([3, 2, 1]), frames=frames, steps=np.array([0, 400]))
    ids = np.array([f"photo-{row}" for row in range(6)])
    codes = np.random.default_rng(0).standard_normal((6, 16)).astype(np.float32)
    owners, clusters = np.array([0, 0, 0, 1, 1, 2]), np.zeros(6, np.int64)
    np.savez(tmp_path / CODES, ids=ids, codes=codes, owners=owners, clusters=clusters)
    manifest = {"layout": LAYOUT, "names": NAMES, "report": asdict(REPORT)}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest), "ascii")
    return tmp_path


def test_a_space_is_read_as_it_was_written(folder: Path) -> None:
    space = PhotographerSpace.load(folder)
    assert space.names == NAMES
    assert space.report == REPORT
    assert space.vector("../../x").tolist() == [9, 0]
    assert space.vector(photographer_id("<script>")).tolist() == [0, 1]


def test_the_nearest_come_first(folder: Path) -> None:
    found = PhotographerSpace.load(folder).similar("Ann")
    assert [alike.name for alike in found] == ["<script>", "../../x"]
    assert found[0].similarity == pytest.approx(5 / 6)  # two of three pairs are farther apart, one is this one
    assert found[0].similarity > found[1].similarity


def test_a_chart_keeps_distances_and_ends_where_the_vectors_are(folder: Path) -> None:
    chart = PhotographerSpace.load(folder).chart()
    at = {spot.name: np.array(spot.at) for spot in chart.spots}
    assert np.linalg.norm(at["Ann"] - at["<script>"]) == pytest.approx(1)
    assert np.linalg.norm(at["Ann"] - at["../../x"]) == pytest.approx(9)
    assert [spot.photos for spot in chart.spots] == [3, 2, 1]
    assert sum(chart.explained) == pytest.approx(1)


def test_strangers_are_refused_in_words(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="does not know 'nobody'"):
        PhotographerSpace.load(folder).similar("nobody")


@pytest.mark.parametrize("name", [MANIFEST, VECTORS, CODES])
def test_a_lost_or_damaged_file_is_told_as_such(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:40])
    with pytest.raises(ModelError, match="no photographer space"):
        PhotographerSpace.load(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match="no photographer space"):
        PhotographerSpace.load(folder)


def test_another_layout_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"layout": LAYOUT + 1}))
    with pytest.raises(ModelError, match="another version"):
        PhotographerSpace.load(folder)


def test_layout_1_knows_no_random_start_and_no_phases(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    for later in ("random_agreement", "codes_spread", "phases"):
        del manifest["report"][later]
    (folder / MANIFEST).write_text(json.dumps(manifest | {"layout": 1}))
    space = PhotographerSpace.load(folder)
    assert (space.report.agreement, space.report.codes_spread, space.report.phases) == (0.9, None, ())
    assert space.random_chart() is None


def test_paths_from_random_vectors_are_drawn_on_the_axes_of_the_kept_ones(folder: Path) -> None:
    with np.load(folder / VECTORS) as stored:
        kept = dict(stored)
    far = np.stack([kept["vectors"] + 5, kept["vectors"]])
    np.savez(folder / VECTORS, **kept, random_frames=far, random_steps=np.array([0, 900]))
    chart, random = (space := PhotographerSpace.load(folder)).chart(), space.random_chart()
    assert random is not None
    assert random.steps == (0, 900)
    assert [spot.at for spot in random.spots] == [spot.at for spot in chart.spots]
    assert [np.hypot(*np.subtract(spot.path[0], spot.path[1])) for spot in random.spots] == pytest.approx([50**0.5] * 3)
