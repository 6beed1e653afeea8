"""Styles, concepts and features that records lack are made where the records are, and nothing else is made again."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.jobs.service import JobState
from search.errors import UsageError
from search.media import Kind, MediaRecord
from search.store.filters import Filter

ALL_THERE = "Every picture and video has its style and concepts, and every picture its appearance and features."


@pytest.mark.parametrize(
    ("asked", "lost"),
    [
        ("style", ("style",)),
        ("concepts", ("concepts",)),
        ("concepts", ("style", "concepts")),
        ("appearance", ("appearance",)),
    ],
)
def test_what_is_lacking_is_filled_in_where_the_records_are(
    library: Any, renewing: Any, asked: str, lost: tuple[str, ...]
) -> None:
    library.take_in()
    library.forget(145, *lost)

    ended = library.reembed(asked, asked)

    assert (ended.state, ended.message) == (JobState.DONE, ALL_THERE)
    assert (ended.total, ended.embedded) == (renewing.PICTURES + 2, renewing.PICTURES + 2)
    library.check(renewing.BEFORE)
    assert [generation.name for generation in library.store.generations("images")] == ["images.1"]


def restart(library: Any, text_model: str) -> None:
    library.close()
    library.settings = library.settings.model_copy(update={"text_model": text_model})
    library.open()


def test_meaning_is_added_to_a_library_from_before_it_and_filled_in(
    library: Any, renewing: Any, runners: list[Any]
) -> None:
    library.take_in()
    with pytest.raises(UsageError, match="LIKEWISE_TEXT_MODEL"):
        library.reembed("open_clip", "meaning")
    restart(library, "open_clip")

    ended = library.reembed("open_clip", "meaning")

    assert (ended.state, ended.message) == (
        JobState.DONE,
        "Every picture and video has its style, concepts and meaning, and every picture its appearance and features.",
    )
    assert len(runners.pop().seen) == renewing.PICTURES + 2
    assert [generation.name for generation in library.store.generations("images")] == ["images.1"]
    library.forget(20, "meaning")
    library.reembed("style", "style")
    assert len(runners.pop().seen) == 20, "any of these jobs fills what is lacking"
    choice = replace(renewing.BEFORE, text="open_clip")
    for kind in (Kind.IMAGE, Kind.VIDEO):
        wanted = renewing.expected(library.media, choice, kind)
        points = list(library.store.scroll(kind.collection, vectors=["visual", "style", "concepts", "meaning"]))
        assert len(points) == len(wanted)
        for point in points:
            for space, rows in point.vectors.items():
                np.testing.assert_allclose(rows, wanted[Path(point.payload["paths"][0]).name][space], atol=1e-6)
            assert len(point.vectors) == 4
    restart(library, "none")
    with pytest.raises(UsageError, match=r"Meaning is made with open_clip.*Set LIKEWISE_TEXT_MODEL=open_clip"):
        library.reembed("style", "style")


@pytest.fixture
def runners(renewing: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """All that are made from now on."""
    made: list[Any] = []
    plain = renewing.ModelRunner

    class Watched(plain):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(renewing, "ModelRunner", Watched)
    return made


@pytest.mark.parametrize("lost", ["style", "concepts", "features", "all of it, by halves"])
def test_only_what_lacks_something_is_embedded_again(
    library: Any, renewing: Any, runners: list[Any], lost: str
) -> None:
    library.take_in()
    names = [f"{number:04}.jpg" for number in range(20)]
    if lost in ("style", "concepts"):
        library.forget(20, lost)
    elif lost == "features":
        library.forget_features(*names)
    else:  # style alone, then both spaces, then features alone
        library.forget(10, "style")
        library.forget(5, "concepts")
        library.forget_features(*names[10:])
    for lacking in (names, []):
        ended = library.reembed("style", "style")
        assert (ended.state, ended.total, ended.embedded) == (
            JobState.DONE,
            renewing.PICTURES + 2,
            renewing.PICTURES + 2,
        )
        assert sorted(Path(path).name for path in runners.pop().seen) == lacking
    library.check(renewing.BEFORE)
    found = Counter(MediaRecord.from_payload(point.payload).features for point in library.store.scroll("images"))
    assert found == {renewing.FEATURES: renewing.PICTURES}


def test_a_picture_without_features_to_be_had_is_tried_once_and_named(
    library: Any, renewing: Any, runners: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.take_in()
    library.forget_style(1)
    library.forget_features("0000.jpg", "0001.jpg", "0002.jpg")
    (library.media / "0002.jpg").unlink()
    monkeypatch.setattr(renewing, "facts_of", lambda content, kind: {})

    ended = library.reembed("style", "style")

    assert ended.state is JobState.DONE_WITH_FAILURES
    assert (ended.total, ended.embedded, ended.failed) == (renewing.PICTURES + 2, renewing.PICTURES - 1, 3)
    assert ended.message.startswith("3 could not be embedded and lack their style, appearance, concepts or features")
    assert sorted(Path(path).name for path in runners.pop().seen) == ["0000.jpg", "0001.jpg", "0002.jpg"]


def test_a_picture_without_a_style_to_be_had_is_named_and_the_job_ends(library: Any, renewing: Any) -> None:
    library.take_in()
    library.forget_style(10)
    for name in ("0004.jpg", "0005.jpg"):
        (library.media / name).unlink()

    ended = library.reembed("style", "style")

    assert ended.state is JobState.DONE_WITH_FAILURES
    assert (ended.failed, ended.embedded) == (2, renewing.PICTURES)
    assert ended.message.startswith(
        "2 could not be embedded and lack their style, appearance, concepts or features, for example "
    )
    assert "0004.jpg (gone)" in ended.message
    assert library.store.count("images") == renewing.PICTURES
    assert library.store.count("images", Filter(has_space="style")) == renewing.PICTURES - 2


def test_files_that_were_touched_are_done_once_they_have_been_taken_in_again(library: Any, renewing: Any) -> None:
    library.take_in()
    library.forget_style(10)
    for path in library.media.iterdir():
        os.utime(path, (1, 1))

    ended = library.reembed("style", "style")
    assert ended.state is JobState.DONE_WITH_FAILURES
    assert ended.message.endswith("imported anew by `likewise ingest`.")

    library.take_in()
    assert library.reembed("style", "style").state is JobState.DONE
    assert library.store.count("images", Filter(has_space="style")) == renewing.PICTURES
