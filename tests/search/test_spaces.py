from __future__ import annotations

from dataclasses import fields, replace

import pytest

from search.errors import SpaceMismatchError
from search.media import Kind
from search.spaces import SPARSE_COMPONENTS, CollectionSchema, Distance, Space, VectorField

RESNET = Space("visual", "resnet18", "V1", "resize 256, crop 224", 512)
R3D = Space("visual", "r3d18", "V1", "resize 128x171, crop 112", 512)
SCHEMA = CollectionSchema(Kind.IMAGE, (VectorField(RESNET),))


def test_equal_size_is_not_equal_space() -> None:
    assert RESNET.dim == R3D.dim
    assert RESNET.fingerprint != R3D.fingerprint


@pytest.mark.parametrize("name", [f.name for f in fields(Space)])
def test_every_field_is_part_of_the_fingerprint(name: str) -> None:
    other = {"dim": 513, "distance": Distance.DOT}.get(name, "changed")
    assert replace(RESNET, **{name: other}).fingerprint != RESNET.fingerprint


def test_the_fingerprint_never_changes_between_versions() -> None:
    """Every collection on disk carries it."""
    assert RESNET.fingerprint == "e2df57c9fa4cf172"


def test_a_mismatch_names_both_sides() -> None:
    with pytest.raises(SpaceMismatchError) as caught:
        SCHEMA.require(R3D)
    assert "resnet18" in str(caught.value)
    assert "r3d18" in str(caught.value)
    assert "images" in str(caught.value)
    assert caught.value.hint


def test_a_mismatch_of_preprocessing_alone_says_so() -> None:
    with pytest.raises(SpaceMismatchError, match=r"crop 224\).*crop 240\)"):
        SCHEMA.require(replace(RESNET, preprocessing="resize 256, crop 240"))


def test_a_space_that_is_not_there() -> None:
    with pytest.raises(SpaceMismatchError, match="no space 'sound'"):
        SCHEMA.require(replace(RESNET, name="sound"))
    assert SCHEMA.space("sound") is None
    assert SCHEMA.require(RESNET).space == RESNET


def test_schema_there_and_back() -> None:
    schema = CollectionSchema(
        Kind.VIDEO,
        (
            VectorField(RESNET, multi=True),
            VectorField(Space("sound_raw", "m", "1", "p", 4, Distance.DOT), indexed=False),
        ),
    )
    assert CollectionSchema.from_json(schema.to_json()) == schema


CONCEPTS = replace(RESNET, name="concepts", dim=1871, distance=Distance.DOT)


def test_sparse_fields_there_and_back_and_from_before_there_were_any() -> None:
    schema = CollectionSchema(Kind.IMAGE, (VectorField(RESNET), VectorField(CONCEPTS, sparse=True)))
    data = schema.to_json()
    assert CollectionSchema.from_json(data) == schema
    entries = data["fields"]
    assert isinstance(entries, list)
    for entry in entries:
        del entry["sparse"]
    assert [field.sparse for field in CollectionSchema.from_json(data).fields] == [False, False]


def test_a_schema_of_version_0_1_is_read_and_one_of_a_later_version_refused() -> None:
    data = SCHEMA.to_json()
    assert CollectionSchema.from_json({key: data[key] for key in ("kind", "fields")}) == SCHEMA
    with pytest.raises(SpaceMismatchError, match="layout 2"):
        CollectionSchema.from_json(data | {"layout": 2})


def test_what_no_sparse_field_can_be() -> None:
    with pytest.raises(ValueError, match="'visual'"):
        VectorField(RESNET, sparse=True)
    with pytest.raises(ValueError, match="'concepts'"):
        VectorField(CONCEPTS, sparse=True, multi=True)


def test_room_for_a_vector() -> None:
    assert VectorField(RESNET).numbers == 512
    assert VectorField(CONCEPTS, sparse=True).numbers == 2 * SPARSE_COMPONENTS
    assert VectorField(replace(CONCEPTS, dim=8), sparse=True).numbers == 8


def test_edited_metadata_is_found_out() -> None:
    data = SCHEMA.to_json()
    entries = data["fields"]
    assert isinstance(entries, list)
    entries[0]["space"]["model"] = "r3d18"
    with pytest.raises(SpaceMismatchError, match="fingerprint"):
        CollectionSchema.from_json(data)
