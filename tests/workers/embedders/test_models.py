"""All models of a process together, with real weights where there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from search.errors import ModelError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import APPEARANCE, MODELS, STYLE
from search.settings import Settings
from workers.decode.decoded import MOVEMENT_NUMBERS, Decoded, MediaFacts
from workers.decode.image.geometry import crop
from workers.decode.sound import Sound
from workers.embedders.image.openclip import openclip_image_network, tokenizer_of
from workers.embedders.models import Models
from workers.embedders.networks import Runner
from workers.embedders.video.flow import flow_embedder
from workers.embedders.video.frames import pool_frames
from workers.embedders.video.r3d import r3d18_network

FALLBACK = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0")
CONCEPTS = schemas_of(FALLBACK)[0].by_name["concepts"].space.dim
RNG = np.random.default_rng(11)


@pytest.fixture
def models(make_settings: Callable[..., Settings]) -> Models:
    return Models(make_settings(batch_size=4), FALLBACK)


def picture(seed: int = 0) -> Decoded:
    crops, whole = np.random.default_rng(seed).integers(0, 256, (2, 1, 224, 224, 3), dtype=np.uint8)
    return Decoded(Kind.IMAGE, "image/png", MediaFacts(), crops, whole=whole)


def video(frames: int, sound: np.ndarray | None = None) -> Decoded:
    crops, whole = RNG.integers(0, 256, (2, frames, 224, 224, 3), dtype=np.uint8)
    times = tuple(float(n) for n in range(frames))
    track = None if sound is None else Sound.of(sound)
    return Decoded(Kind.VIDEO, "video/mp4", MediaFacts(), crops, times, whole=whole, sound=track)


def noise(samples: int = 8000) -> np.ndarray:
    return (RNG.normal(size=samples) * 0.1).astype(np.float32)


def test_a_style_that_cannot_be_had_stops_before_the_first_file(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ModelError("The weights of the style encoder cannot be read.")

    monkeypatch.setattr("workers.embedders.style.network.shipped_encoder", refuse)
    with pytest.raises(ModelError, match="style encoder"):
        models.load()


def test_every_item_gets_its_own_vectors_in_order(models: Models) -> None:
    clip = video(5, noise())
    heard = Decoded(Kind.AUDIO, "audio/wav", MediaFacts(), sound=Sound.of(noise()))
    items = [picture(1), clip, heard, picture(2)]
    one, moving, sounding, two = models.embed(items)

    assert {name: rows.shape for name, rows in one.vectors.items()} == {
        "visual": (1, 1280),
        "style": (1, STYLE.dim),
        "appearance": (1, APPEARANCE.dim),
        "concepts": (1, CONCEPTS),
    }
    assert {name: rows.shape for name, rows in moving.vectors.items()} == {
        "visual": (5, 1280),
        "style": (5, STYLE.dim),
        "concepts": (1, CONCEPTS),
        "motion": (1, 2560),
        "sound": (1, 256),
    }
    assert set(sounding.vectors) == {"sound"}
    np.testing.assert_allclose(sounding.spans, [[0, 0.5]])
    assert one.spans.shape == (0, 2)
    assert sounding.tags == ()
    (whole,) = models.embed([replace(clip, crops=clip.whole)])
    np.testing.assert_allclose(moving.vectors["motion"], pool_frames(whole.vectors["visual"]), atol=1e-5)
    for item, embedded in ((items[0], one), (items[3], two), (clip, moving)):
        (alone,) = models.embed([item])
        np.testing.assert_allclose(embedded.vectors["visual"], alone.vectors["visual"], atol=1e-5)
        np.testing.assert_allclose(embedded.vectors["style"], alone.vectors["style"], atol=1e-5)
        np.testing.assert_allclose(embedded.vectors["concepts"], alone.vectors["concepts"], atol=1e-4)
    assert len(moving.concept_frames) == np.count_nonzero(moving.vectors["concepts"]) > 0
    assert set(moving.concept_frames) <= set(range(5))
    assert one.concept_frames == sounding.concept_frames == ()


def test_concepts_are_those_of_each_items_own_probabilities_and_pixels(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[np.ndarray, np.ndarray]] = []

    def told(probabilities: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        given.append((probabilities, whole))
        return np.zeros((1, CONCEPTS), np.float32), (7,)

    monkeypatch.setattr("workers.embedders.models.concept_vector", told)
    clip, still = video(3), picture(4)
    first, second = models.embed([clip, still])
    assert (first.concept_frames, second.concept_frames) == ((7,), (7,))
    assert [rows.shape for rows, _ in given] == [(3, 1000), (1, 1000)]
    for (rows, whole), item in zip(given, (clip, still), strict=True):
        assert whole is item.whole
        np.testing.assert_allclose(rows, models._image(item.crops)[1], atol=1e-5)


def test_a_choice_without_concepts_makes_none(make_settings: Callable[..., Settings]) -> None:
    (one,) = Models(make_settings(), replace(FALLBACK, style=False, concepts=False)).embed([picture()])
    assert one.vectors.keys() == {"visual", "appearance"}


def test_style_and_appearance_are_of_what_lies_within_the_borders(models: Models) -> None:
    framed, inner = picture(3), picture(4)
    assert inner.whole is not None
    cut, uncut, alone = models.embed([replace(framed, inner=inner.whole), framed, inner])
    for name in ("style", "appearance"):
        np.testing.assert_array_equal(cut.vectors[name], alone.vectors[name])
        assert not np.allclose(cut.vectors[name], uncut.vectors[name])
    for name in ("visual", "concepts"):
        np.testing.assert_allclose(cut.vectors[name], uncut.vectors[name], atol=1e-4)


def test_vectors_fit_the_schemas(models: Models) -> None:
    schemas = {schema.kind: schema for schema in models.schemas}
    for item, embedded in zip(items := [picture(), video(2, noise())], models.embed(items), strict=True):
        for name, rows in embedded.vectors.items():
            field = schemas[item.kind].by_name[name]
            assert rows.dtype == np.float32
            assert rows.shape[1] == field.space.dim
            assert field.multi or len(rows) == 1


def test_silence_is_not_compared(models: Models) -> None:
    silence = np.zeros(8000, np.float32)
    track, file = models.embed([video(1, silence), Decoded(Kind.AUDIO, "", MediaFacts(), sound=Sound.of(silence))])
    assert "sound" not in track.vectors
    assert not file.vectors


@pytest.fixture
def meaning_models(
    make_settings: Callable[..., Settings], tiny_clip: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Models:
    """With a small open_clip model of seeded weights."""
    monkeypatch.setattr("search.model_descriptions.registry.MODELS", (*MODELS[:-1], tiny_clip.MODEL))
    choice = replace(FALLBACK, style=False, concepts=False, text="open_clip")
    return Models(make_settings(), choice, states={"open_clip": tiny_clip.state()})


def test_meaning_is_made_of_the_crops_of_pictures_and_of_every_key_frame(
    meaning_models: Models, tiny_clip: ModuleType
) -> None:
    meaning_models.load()
    still, clip = picture(1), video(3)
    heard = Decoded(Kind.AUDIO, "audio/wav", MediaFacts(), sound=Sound.of(noise()))
    one, nothing, moving = meaning_models.embed([still, heard, clip])

    assert nothing.vectors.keys() == {"sound"}
    network = openclip_image_network(tiny_clip.state(), tiny_clip.MODEL)
    (expected,) = Runner(network, torch.device("cpu"), 4)(np.concatenate([still.crops, clip.crops]))
    np.testing.assert_allclose(one.vectors["meaning"], expected[:1], atol=1e-5)
    np.testing.assert_allclose(moving.vectors["meaning"], expected[1:], atol=1e-5)
    images, videos, _ = meaning_models.schemas
    assert images.space("meaning") == videos.space("meaning") == tiny_clip.MODEL.space("meaning")


def test_words_are_embedded_into_the_space_of_the_pictures(meaning_models: Models, tiny_clip: ModuleType) -> None:
    words, other = meaning_models.text("a dog on the beach"), meaning_models.text("a cat")
    clip = tiny_clip.reference()
    clip.load_state_dict(tiny_clip.state())
    with torch.inference_mode():
        expected = clip.encode_text(tokenizer_of(tiny_clip.MODEL)(["a dog on the beach"]), normalize=True).numpy()
    assert (words.shape, words.dtype) == ((1, 16), np.float32)
    np.testing.assert_allclose(words, expected, atol=1e-5)
    assert np.abs(words - other).max() > 1e-3


def test_without_a_model_of_words_none_are_embedded_and_nothing_is_imported(models: Models) -> None:
    with pytest.raises(ModelError, match=r"No model embeds words.*LIKEWISE_TEXT_MODEL"):
        models.text("dog")


def test_a_model_of_words_of_a_version_to_come_is_an_error_in_words(make_settings: Callable[..., Settings]) -> None:
    models = Models(make_settings(), replace(FALLBACK, style=False, text="of a version to come"))
    with pytest.raises(ModelError, match=r"does not know the model of words 'of a version to come'"):
        models.load()
    assert models.schemas == schemas_of(replace(FALLBACK, style=False))


def test_nothing_in_nothing_out(models: Models) -> None:
    assert models.embed([]) == []
    (empty,) = models.embed([Decoded(Kind.VIDEO, "video/mp4", MediaFacts())])
    assert empty.vectors == {}


def test_clips_are_averaged_before_they_are_normalised(make_settings: Callable[..., Settings]) -> None:
    from torchvision.models.video import r3d_18  # takes seconds

    torch.manual_seed(4)
    state = r3d_18(weights=None).state_dict()
    models = Models(make_settings(), ModelChoice("efficientnet_lite0", "r3d18"), states={"r3d18": state})
    assert models.needs_clips
    clips = RNG.integers(0, 256, (3, 16, 112, 112, 3), dtype=np.uint8)
    (activations,) = Runner(r3d18_network(state), torch.device("cpu"), 4)(clips)

    crops = picture().crops
    moving = Decoded(Kind.VIDEO, "", MediaFacts(), crops, (0.0,), clips=clips[1:])
    single = Decoded(Kind.VIDEO, "", MediaFacts(), crops, (0.0,), clips=clips[:1])
    still = Decoded(Kind.VIDEO, "", MediaFacts(), crops, (0.0,))
    first, none, second = models.embed([moving, still, single])

    assert "motion" not in none.vectors
    for embedded, rows in ((first, activations[1:]), (second, activations[:1])):
        mean = rows.mean(axis=0)
        np.testing.assert_allclose(embedded.vectors["motion"][0], mean / np.linalg.norm(mean), atol=1e-5)


def test_how_films_move_stands_beside_what_they_show(
    make_settings: Callable[..., Settings], models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    flowing = Models(make_settings(batch_size=4), ModelChoice("efficientnet_lite0", "flow"))
    numbers = RNG.normal(size=MOVEMENT_NUMBERS).astype(np.float32)
    still = video(3)
    moving = replace(still, movement=numbers)
    first, none = flowing.embed([moving, still])
    (pooled,) = models.embed([still])

    np.testing.assert_allclose(first.vectors["motion"], flow_embedder().embed(numbers))
    assert first.vectors["motion"].shape == (1, MOVEMENT_NUMBERS)
    assert np.linalg.norm(first.vectors["motion"]) == pytest.approx(1.0)
    assert "motion" not in none.vectors
    for embedded in (first, none):
        np.testing.assert_allclose(embedded.vectors["scene"], pooled.vectors["motion"], atol=1e-5)
    monkeypatch.setattr("workers.embedders.models.TOGETHER", 4)  # of long films each is embedded by itself
    again = flowing.embed([moving, still])
    assert [one.vectors.keys() for one in again] == [first.vectors.keys(), none.vectors.keys()]
    np.testing.assert_allclose(again[0].vectors["visual"], first.vectors["visual"], atol=1e-5)


def test_tags_name_what_pictures_show(models: Models, shared_data: Path) -> None:
    expected = {
        "cougar_face": "cougar",
        "dalmatian": "dalmatian",
        "grand_piano": "grand piano",
        "soccer_ball": "soccer ball",
    }
    for name, tag in expected.items():
        paths = sorted((shared_data / "images_caltech101" / name).glob("*.jpg"))[:4]
        items = [
            Decoded(Kind.IMAGE, "image/jpeg", MediaFacts(), crop(Image.open(path).convert("RGB"))[None])
            for path in paths
        ]
        tags = [embedded.tags for embedded in models.embed(items)]
        assert all(len(each) <= 5 for each in tags)
        assert sum(tag in each for each in tags) >= len(tags) / 2, (name, tags)
