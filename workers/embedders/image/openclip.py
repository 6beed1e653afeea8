"""open_clip's two towers: pictures and words as unit vectors of one space. Needs the extra ``text``.

Each tower is loaded alone, without the other: ingest needs no words, and queries in words need no pictures.

Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021;
https://github.com/mlfoundations/open_clip (MIT), ``open_clip.CLIP.encode_image`` and ``encode_text``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.errors import ModelError
from search.model_descriptions.text import OPEN_CLIP, TextModel
from search.store.base import Array
from workers.embedders.hub import require_extra
from workers.embedders.networks import Normalise, Runner, StateDict, load_state
from workers.embedders.weights import weights_of

PICTURE_SIDE = 224
"""Pixels of the crops that the decoders make for every model of pictures."""


class ImageTower(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to unit vectors float32 ``(n, dim)``, as a tuple of one.

    Args:
        visual: open_clip's tower, which gives vectors of any length.
    """

    def __init__(self, normalise: Normalise, visual: nn.Module) -> None:
        super().__init__()
        self.normalise, self.visual = normalise, visual

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        # open_clip cuts patches faster from contiguous rows.
        return (nn.functional.normalize(self.visual(self.normalise(pixels).contiguous()).float(), dim=1),)


class TextTower(nn.Module):
    """Tokens int64 ``(n, context)`` to unit vectors float32 ``(n, dim)``, as a tuple of one.

    Args:
        clip: open_clip's model, whose picture tower is not used and may be gone.
    """

    def __init__(self, clip: nn.Module) -> None:
        super().__init__()
        self.clip = clip

    def forward(self, tokens: Tensor) -> tuple[Tensor]:
        encoded: Tensor = self.clip.encode_text(tokens)  # type: ignore[operator]  # of a class that mypy does not see
        return (nn.functional.normalize(encoded.float(), dim=1),)


class TextEmbedder:
    """Embeds words into ``meaning``. Not for several threads at once.

    Args:
        runner: of a :class:`TextTower`.
        tokenize: texts to int64 ``(n, context)``; what is too long for the model is cut off at its end.
    """

    def __init__(self, runner: Runner, tokenize: Callable[[list[str]], Tensor]) -> None:
        self._runner, self._tokenize = runner, tokenize

    def embed_text(self, texts: Sequence[str]) -> Array:
        """float32 ``(n, dim)``, L2-normalised, a row a text, in order. Upper and lower case are the same.

        Raises:
            ModelError: the network failed.
            ValueError: no text is given.
        """
        if not texts:
            raise ValueError("There is no text to embed.")
        tokens: NDArray[np.int64] = self._tokenize(list(texts)).numpy()
        (vectors,) = self._runner(tokens)
        return vectors


def openclip_image_network(state: StateDict | None = None, model: TextModel = OPEN_CLIP) -> ImageTower:
    """uint8 ``(n, 224, 224, 3)`` crops to unit vectors float32 ``(n, model.dim)``.

    Args:
        state: weights in open_clip's names; the published ones when left out.

    Raises:
        ModelError: the extra is not installed, or weights cannot be had or do not fit.
    """
    clip = _clip(state, model)
    return ImageTower(Normalise(model.mean, model.std), clip.visual)


def openclip_text_network(state: StateDict | None = None, model: TextModel = OPEN_CLIP) -> TextTower:
    """Tokens int64 ``(n, context)`` to unit vectors float32 ``(n, model.dim)``.

    Raises:
        ModelError: as :func:`openclip_image_network`.
    """
    clip = _clip(state, model)
    del clip.visual
    return TextTower(clip)


def tokenizer_of(model: TextModel = OPEN_CLIP) -> Callable[[list[str]], Tensor]:
    """Texts to the tokens that the model takes, int64 ``(n, context)``. Its vocabulary comes with the package.

    Raises:
        ModelError: the extra is not installed.
    """
    require_extra(model)
    from open_clip.tokenizer import SimpleTokenizer

    context: int = _configuration(model)["text_cfg"]["context_length"]
    tokenize: Callable[[list[str]], Tensor] = SimpleTokenizer(context_length=context)
    return tokenize


def openclip_text_embedder(
    state: StateDict | None, model: TextModel, run: Callable[[nn.Module], Runner]
) -> TextEmbedder:
    """The embedder of words, as ``TextModel.text_builder`` names it.

    Args:
        run: puts a network on the device.

    Raises:
        ModelError: as :func:`openclip_image_network`.
    """
    return TextEmbedder(run(openclip_text_network(state, model)), tokenizer_of(model))


def _clip(state: StateDict | None, model: TextModel) -> Any:
    """open_clip's model with these weights.

    Made of its parts, not by ``open_clip.create_model``, which sets up Python's logging for the whole process.
    """
    require_extra(model)
    # Weights first, so that missing ones are known before the network is made.
    found = weights_of(model) if state is None else state
    from open_clip import CLIP

    configuration = _configuration(model)
    if configuration["vision_cfg"].get("image_size") != PICTURE_SIDE or configuration["embed_dim"] != model.dim:
        raise ModelError(
            f"open_clip's {model.architecture} takes other pictures or gives other vectors than {model.name} does.",
            "Install the version of open_clip that requirements.lock names.",
        )
    with torch.random.fork_rng(devices=[]):  # its initial weights do not advance the process's generator
        clip = CLIP(**configuration)
    load_state(clip, found, model.name)
    return clip


def _configuration(model: TextModel) -> dict[str, Any]:
    from open_clip import get_model_config

    configuration: dict[str, Any] | None = get_model_config(model.architecture)
    if configuration is None:
        raise ModelError(
            f"open_clip does not know {model.architecture}.",
            "Install the version of open_clip that requirements.lock names.",
        )
    return configuration
