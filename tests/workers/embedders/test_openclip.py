"""Golden vectors: both towers against open_clip's own transforms and forward pass, same weights.

Each test imports what it compares with: open_clip and torchvision take seconds, and every process of a run imports
modules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from search.errors import ModelError
from search.model_descriptions import text
from search.model_descriptions.text import OPEN_CLIP
from search.spaces import MEANING, Distance
from workers.embedders import hub
from workers.embedders.image.openclip import (
    TextEmbedder,
    openclip_image_network,
    openclip_text_network,
    tokenizer_of,
)
from workers.embedders.networks import Runner

CPU = torch.device("cpu")
TEXTS = [
    "a dog on the beach",
    "Ein Hund am Strand",
    "кот",
    "hot air balloon " * 60,
    "🐈",
]


@pytest.fixture
def embedder(tiny_clip: ModuleType) -> TextEmbedder:
    runner = Runner(openclip_text_network(tiny_clip.state(), tiny_clip.MODEL), CPU, 2, "tiny")
    return TextEmbedder(runner, tokenizer_of(tiny_clip.MODEL))


def loaded_reference(tiny_clip: ModuleType) -> torch.nn.Module:
    clip = tiny_clip.reference()
    clip.load_state_dict(tiny_clip.state())
    return clip


def crops() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


def test_pictures_get_the_vectors_of_open_clip(tiny_clip: ModuleType) -> None:
    from torchvision import transforms

    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize(OPEN_CLIP.mean, OPEN_CLIP.std)])
    prepared = torch.stack([prepare(Image.fromarray(crop)) for crop in crops()])
    with torch.inference_mode():
        expected = loaded_reference(tiny_clip).encode_image(prepared, normalize=True).numpy()

    (vectors,) = Runner(openclip_image_network(tiny_clip.state(), tiny_clip.MODEL), CPU, 2)(crops())

    assert vectors.dtype == np.float32
    assert vectors.shape == (5, 16)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.abs(vectors - vectors[0]).max(axis=1)[1:].min() > 1e-3, "different pictures have different vectors"


def test_words_get_the_vectors_of_open_clip(tiny_clip: ModuleType, embedder: TextEmbedder) -> None:
    import open_clip

    tokens = open_clip.get_tokenizer(tiny_clip.MODEL.architecture)(TEXTS)
    with torch.inference_mode():
        expected = loaded_reference(tiny_clip).encode_text(tokens, normalize=True).numpy()

    vectors = embedder.embed_text(TEXTS)

    assert vectors.dtype == np.float32
    assert vectors.shape == (5, 16)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_array_equal(embedder.embed_text(["A DOG on the beach"]), embedder.embed_text(TEXTS[:1]))


def test_no_text_is_a_mistake_of_the_caller(embedder: TextEmbedder) -> None:
    with pytest.raises(ValueError, match="no text"):
        embedder.embed_text([])


def test_weights_that_do_not_fit_are_refused(tiny_clip: ModuleType) -> None:
    with pytest.raises(ModelError, match="do not fit open_clip"):
        openclip_image_network({"logit_scale": torch.zeros(())}, tiny_clip.MODEL)
    with pytest.raises(ModelError, match="other pictures or gives other vectors"):
        openclip_image_network(tiny_clip.state(), replace(tiny_clip.MODEL, dim=17))
    with pytest.raises(ModelError, match="does not know nothing-of-the-kind"):
        openclip_text_network(tiny_clip.state(), replace(tiny_clip.MODEL, architecture="nothing-of-the-kind"))


def test_making_a_network_draws_no_numbers(tiny_clip: ModuleType) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    openclip_text_network(tiny_clip.state(), tiny_clip.MODEL)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_description_is_what_open_clip_says() -> None:
    architecture, tag = OPEN_CLIP.revision.split("/")
    from open_clip import get_model_config
    from open_clip.pretrained import get_pretrained_cfg

    known = get_pretrained_cfg(architecture, tag)
    configuration = get_model_config(architecture)
    assert OPEN_CLIP.architecture == architecture
    assert known["hf_hub"] == f"{hub.source_of(OPEN_CLIP).repository}/"
    assert (known["mean"], known["std"]) == (OPEN_CLIP.mean, OPEN_CLIP.std)
    assert configuration["embed_dim"] == OPEN_CLIP.dim
    assert configuration["vision_cfg"]["image_size"] == 224
    assert not configuration.get("quick_gelu", known.get("quick_gelu", False))
    space = OPEN_CLIP.space(MEANING)
    assert (space.name, space.model, space.dim, space.distance) == ("meaning", "open_clip", 512, Distance.COSINE)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "PACKAGES", ("open_clip", "no_such_package"))
    makers: list[Callable[[], object]] = [openclip_image_network, openclip_text_network, tokenizer_of]
    for make in makers:
        with pytest.raises(ModelError, match=r"open_clip needs packages.*likewise\[text\].*LIKEWISE_TEXT_MODEL"):
            make()
    with pytest.raises(ModelError, match="not installed"):
        hub.require(OPEN_CLIP)
