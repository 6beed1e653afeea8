"""Damaged files of an embedded collection: an error that says what is lost and how to go on, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.errors import StoreDamagedError, StoreError
from search.store.checksums import prove
from search.store.edge.store import EdgeStore


@pytest.fixture
def folder(tmp_path: Path, images: Any, make_image: Any) -> Path:
    """A collection of a hundred points that no process has open."""
    store = EdgeStore(tmp_path / "home")
    store.ensure(images)
    store.upsert("images", [make_image(n) for n in range(100)])
    store.close()
    return tmp_path / "home" / "collections" / "images"


def cut(path: Path) -> None:
    path.write_bytes(b"")


DAMAGE: dict[str, Callable[[Path], None]] = {
    "metadata.json": cut,
    "metadata.json ": Path.unlink,
    "metadata.json  ": lambda path: path.write_bytes(b"\xff garbage"),
    "shard-1/edge_config.json": lambda path: path.write_bytes(path.read_bytes()[:50]),
    "shard-1/segments/*/segment.json": Path.unlink,
    "shard-1/segments/*/vector_storage-visual/vectors/status.dat": cut,
    "shard-1/segments/*/payload_storage/bitmask.dat": cut,
}
"""The engine refuses some of these with an exception, and others with a panic."""


@pytest.mark.parametrize("pattern", DAMAGE)
def test_a_collection_that_cannot_be_opened_says_what_is_lost_and_how_to_go_on(folder: Path, pattern: str) -> None:
    (path,) = folder.glob(pattern.strip())
    DAMAGE[pattern](path)
    with pytest.raises(StoreDamagedError, match="records and vectors cannot be read") as caught:
        EdgeStore(folder.parents[1])
    assert str(folder) in caught.value.message
    assert "likewise restore" in caught.value.hint
    assert "likewise ingest" in caught.value.hint
    assert [*folder.glob("shard-1/segments/*/*id_tracker*")]
    folder.rename(folder.parents[1] / "aside")
    store = EdgeStore(folder.parents[1])
    assert store.collections() == {}
    store.close()


def test_vectors_that_cannot_be_read_are_an_error_and_no_panic(folder: Path) -> None:
    (chunk,) = folder.glob("shard-1/segments/*/vector_storage-visual/vectors/chunk_0.mmap")
    cut(chunk)
    store = EdgeStore(folder.parents[1])
    with pytest.raises(StoreError, match=r"failed: .*likewise verify"):
        list(store.scroll("images", vectors=["visual"]))
    store.close()


def test_flipped_bits_of_a_vector_break_its_checksum_and_no_other(folder: Path) -> None:
    (chunk,) = folder.glob("shard-1/segments/*/vector_storage-visual/vectors/chunk_0.mmap")
    with chunk.open("r+b") as file:
        file.seek(16 * 4 * 3 + 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    store = EdgeStore(folder.parents[1])
    schema = store.schema("images")
    proofs = [prove(schema, point) for point in store.scroll("images", vectors=["visual"])]
    assert [proof.damaged for proof in proofs if proof.damaged] == [("visual",)]
    store.close()


def test_damaged_generations_are_named(folder: Path) -> None:
    (folder.parent / "generations.json").write_text("{")
    with pytest.raises(StoreDamagedError, match=r"generations\.json.*which generation.*Write it anew"):
        EdgeStore(folder.parents[1])
