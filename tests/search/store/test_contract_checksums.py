"""What is stored can be proved: each point has checksums that hold whatever is written, and damage breaks them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.media import FACTS, Kind, MediaRecord
from search.spaces import CollectionSchema, VectorField
from search.store.base import Point
from search.store.checksums import FACTS_KEY, OF_FACTS, Proof, facts_checksum, key_of, prove
from search.store.edge.store import EdgeStore
from search.transfer import Copy, pages

pytestmark = pytest.mark.by_grpc

WHOLE = Proof()
AWKWARD = {
    "latitude": 0.1 + 0.2,
    "exposure": 1 / 3e10,
    "duration": 2.0,
    "features": (0.0, -0.0, None, 1 / 7, 1e-30 / 7, 123456789.123456789),
    "tags": ("日本", "a\ud800b"[:1]),
    "has_sound": True,
}


def proofs(store: Any, collection: str) -> dict[str, Proof]:
    schema = store.schema(collection)
    found = store.scroll(collection, vectors=[*schema.by_name])
    return {point.id: prove(schema, point) for point in found}


@pytest.fixture
def wide(images: CollectionSchema, tagged: CollectionSchema, videos: CollectionSchema) -> CollectionSchema:
    """A space of every form: single and many vectors, as they are, and sparse."""
    many, *others = videos.fields
    frames = replace(many, space=replace(many.space, name="frames"))
    return CollectionSchema(Kind.IMAGE, (*tagged.fields, frames, *others))


@pytest.fixture
def points(store: Any, wide: CollectionSchema, make_image: Any, vectors: Any, weights: Any) -> list[Point]:
    store.ensure(wide)
    made = []
    for n in range(40):
        point = make_image(n, **AWKWARD)
        more = {
            "frames": vectors(3, seed=n),
            "sound": vectors(1, 8, seed=n),
            "sound_raw": vectors(1, 8, seed=n) * np.float32(10.0 ** (n % 30 - 15)),
            "concepts": weights({n % 40: 1 / 3, 7: -2.0}),
        }
        made.append(Point(point.id, {**point.vectors, **(more if n % 2 else {})}, point.payload))
    store.upsert("images", made)
    return made


def test_every_point_is_proved_and_its_payload_shows_no_checksum(store: Any, points: list[Point]) -> None:
    assert set(proofs(store, "images").values()) == {WHOLE}
    assert not [key for point in store.scroll("images") for key in point.payload if key.startswith("checksum")]
    (chosen,) = store.retrieve("images", [points[0].id], payload=("size",))
    assert (chosen.payload, chosen.checksums) == ({"size": 100}, {})


def test_checksums_follow_what_is_written_later(store: Any, points: list[Point], vectors: Any) -> None:
    store.update_vectors("images", {points[1].id: {"visual": vectors(seed=99)}, points[2].id: {"sound": vectors(1, 8)}})
    patch = {"iso": 1 / 3, "camera": "Nikon", "latitude": None, "missing": True, "words": "other"}
    store.patch_payload("images", {point.id: patch for point in points[3:6]})
    assert set(proofs(store, "images").values()) == {WHOLE}
    (patched,) = store.retrieve("images", [points[3].id])
    assert patched.payload["iso"] == pytest.approx(1 / 3, rel=1e-12)
    assert patched.checksums[OF_FACTS] == facts_checksum(patched.payload)


def test_damage_is_found_by_its_name_and_not_sealed_by_a_patch_or_a_copy(
    store: Any, other_store: Any, points: list[Point], wide: CollectionSchema, vectors: Any
) -> None:
    """The checksum is changed here instead of what it is of, which no store lets anybody change alone."""
    wrong = {points[0].id: {key_of("visual"): "0" * 16}, points[1].id: {FACTS_KEY: "0" * 16}}
    lost = {points[2].id: {key_of("sound"): "0" * 16}}
    store.patch_payload("images", {**wrong, **lost})
    store.patch_payload("images", {points[1].id: {"camera": "Nikon"}})
    expected = {points[0].id: Proof(("visual",)), points[1].id: Proof((OF_FACTS,)), points[2].id: Proof(("sound",))}
    assert {id_: proof for id_, proof in proofs(store, "images").items() if proof != WHOLE} == expected

    copy = Copy(store, other_store, "here")
    copy.check()
    list(copy.copy("images"))
    list(copy.compare("images"))
    del expected[points[2].id]  # a vector that is not there is not copied
    assert {id_: proof for id_, proof in proofs(other_store, "images").items() if proof != WHOLE} == expected


def test_a_point_of_a_version_before_is_unproven(store: Any, points: list[Point]) -> None:
    keys = dict.fromkeys([*map(key_of, points[0].vectors), FACTS_KEY])
    store.patch_payload("images", {points[0].id: keys})
    store.patch_payload("images", {points[0].id: {"camera": "Nikon"}})
    assert proofs(store, "images")[points[0].id] == Proof(unproven=("visual", OF_FACTS))


def test_writing_again_what_was_read_changes_nothing(store: Any, points: list[Point]) -> None:
    before = list(pages(store, "images"))
    for page in before:
        store.upsert("images", page)
    for one, other in zip(before, pages(store, "images"), strict=True):
        for was, now in zip(one, other, strict=True):
            assert was.checksums == now.checksums
            assert all(np.array_equal(vector, now.vectors[name]) for name, vector in was.vectors.items())


def test_vectors_come_back_bit_for_bit_after_indexing_and_opening_anew(tmp_path: Any, videos: Any) -> None:
    rng = np.random.default_rng(3)
    schema = CollectionSchema(Kind.IMAGE, tuple(VectorField(field.space) for field in videos.fields))
    store = EdgeStore(tmp_path / "home")
    store.ensure(schema)
    made = []
    for n in range(300):
        record = MediaRecord(f"00000000-0000-0000-0000-{n:012}", Kind.IMAGE, (f"/{n}.jpg",))
        sums = {field.space.name: rng.normal(size=(1, field.space.dim)).astype("f4") for field in schema.fields}
        made.append(Point(record.id, sums, record.to_payload()))
    store.upsert("images", made)
    for _ in range(2):
        assert list(proofs(store, "images").values()) == [WHOLE] * 300
        store.close()
        store = EdgeStore(tmp_path / "home")
    store.close()


def test_facts_are_all_that_neither_ledger_nor_derivation_changes() -> None:
    assert {"paths", "missing", "photographer", "words", "folders", "added"}.isdisjoint(FACTS)
    assert {"id", "kind", "size", "features", "fingerprints", "tags", "thumbnail", "moments"} <= FACTS
