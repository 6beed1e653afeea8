"""Sounds and voices: both at once answer, each alone by name; a film leads on by the sound of the moment it shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.media import Kind, MediaRecord, media_id
from search.records.sound_rows import as_runs
from search.similar.find import find_similar
from search.similar.near import principal_space
from search.similar.questions import Probe, Question, SimilarHit
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Array, Point
from search.store.server.store import ServerStore

SPACES = {name: Space(name, "hand", "1", "none", 4) for name in ("visual", "sound", "voice", "sound_voice")}
HEARD = tuple(VectorField(SPACES[name], multi=True) for name in ("sound", "voice", "sound_voice"))
X, Y, Z, W = (np.eye(4, dtype=np.float32)[at : at + 1] for at in range(4))


@pytest.fixture
def store() -> Iterator[ServerStore]:
    made = ServerStore(QdrantClient(":memory:"))
    made.ensure(CollectionSchema(Kind.VIDEO, (VectorField(SPACES["visual"], multi=True), *HEARD)))
    made.ensure(CollectionSchema(Kind.AUDIO, HEARD))
    yield made
    made.close()


def add(store: ServerStore, kind: Kind, name: str, vectors: dict[str, Array], moments: tuple[float, ...] = ()) -> str:
    begins = 10.0 * np.arange(len(vectors["sound"]))
    spans = np.stack([begins, begins + 10], axis=1)
    record = MediaRecord(media_id(name), kind, (f"/{name}",), moments=moments, sound_runs=as_runs(spans))
    store.upsert(kind.collection, [Point(record.id, vectors, record.to_payload())])
    return record.id


def ask(store: ServerStore, like: str | Probe, *spaces: str) -> list[SimilarHit]:
    return list(find_similar(store, Question(like=(like,), collections=("audio",), spaces=spaces)).hits)


def test_both_at_once_answer_and_each_alone_by_name(store: ServerStore) -> None:
    asked = add(store, Kind.AUDIO, "asked", {"sound": X, "voice": X, "sound_voice": X})
    both = add(store, Kind.AUDIO, "both", {"sound": Y, "voice": Y, "sound_voice": X})
    speaker = add(store, Kind.AUDIO, "speaker", {"sound": Y, "voice": X, "sound_voice": Y})
    noise = add(store, Kind.AUDIO, "noise", {"sound": X, "sound_voice": Z})

    first = [ask(store, asked, *named)[0] for named in ((), ("voice",), ("sound",))]
    assert [(hit.id, hit.space) for hit in first] == [(both, "sound_voice"), (speaker, "voice"), (noise, "sound")]
    assert {hit.space for hit in ask(store, asked)} == {"sound_voice"}
    assert noise not in {hit.id for hit in ask(store, asked, "voice")}, "nobody speaks"


def test_what_stands_for_sounds_is_both_at_once_where_that_is_held(store: ServerStore) -> None:
    assert principal_space(store.schema("audio")) == "sound_voice"
    assert principal_space(CollectionSchema(Kind.AUDIO, HEARD[:1])) == "sound"
    assert principal_space(store.schema("videos")) == "visual"


def test_a_photo_reaches_the_sound_of_the_moment_that_it_shows(store: ServerStore) -> None:
    rows = np.concatenate([X, Y, Z])
    film = {"visual": np.concatenate([X, W, Z]), "sound": rows, "voice": rows[:1], "sound_voice": rows}
    add(store, Kind.VIDEO, "film", film, moments=(1.0, 12.0, 25.0))
    add(store, Kind.AUDIO, "elsewhere", {"sound": X, "sound_voice": X})
    there = add(store, Kind.AUDIO, "there", {"sound": Y, "sound_voice": Y})
    photo = Probe(Kind.IMAGE, {"visual": W}, {"visual": SPACES["visual"].fingerprint})

    hits = ask(store, photo)
    assert (hits[0].id, hits[0].score) == (there, pytest.approx(1))
    assert hits[0].via is not None
    assert hits[0].via.moment == 12.0
    assert all(hit.score < 0.5 for hit in hits[1:])
    assert ask(store, photo, "sound")[0].space == "sound"
