"""Words are compared with whole pictures too, where a library and whoever embeds can do that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.errors import ModelError, SpaceMismatchError, WorkersBusyError
from search.likeness.best_pairs import Background
from search.likeness.curve import LikenessCurve
from search.likeness.curves import PROVISIONAL_TEXT, curves_of
from search.media import Kind, MediaRecord, media_id
from search.spaces import MEANING, CollectionSchema, Distance, Space, VectorField
from search.store.base import Array, Point
from search.store.edge.store import EdgeStore
from search.store.filters import Filter
from search.words import MatchPlace, holding, search_words
from search.words.table import SPACE, table

CONCEPTS = VectorField(Space(SPACE, "hand", f"1/{table().version}", "none", table().dim, Distance.DOT), sparse=True)
SHARED = Space(MEANING, "hand", "1", "none", 8)


@dataclass
class Encoder:
    """Embeds every phrase as the first axis.

    Attributes:
        error: raised instead.
        asked: each phrase, in order.
    """

    error: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def text(self, words: str, space: Space) -> Array:
        self.asked.append(words)
        if self.error is not None:
            raise self.error
        assert space == SHARED
        return np.eye(1, 8, dtype=np.float32)


def leaning(*cosines: float) -> Array:
    """Unit vectors with these cosines to the first axis, as unlike one another as that allows."""
    rows = np.zeros((len(cosines), 8), np.float32)
    for at, cosine in enumerate(cosines):
        rows[at, 0] = cosine
        rows[at, 1 + at] = np.sqrt(1 - cosine**2)
    return rows


class Library:
    """Pictures and videos, with concepts by component and a cosine to every phrase."""

    def __init__(self, store: EdgeStore, *, meaning: bool = True) -> None:
        self.store = store
        one, many = ((VectorField(SHARED),), (VectorField(SHARED, multi=True),)) if meaning else ((), ())
        store.ensure(CollectionSchema(Kind.IMAGE, (CONCEPTS, *one)))
        store.ensure(CollectionSchema(Kind.VIDEO, (CONCEPTS, *many)))

    def image(self, name: str, shows: dict[str, float], cosine: float | None = None) -> str:
        return self.add(Kind.IMAGE, name, shows, [] if cosine is None else [cosine])

    def video(self, name: str, cosines: Sequence[float]) -> str:
        return self.add(Kind.VIDEO, name, {}, cosines, moments=tuple(10.0 * n for n in range(len(cosines))))

    def add(self, kind: Kind, name: str, shows: dict[str, float], cosines: Sequence[float], **facts: Any) -> str:
        concepts = np.zeros((1, table().dim), np.float32)
        for word, value in shows.items():
            concepts[0, next(one for one, rare_sense in table().words[(word,)] if not rare_sense)] = value
        vectors = {SPACE: concepts} | ({MEANING: leaning(*cosines)} if len(cosines) else {})
        record = MediaRecord(media_id(name), kind, paths=(f"/x/{name}.jpg",), **facts)
        self.store.upsert(kind.collection, [Point(record.id, vectors, record.to_payload())])
        return record.id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EdgeStore]:
    opened = EdgeStore(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def library(store: EdgeStore) -> Library:
    return Library(store)


def found(library: Library, words: str, encoder: Encoder | None = None, **rest: Any) -> list[str]:
    return [hit.id for hit in search_words(library.store, words, encoder=encoder or Encoder(), **rest).hits]


def likeness(cosine: float) -> float:
    return PROVISIONAL_TEXT.likeness(cosine)


def test_the_higher_of_concept_and_likeness_counts(library: Library) -> None:
    both = library.image("a", {"dalmatian": 0.6}, 0.3)
    shown = library.image("b", {"dalmatian": 0.8}, 0.0)
    alike = library.image("c", {"tabby": 0.9}, 0.23)
    maybe = library.image("d", {}, 0.17)
    library.image("e", {}, 0.1)

    answer = search_words(library.store, "dog", encoder=Encoder())

    assert [hit.id for hit in answer.hits] == [both, alike, shown, maybe]
    assert [hit.score for hit in answer.hits] == pytest.approx(
        [likeness(0.3), likeness(0.23), 0.8, likeness(0.17)], abs=2e-3
    )
    assert [hit.weak for hit in answer.hits] == [False, False, False, True]
    assert (answer.total, answer.weaker, answer.matched_any, answer.at_least) == (3, 1, False, False)
    assert [reason.place for reason in answer.hits[0].reasons] == [MatchPlace.MEANING, MatchPlace.SHOWS]
    [reason] = answer.hits[1].reasons
    assert (reason.word, reason.place, reason.text) == ("dog", MatchPlace.MEANING, "dog")
    assert answer.hits[1].matched == ("dog",)
    assert [reason.place for reason in answer.hits[2].reasons] == [MatchPlace.SHOWS]


def test_the_provisional_curve_is_what_it_says() -> None:
    assert [likeness(cosine) for cosine in (0.15, 0.2, 0.25)] == pytest.approx([0.077, 0.5, 0.923], abs=1e-3)
    assert PROVISIONAL_TEXT.provisional


def test_words_to_leave_out_are_not_asked_and_leave_out_by_what_is_known(library: Library) -> None:
    library.image("a", {"dalmatian": 0.9}, 0.3)
    library.image("dalmatian party", {}, 0.3)
    kept = library.image("c", {"beagle": 0.9}, 0.3)
    encoder = Encoder()

    assert found(library, 'dog on "the beach" -dalmatian', encoder) == [kept]
    assert encoder.asked == ["dog on the beach"]


def test_the_phrase_is_asked_as_it_was_typed(library: Library) -> None:
    """The model of text knows words with typing errors, and names that the tables of concepts do not know."""
    library.image("a", {"dalmatian": 0.9}, 0.3)
    encoder = Encoder()
    answer = search_words(library.store, "a dalmation", encoder=encoder)
    assert [one.instead for one in answer.corrected] == ["dalmatian"]
    found(library, "santa claus with noodles", encoder)
    assert encoder.asked == ["a dalmation", "santa claus with noodles"]


@pytest.mark.parametrize(("cosines", "at_least"), [((0.3, 0.17, 0.1), False), ((0.3, 0.3, 0.3), True)])
def test_what_looks_like_the_words_is_complete_where_the_last_one_asked_hardly_does(
    library: Library, monkeypatch: pytest.MonkeyPatch, cosines: Sequence[float], at_least: bool
) -> None:
    monkeypatch.setattr("search.words.phrase.MOST", 2)
    for n, cosine in enumerate(cosines):
        library.image(f"{n}", {}, cosine)

    assert search_words(library.store, "dog", encoder=Encoder()).at_least == at_least


def test_one_that_looks_like_all_words_holds_them_and_those_that_hold_some_are_weak(library: Library) -> None:
    dog = library.image("a", {"dalmatian": 0.9}, 0.0)
    beach = library.image("b", {}, 0.24)
    assert search_words(library.store, "dog zzyzx").matched_any

    answer = search_words(library.store, "dog zzyzx", encoder=Encoder())

    assert [hit.id for hit in answer.hits] == [beach, dog]
    assert [hit.weak for hit in answer.hits] == [False, True]
    assert (answer.total, answer.weaker, answer.matched_any) == (1, 1, False)
    assert answer.hits[0].matched == ("dog", "zzyzx")
    [reason] = answer.hits[0].reasons
    assert (reason.word, reason.place) == ("dog zzyzx", MatchPlace.MEANING)


def test_a_video_answers_with_its_best_frame_and_its_moment(library: Library) -> None:
    clip = library.video("a", [0.0, 0.05, 0.29, 0.1])
    [hit] = search_words(library.store, "dog", encoder=Encoder()).hits
    assert (hit.id, hit.moment) == (clip, 20.0)


def test_many_key_frames_are_no_free_chances(library: Library) -> None:
    one = library.video("a", [0.21])
    many = library.video("b", [0.21, 0.0, 0.0, 0.0, 0.0, 0.0])

    few, lots = search_words(library.store, "dog", encoder=Encoder()).hits

    assert (few.id, lots.id) == (one, many)
    assert few.score == pytest.approx(likeness(0.21), abs=2e-3)
    assert lots.score < few.score
    again = search_words(library.store, "dog", encoder=Encoder()).hits
    assert [hit.score for hit in again] == [few.score, lots.score], "the effective number is remembered"


def test_a_curve_made_for_this_library_counts_and_leaves_those_of_media_alone(library: Library) -> None:
    library.image("a", {}, 0.3)
    curves, pictures = curves_of(library.store), LikenessCurve(0, 0, 5, 0, Background(0, 0.1), pairs=9)
    words = LikenessCurve(0, 0, 10, -3, Background(0, 0.1), pairs=7)
    curves.save({SHARED.fingerprint: {"image:image": pictures}})
    assert curves.text_curve(SHARED, Kind.IMAGE) == PROVISIONAL_TEXT
    curves.save({SHARED.fingerprint: {"text:image": words}})

    assert curves.text_curve(SHARED, Kind.IMAGE) == curves.text_curve(SHARED, Kind.VIDEO) == words
    assert curves.curve(SHARED, Kind.IMAGE, Kind.VIDEO) == pictures
    [hit] = search_words(library.store, "dog", encoder=Encoder()).hits
    assert hit.score == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    "error",
    [
        ModelError("The weights of open_clip could not be had."),
        WorkersBusyError("Workers listen, but none came."),
        SpaceMismatchError("Another model."),
    ],
)
def test_a_model_that_does_not_answer_is_a_note(library: Library, error: Exception) -> None:
    shown = library.image("a", {"dalmatian": 0.8}, 0.3)

    answer = search_words(library.store, "dog", encoder=Encoder(error))

    assert [hit.id for hit in answer.hits] == [shown]
    assert answer.hits[0].score == pytest.approx(0.8, abs=1e-3)
    assert [str(error) in note for note in answer.notes] == [True]


def test_a_library_without_the_space_asks_nobody(store: EdgeStore) -> None:
    library = Library(store, meaning=False)
    shown = library.image("a", {"dalmatian": 0.8})
    encoder = Encoder()
    assert found(library, "dog", encoder) == [shown]
    assert encoder.asked == []
    assert search_words(store, "dog", encoder=encoder).notes == ()


def test_without_an_encoder_nothing_changes(library: Library) -> None:
    shown = library.image("a", {"dalmatian": 0.8}, 0.3)
    library.image("b", {}, 0.3)
    answer = search_words(library.store, "dog")
    assert [(hit.id, [reason.place for reason in hit.reasons]) for hit in answer.hits] == [(shown, [MatchPlace.SHOWS])]
    assert answer.notes == ()


def test_what_has_no_vector_yet_is_counted_aloud(library: Library) -> None:
    library.image("a", {"dalmatian": 0.8}, 0.3)
    library.image("b", {"dalmatian": 0.8})
    [note] = search_words(library.store, "dog", encoder=Encoder()).notes
    assert note.startswith("1 picture or video has no vector to compare words with")
    assert "reembed --space meaning" in note


def test_conditions_hold_for_what_looks_alike_too(library: Library) -> None:
    library.image("a", {}, 0.3)
    wanted = library.image("b", {}, 0.25)
    assert found(library, "dog", where=Filter(ids=(wanted,))) == [wanted]
    assert found(library, "dog", collections=("videos",)) == []
    assert found(library, "dog", limit=1, offset=1) == [wanted]


def test_words_narrow_an_example_to_what_looks_like_them(library: Library) -> None:
    alike, shown = library.image("a", {}, 0.3), library.image("b", {"dalmatian": 0.9}, 0.0)
    library.image("c", {}, 0.17)
    held = holding(library.store, "dog", encoder=Encoder()).held
    assert held["images"].ids == (alike, shown)
    assert holding(library.store, "", encoder=Encoder()).held == {}
