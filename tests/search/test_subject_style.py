"""The dial between subject and style: every position is a question of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from search.errors import UsageError
from search.media import Kind
from search.similar.find import find_similar
from search.similar.questions import Probe, Question, Relation, SimilarAnswer
from search.similar.subject_style import SubjectStyleWeights

SUBJECT, STYLE = [1.0, 0, 0, 0], [0, 0, 1.0, 0]
"""Vectors of the question, in ``visual`` and in ``style``."""


def leaning(towards: list[float], cosine: float) -> list[float]:
    """A unit vector of this cosine with ``towards``."""
    across = [0.0, (1 - cosine**2) ** 0.5, 0.0, 0.0]
    return [cosine * t + a for t, a in zip(towards, across, strict=True)]


@pytest.fixture
def shelf(library: Any) -> dict[str, str]:
    """The question and four answers: each as near as can be, or far, in subject and in style."""
    wanted = {"twin": (0.95, 0.95), "same subject": (0.95, 0.1), "same style": (0.1, 0.95), "stranger": (0.1, 0.1)}
    ids = {"question": library.add(Kind.IMAGE, "question", {"visual": [SUBJECT], "style": [STYLE]})}
    for name, (subject, style) in wanted.items():
        vectors = {"visual": [leaning(SUBJECT, subject)], "style": [leaning(STYLE, style)]}
        ids[name] = library.add(Kind.IMAGE, name, vectors)
    return ids


def ask(library: Any, shelf: dict[str, str], style: float, **rest: Any) -> SimilarAnswer:
    return find_similar(library.store, Question((shelf["question"],), style=style, **rest))


def names(answer: SimilarAnswer) -> list[str]:
    return [hit.paths[0].removeprefix("/library/") for hit in answer.hits]


@pytest.mark.parametrize(
    ("position", "first", "last"),
    [
        (-1.0, "same subject", "same style"),
        (0.0, "twin", "stranger"),
        (1.0, "same style", "same subject"),
    ],
)
def test_the_ends_and_the_middle(library: Any, shelf: dict[str, str], position: float, first: str, last: str) -> None:
    found = names(ask(library, shelf, position))

    assert len(found) == 4
    assert (found[0], found[-1]) == (first, last)


@pytest.mark.parametrize(("position", "space"), [(-0.5, "visual"), (0.5, "style")])
def test_half_way_to_an_end_one_space_alone_decides(
    library: Any, shelf: dict[str, str], position: float, space: str
) -> None:
    turned = ask(library, shelf, position)
    alone = find_similar(library.store, Question((shelf["question"],), spaces=(space,)))

    assert [hit.score for hit in turned.hits] == pytest.approx([hit.score for hit in alone.hits], abs=1e-6)
    assert [hit.match for hit in turned.hits] == pytest.approx([hit.match for hit in alone.hits], abs=1e-6)


def test_a_hit_tells_its_match_in_subject_and_in_style(library: Any, shelf: dict[str, str]) -> None:
    hit = ask(library, shelf, 1.0).hits[0]

    assert hit.parts is not None
    assert hit.parts["style"] > 90 > 50 > hit.parts["visual"]
    assert hit.space == "style"
    assert hit.score == pytest.approx(0.95, abs=1e-6)


def test_style_has_no_say_unless_the_dial_is_used(library: Any, shelf: dict[str, str]) -> None:
    answer = find_similar(library.store, Question((shelf["question"],)))

    assert {hit.space for hit in answer.hits} == {"visual"}
    assert all(hit.parts is None for hit in answer.hits)


def test_an_edit_of_the_example_does_not_lead_when_another_subject_is_asked_for(
    library: Any, shelf: dict[str, str]
) -> None:
    prints = ("f" * 64,)
    asked = library.add(Kind.IMAGE, "original", {"visual": [SUBJECT], "style": [STYLE]}, fingerprints=prints)
    edit = {"visual": [leaning(SUBJECT, 0.99)], "style": [leaning(STYLE, 0.99)]}
    library.add(Kind.IMAGE, "edit", edit, fingerprints=prints)

    plain = find_similar(library.store, Question((asked,)))
    turned = find_similar(library.store, Question((asked,), style=1.0))

    assert (names(plain)[0], plain.hits[0].relation) == ("edit", Relation.EDITED_COPY)
    assert names(turned)[0] == "same style"


def test_a_video_answers_with_its_best_key_frame(library: Any, shelf: dict[str, str]) -> None:
    frames = {"visual": [[0, 1.0, 0, 0], SUBJECT], "style": [[0, 1.0, 0, 0], STYLE]}
    video = library.add(Kind.VIDEO, "film", frames, moments=(0.0, 3.0))

    hit = ask(library, shelf, 0.0, collections=("videos",)).hits[0]

    assert hit.id == video
    assert hit.score == pytest.approx(1.0, abs=1e-6)


def test_photos_without_a_style_are_counted_aloud(library: Any, shelf: dict[str, str]) -> None:
    library.image("old", SUBJECT)

    answer = ask(library, shelf, 0.5)

    assert "old" not in names(answer)
    assert answer.notes == ("1 have no style yet and cannot answer; `likewise reembed --space style` gives them one.",)


def test_a_sound_has_nothing_to_turn_the_dial_between(library: Any) -> None:
    sound = library.audio("hum", [1.0, 0, 0, 0])

    answer = find_similar(library.store, Question((sound,), style=0.0))

    assert answer.hits == ()
    assert answer.notes == ("No example has both a subject and a style to compare: pictures and videos have.",)


def test_an_upload_of_another_style_model_is_refused(library: Any, shelf: dict[str, str]) -> None:
    from search.errors import SpaceMismatchError

    rows = np.array([SUBJECT], np.float32)
    spaces = {"visual": library.spaces["visual"].fingerprint, "style": "0" * 16}
    probe = Probe(Kind.IMAGE, {"visual": rows, "style": rows}, spaces)

    with pytest.raises(SpaceMismatchError, match="style"):
        find_similar(library.store, Question((probe,), style=0.5))


@pytest.mark.parametrize("position", [-1.01, 2.0, float("nan")])
def test_a_dial_beyond_its_ends_is_refused(library: Any, shelf: dict[str, str], position: float) -> None:
    with pytest.raises(UsageError, match="dial"):
        ask(library, shelf, position)


def test_dial_and_spaces_exclude_each_other(library: Any, shelf: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="not both"):
        ask(library, shelf, 0.5, spaces=("visual",))


def test_the_combined_match_is_again_the_share_of_random_pairs() -> None:
    rng = np.random.default_rng(1)
    subject, style = rng.uniform(0, 100, (2, 20_000))
    for position in (-1.0, -0.5, 0.0, 0.3, 1.0):
        weights = SubjectStyleWeights.at(position)
        matches = np.array([weights.match(a, b) for a, b in zip(subject, style, strict=True)])
        shares = [np.mean(matches < level) * 100 for level in (10, 50, 90)]
        assert shares == pytest.approx([10, 50, 90], abs=1.5)
