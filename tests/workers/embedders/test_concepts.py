"""One sparse vector says what a picture or a video shows."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from search.model_descriptions.concepts import CUTOFF, concepts_space
from search.model_descriptions.registry import EFFICIENTNET_LITE0, RESNET18
from search.spaces import Distance
from search.words.table import table
from workers.embedders.image.concepts import CLASSES, concept_vector, least

DALMATIAN, GOLDEN, TABBY, CONVERTIBLE = 251, 207, 281, 511
"""Numbers of ImageNet-1k classes."""


def concept(word: str) -> int:
    return next(n for n, rare_sense in table().words[tuple(word.split())] if not rare_sense)


def value(vector: np.ndarray, word: str) -> float:
    return float(vector[0] @ table().at_or_below({concept(word): 1.0}))


def frames(*rows: dict[int, float]) -> np.ndarray:
    """Class probabilities of frames; what a row leaves over is spread evenly over all classes."""
    made = np.zeros((len(rows), CLASSES), np.float32)
    for row, given in zip(made, rows, strict=True):
        row[:] = (1 - sum(given.values())) / CLASSES
        for number, probability in given.items():
            row[number] += probability
    return made


def plain(colour: tuple[int, int, int], n: int = 1) -> np.ndarray:
    return np.full((n, 224, 224, 3), colour, np.uint8)


def test_a_concept_is_worth_all_classes_at_or_below_it() -> None:
    vector, by_frame = concept_vector(frames({DALMATIAN: 0.5, GOLDEN: 0.25, TABBY: 0.15}), None)

    assert vector.shape == (1, table().dim)
    assert vector.dtype == np.float32
    assert by_frame == ()
    assert value(vector, "dalmatian") == pytest.approx(0.5, abs=CUTOFF)
    assert value(vector, "dog") == pytest.approx(0.75, abs=0.02)
    assert value(vector, "cat") == pytest.approx(0.15, abs=0.01)
    assert value(vector, "mammal") == pytest.approx(0.9, abs=0.03)
    assert value(vector, "convertible") == 0


def test_a_sure_picture_takes_few_components_and_an_even_one_none() -> None:
    assert np.flatnonzero(concept_vector(frames({DALMATIAN: 1.0}), None)[0][0]).tolist() == [concept("dalmatian")]
    assert not concept_vector(frames({}), None)[0].any()


def test_every_value_comes_back_to_within_what_is_cut() -> None:
    probabilities = np.random.default_rng(1).dirichlet(np.full(CLASSES, 0.02), 20).astype(np.float32)
    members = np.zeros((CLASSES, len(table())), np.float32)
    for n, classes in enumerate(table().classes):
        members[list(classes), n] = 1

    for shown in (*probabilities[:, None], probabilities):
        kept = concept_vector(shown, None)[0][0, : len(table())]
        missing = (shown @ members).max(axis=0) - table().below @ kept
        assert (np.abs(missing) <= least() + 1e-5).all()


def test_of_several_frames_the_greatest_counts_and_is_named() -> None:
    shown = frames({DALMATIAN: 0.9}, {GOLDEN: 0.9}, {CONVERTIBLE: 0.8})

    vector, by_frame = concept_vector(shown, np.concatenate([plain((255, 255, 255), 2), plain((200, 10, 20))]))
    at = {int(n): frame for n, frame in zip(np.flatnonzero(vector[0]), by_frame, strict=True)}

    assert value(vector, "dog") == pytest.approx(0.9, abs=0.12), "two dogs in two frames are not two dogs at once"
    assert value(vector, "car") == pytest.approx(0.8, abs=0.02)
    assert (at[concept("dalmatian")], at[concept("convertible")]) == (0, 2)
    assert (at[table().colour("white")], at[table().colour("red")]) == (0, 2)
    assert list(at) == sorted(at)


def test_colours_are_shares_of_the_pixels_and_small_ones_are_left_out() -> None:
    picture = plain((255, 255, 255))
    picture[:, :112] = (200, 10, 20)
    picture[:, 112:116] = (20, 30, 220)

    vector, _ = concept_vector(frames({}), picture)
    shares = {int(n): round(float(vector[0, n]), 2) for n in np.flatnonzero(vector[0])}

    assert shares == {table().colour("red"): 0.5, table().colour("white"): 0.48}


def test_no_frames_say_nothing() -> None:
    vector, by_frame = concept_vector(np.zeros((0, CLASSES), np.float32), None)

    assert vector.shape == (1, table().dim)
    assert not vector.any()
    assert by_frame == ()


@pytest.mark.parametrize(
    ("probabilities", "whole"), [(np.zeros((1, 10), np.float32), None), (frames({}), plain((0, 0, 0), 2))]
)
def test_other_shapes_are_refused(probabilities: np.ndarray, whole: np.ndarray | None) -> None:
    with pytest.raises(ValueError, match=r"instead of|rows of"):
        concept_vector(probabilities, whole)


def test_the_space_is_that_of_the_model_and_of_the_table() -> None:
    space, other = concepts_space(EFFICIENTNET_LITE0), concepts_space(RESNET18)

    assert (space.name, space.model, space.dim, space.distance) == (
        "concepts",
        "efficientnet_lite0",
        table().dim,
        Distance.DOT,
    )
    assert EFFICIENTNET_LITE0.revision in space.revision
    assert table().version in space.revision
    assert space.fingerprint != other.fingerprint


def test_the_description_needs_no_torch() -> None:
    code = "import sys, workers.embedders.image.concepts; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
