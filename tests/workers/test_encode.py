"""Encoding a file as an example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from search.errors import CorruptMediaError, SpaceMismatchError, UnreadableFileError, UnsupportedMediaError
from search.media import Kind, media_id
from search.settings import Settings
from search.similar.shots import Shot
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Store
from workers.batch.encode import ExampleEncoder
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, FileRef
from workers.decode.decoded import Decoded, MediaFacts

MakeFile = Callable[..., FileRef]


@pytest.fixture
def encoder(settings: Settings, pool: Any, models: Any) -> ExampleEncoder:
    return ExampleEncoder(settings, pool, models)


def test_a_probe_has_the_vectors_its_stored_self_would_have(
    encoder: ExampleEncoder, settings: Settings, store: Store, pool: Any, models: Any, make_file: MakeFile
) -> None:
    files = tuple(make_file(f"{number}.mp4") for number in range(6))
    BatchProcessor(settings, store, pool, models).process(Batch("b", "j", Kind.VIDEO, files))
    probe = encoder.probe(files[2].path, name="upload.mp4")
    (point,) = store.retrieve("videos", [str(probe.media_id)], vectors=("visual", "motion", "sound"))
    assert set(probe.vectors) == {"visual", "motion", "sound"}
    for space, rows in point.vectors.items():
        np.testing.assert_allclose(probe.vectors[space], rows, atol=1e-5)
    assert probe.media_id == media_id(files[2].sha256)
    assert probe.kind is Kind.VIDEO
    assert probe.moments == (0.0, 1.0)
    assert probe.duration == 2.0
    assert probe.name == "upload.mp4"
    schema = store.schema("videos")
    assert probe.spaces == {name: schema.by_name[name].space.fingerprint for name in probe.vectors}


def test_a_probe_of_a_picture_tells_when_and_with_what_it_was_taken(
    settings: Settings, models: Any, make_file: MakeFile
) -> None:
    facts = MediaFacts(width=6, height=4, taken_at="2024-05-06T10:20:30", camera="Acme", exposure=0.01, iso=100.0)
    crops = np.zeros((1, 224, 224, 3), np.uint8)
    decoded = Decoded(Kind.IMAGE, "image/jpeg", facts, crops, pixel_hash="ab" * 32, preview=b"webp")
    pool = SimpleNamespace(submit=lambda path: SimpleNamespace(result=lambda: decoded))
    probe = ExampleEncoder(settings, pool, models).probe(make_file("a.jpg").path)
    assert probe.shot == Shot(6, 4, "2024-05-06T10:20:30", "Acme", 0.01, 100.0, "ab" * 32, b"webp")


def test_a_sound_can_be_encoded_before_any_is_stored(encoder: ExampleEncoder, make_file: MakeFile) -> None:
    probe = encoder.probe(make_file("a.wav").path)
    assert probe.vectors.keys() == probe.spaces.keys() == {"sound"}
    assert np.linalg.norm(probe.vectors["sound"]) == pytest.approx(1, abs=1e-5)
    assert probe.name == "a.wav"


def test_words_become_a_vector_of_the_space_that_is_stored(settings: Settings, pool: Any) -> None:
    meaning = Space("meaning", "fake", "1", "none", 2)
    models = SimpleNamespace(
        schemas=(CollectionSchema(Kind.IMAGE, (VectorField(meaning),)),),
        text=lambda words: np.array([[len(words), 0]], np.float32),
    )
    encoder = ExampleEncoder(settings, pool, models)
    np.testing.assert_array_equal(encoder.text("dog", meaning), [[3, 0]])
    with pytest.raises(SpaceMismatchError, match=r"embedded with meaning = fake@1.*reembed --space meaning"):
        encoder.text("dog", replace(meaning, revision="2"))


def test_files_that_cannot_be_used_say_why(
    encoder: ExampleEncoder, pool: Any, make_file: MakeFile, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFileError, match=r"absent\.jpg"):
        encoder.probe(str(tmp_path / "absent.jpg"))
    pool.errors = {"a.jpg": CorruptMediaError("'a.jpg' is broken.")}
    with pytest.raises(CorruptMediaError, match="broken"):
        encoder.probe(make_file("a.jpg").path)
    with pytest.raises(UnsupportedMediaError, match="nothing to compare"):
        encoder.probe(make_file("a.nothing").path)


def test_networks_are_loaded_while_a_picture_is_decoded(
    settings: Settings, pool: Any, models: Any, make_file: MakeFile
) -> None:
    """The first example waits for the slower of both, not for their sum; a sound waits for no network of pictures."""
    steps: list[str] = []

    def submit(path: str) -> Any:
        steps.append("decoding")
        future = pool.submit(path)
        return SimpleNamespace(result=lambda: (steps.append("decoded"), future.result())[1])

    models.load = lambda: steps.append("loading")
    encoder = ExampleEncoder(settings, SimpleNamespace(submit=submit), models)
    encoder.probe(make_file("a.jpg").path)
    encoder.probe(make_file("a.wav").path)
    assert steps == ["decoding", "loading", "decoded", "decoding", "decoded"]
