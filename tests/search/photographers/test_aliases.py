"""What models say of people who were renamed, or made one, after the training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from search.photographers.aliases import renamed_predictions, renamed_space, renamed_verdict
from search.photographers.answers import Candidate, PredictionReason, TreesAnswer
from search.photographers.classifier.classifier import Verdict
from search.photographers.folded_in import FoldedIn, write_folded_in
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.miscredits import OutOfFold
from search.photographers.space import PhotographerSpace

REASONS = (PredictionReason("noise", "noisier than most photos and most of theirs", 3.0, 1.0, 0.5),)


def verdict(**shares: float) -> Verdict:
    candidates = tuple(Candidate(name, share, photographer_id(name)) for name, share in shares.items())
    return Verdict(
        candidates,
        candidates[0].probability < 0.5,
        0.5,
        REASONS,
        candidates,
        candidates,
        by_trees=TreesAnswer(candidates, "", True),
    )


def told(candidates: tuple[Candidate, ...]) -> dict[str, float]:
    assert [one.id for one in candidates] == [photographer_id(one.photographer) for one in candidates]
    return {one.photographer: round(one.probability, 6) for one in candidates}


def test_an_answer_names_people_as_they_are_called_now() -> None:
    said = renamed_verdict(verdict(ada=0.6, bo=0.4), {"ada": "Ada Lee"})
    assert told(said.candidates) == told(said.by_style) == told(said.by_subject) == {"Ada Lee": 0.6, "bo": 0.4}
    assert said.by_trees is not None
    assert said.by_trees.candidates == said.candidates
    assert (said.unknown, said.reasons) == (False, REASONS)


def test_whoever_became_one_is_as_probable_as_both_and_no_longer_unknown() -> None:
    said = renamed_verdict(verdict(ada=0.4, bo=0.35, cy=0.25), {"cy": "ada"})
    assert told(said.candidates) == {"ada": 0.65, "bo": 0.35}
    assert (said.unknown, said.reasons) == (False, REASONS)


def test_reasons_for_somebody_who_is_not_first_any_more_are_not_told_of_the_first() -> None:
    said = renamed_verdict(verdict(ada=0.35, bo=0.33, cy=0.32), {"cy": "bo"})
    assert told(said.candidates) == {"bo": 0.65, "ada": 0.35}
    assert said.reasons == ()


def test_without_a_new_name_an_answer_stays_as_it_is() -> None:
    before = verdict(ada=0.6, bo=0.4)
    assert renamed_verdict(before, {"dee": "ada"}) is before


def test_probabilities_of_those_who_are_one_now_are_added() -> None:
    said = OutOfFold(("ada", "bo", "cy"), {"photo": np.array([0.5, 0.2, 0.3], np.float32)})
    now = renamed_predictions(said, {"cy": "ada"})
    assert now.names == ("ada", "bo")
    np.testing.assert_allclose(now.rows["photo"], [0.8, 0.2], atol=1e-6)


def test_in_the_space_they_stand_between_where_they_stood_by_their_photos(
    write_space: Callable[..., Path], tmp_path: Path
) -> None:
    learnt = write_space(tmp_path / "space", {"ada": (0, 0), "bo": (5, 5), "cy": (4, 0)})
    write_folded_in(learnt, [FoldedIn("dee", 10, (8.0, 0.0)), FoldedIn("eve", 10, (1.0, 1.0))])
    space = PhotographerSpace.load(learnt)
    both = int(space.photos[0] + space.photos[2])

    now = renamed_space(space, {"cy": "ada", "bo": "Bo Lee", "dee": "Bo Lee"})

    assert (now.names, now.trained) == (("ada", "Bo Lee", "eve"), ("ada", "Bo Lee"))
    assert int(now.photos[0]) == both
    np.testing.assert_allclose(now.vector("ada"), [4 * space.photos[2] / both, 0], atol=1e-6)
    np.testing.assert_allclose(now.frames[-1], now.vectors, atol=1e-6)
    before = [space.names[owner] for owner in space.owners]
    assert [now.names[owner] for owner in now.owners] == [{"cy": "ada", "bo": "Bo Lee"}.get(n, n) for n in before]
    assert renamed_space(space, {"zoe": "ada"}) is space
