"""The moment of a recording at which a hit matches, and questions by a part of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.errors import UsageError
from search.media import Kind, MediaRecord, media_id
from search.records.lookup import probe_of
from search.records.sound_rows import as_runs
from search.similar.find import find_similar
from search.similar.moments import TimedRows, best_span, part_of
from search.similar.questions import Probe, Question, Relation
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point, Store
from search.store.server.store import ServerStore

VISUAL, SOUND, VOICE = (Space(name, "hand", "1", "none", 16) for name in ("visual", "sound", "voice"))
HEARD = (VectorField(SOUND, multi=True), VectorField(VOICE, multi=True))
SCHEMAS = (
    CollectionSchema(Kind.VIDEO, (VectorField(VISUAL, multi=True), *HEARD)),
    CollectionSchema(Kind.AUDIO, HEARD),
)
UNITS = np.eye(16, dtype=np.float32)


def spans(count: int, start: float = 0.0) -> np.ndarray:
    begins = start + 10.0 * np.arange(count)
    return np.stack([begins, begins + 10.0], axis=1).astype(np.float32)


@pytest.fixture
def store() -> Iterator[Store]:
    made = ServerStore(QdrantClient(":memory:"))
    for schema in SCHEMAS:
        made.ensure(schema)
    yield made
    made.close()


def recording(
    store: Store, name: str, notes: Sequence[int], kind: Kind = Kind.AUDIO, silent: float = 0.0, **more: object
) -> str:
    """A recording of segments of 10 s that sound like these notes, behind so much silence."""
    runs = as_runs(spans(len(notes), silent))
    facts = {"duration": silent + 10.0 * len(notes), "sound_runs": runs} | more
    record = MediaRecord(media_id(name), kind, (f"/{name}",), has_sound=True, **facts)
    vectors = {"sound": UNITS[list(notes)]}
    if record.voice_runs:
        vectors["voice"] = UNITS[[10, 11][: sum(record.voice_runs[1::2])]]
    if kind is Kind.VIDEO:
        vectors["visual"] = UNITS[12 : 12 + len(record.moments)]
    store.upsert(kind.collection, [Point(record.id, vectors, record.to_payload())])
    return record.id


def example(notes: Sequence[int]) -> Probe:
    runs = as_runs(spans(len(notes)))
    return Probe(Kind.AUDIO, {"sound": UNITS[list(notes)]}, {"sound": SOUND.fingerprint}, sound_runs=runs)


@pytest.mark.parametrize("kind", [Kind.AUDIO, Kind.VIDEO])
def test_a_hit_by_its_sound_says_from_when_to_when_it_matches(store: Store, kind: Kind) -> None:
    film = {"moments": (0.0, 30.0)} if kind is Kind.VIDEO else {}
    recording(store, "long", [0, 1, 2, 3, 4, 5], kind, silent=25.0, **film)
    hit = find_similar(store, Question((example([2]),))).hits[0]
    assert (hit.kind, hit.space, hit.moment, hit.span) == (kind, "sound", 45.0, (45.0, 55.0))
    hit = find_similar(store, Question((example([8, 2, 3, 4]),))).hits[0]
    assert (hit.moment, hit.span) == (45.0, (45.0, 75.0))


def test_what_an_older_version_embedded_has_no_moment(store: Store) -> None:
    record = MediaRecord(media_id("old"), Kind.AUDIO, ("/old",), duration=60.0)
    store.upsert("audio", [Point(record.id, {"sound": UNITS[:1]}, record.to_payload())])
    hit = find_similar(store, Question((example([0]),))).hits[0]
    assert (hit.moment, hit.span) == (None, None)


def test_the_moment_of_a_voice_is_that_of_its_own_row(store: Store) -> None:
    recording(store, "talk", [0, 1, 2, 3], voice_runs=(1, 1, 3, 1))
    asked = Probe(Kind.AUDIO, {"voice": UNITS[11:12]}, {"voice": VOICE.fingerprint})
    hit = find_similar(store, Question((asked,), spaces=("voice",))).hits[0]
    assert hit.span == (30.0, 40.0)


def test_a_match_ends_at_a_silence_and_where_the_likeness_does() -> None:
    notes = UNITS[[0, 1, 2, 3]]
    held, apart = TimedRows(notes, spans(4)), np.concatenate([spans(2), spans(2, 60.0)])
    assert best_span(held, [TimedRows(notes, spans(4))]) == (0.0, 40.0)
    assert best_span(held, [TimedRows(UNITS[[0, 9, 2, 3]], spans(4))]) == (0.0, 10.0)
    assert best_span(TimedRows(notes, apart), [TimedRows(notes, spans(4))]) == (0.0, 20.0)
    assert best_span(held, [TimedRows(notes, apart)]) == (0.0, 20.0)
    assert best_span(held, [TimedRows(notes, spans(0))]) == (0.0, 40.0), "times of the example are not known"
    assert best_span(held, [TimedRows(UNITS[[7]], spans(1)), TimedRows(UNITS[[2]], spans(1))]) == (20.0, 30.0)


def test_an_excerpt_lies_between_the_segments_that_it_is_like() -> None:
    held = TimedRows(UNITS[:8], spans(8))
    for share, start in ((0.0, 30.0), (0.25, 32.5), (0.5, 35.0), (0.75, 37.5)):
        excerpt = (1 - share) * UNITS[3:4] + share * UNITS[4:5]
        found = best_span(held, [TimedRows(excerpt, spans(1))])
        assert found == pytest.approx((start, start + 10.0), abs=0.1)
    early = best_span(held, [TimedRows(UNITS[:1], np.array([[0.0, 14.0]]))])
    assert early == (0.0, 12.0), "nothing begins before the recording"
    brief = best_span(held, [TimedRows(UNITS[3:4], np.array([[0.0, 1.0]]))])
    assert brief == (30.0, 40.0), "where in the segment is not known"


def test_a_part_of_a_recording_asks_by_its_own_segments(store: Store) -> None:
    long = recording(store, "long", [0, 1, 2, 3, 4, 5])
    recording(store, "like its end", [9, 9, 5])
    recording(store, "like its start", [0, 9, 9])
    recording(store, "else", [8])
    found = find_similar(store, Question((long,), part=(50.0, 60.0), limit=1))
    assert found.hits[0].paths == ("/like its end",)
    assert found.hits[0].span == (20.0, 30.0)
    assert found.hits[0].relation is Relation.SIMILAR
    assert found.query["part"] == [50.0, 60.0]
    found = find_similar(store, Question((long,), part=(0.0, 9.0), limit=1))
    assert found.hits[0].paths == ("/like its start",)


def test_a_part_of_a_film_asks_by_its_own_key_frames(store: Store) -> None:
    film = recording(store, "film", [0, 1, 2], Kind.VIDEO, moments=(1.0, 12.0, 25.0), voice_runs=(1, 2))
    whole = probe_of(store, film)
    part = part_of(whole, 10.0, 20.0)
    np.testing.assert_array_equal(part.vectors["visual"], whole.vectors["visual"][1:2])
    np.testing.assert_array_equal(part.vectors["sound"], whole.vectors["sound"][1:2])
    np.testing.assert_array_equal(part.vectors["voice"], whole.vectors["voice"][:1])
    assert (part.moments, part.sound_runs, part.voice_runs) == ((12.0,), (10.0, 0.0, 10.0, 1.0), (0, 1))
    assert part_of(whole, 5.0, 7.0).moments == (1.0,), "the nearest"
    assert part_of(whole, 0.0, float("inf")).vectors.keys() == whole.vectors.keys()


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ((70.0, 80.0), "ends after 60.0 s"),
        ((20.0, 10.0), "cannot go from"),
        ((-1.0, 10.0), "cannot go from"),
        ((float("nan"), 10.0), "cannot go from"),
        ((0.0, 4.0), "it is silent there"),
    ],
)
def test_parts_that_are_none(store: Store, part: tuple[float, float], why: str) -> None:
    late = recording(store, "late", [0, 1], silent=40.0)
    with pytest.raises(UsageError, match=why):
        find_similar(store, Question((late,), part=part))


def test_only_one_example_has_a_part(store: Store) -> None:
    ids = tuple(recording(store, name, [0]) for name in ("a", "b"))
    with pytest.raises(UsageError, match="one example only"):
        find_similar(store, Question(ids, part=(0.0, 5.0)))
    old = MediaRecord(media_id("old"), Kind.AUDIO, ("/old",), duration=60.0)
    store.upsert("audio", [Point(old.id, {"sound": UNITS[:1]}, old.to_payload())])
    with pytest.raises(UsageError, match="No times are known"):
        find_similar(store, Question((old.id,), part=(0.0, 5.0)))
