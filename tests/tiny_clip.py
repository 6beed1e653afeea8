"""An open_clip model of one narrow layer a tower with seeded weights: the real code at a thousandth of the size."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import open_clip
import torch

from search.model_descriptions.description import HubWeights
from search.model_descriptions.text import OPEN_CLIP

MODEL = replace(
    OPEN_CLIP,
    revision="seeded",
    dim=16,
    architecture="likewise-tiny",
    weights=HubWeights("likewise-tests/tiny-clip", "a" * 40, 0.1),
)

_CONFIGURATION = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 224, "layers": 1, "width": 32, "head_width": 16, "patch_size": 56},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


with TemporaryDirectory() as _folder:
    _path = Path(_folder, f"{MODEL.architecture}.json")
    _path.write_text(json.dumps(_CONFIGURATION))
    open_clip.add_model_config(_path)


@cache
def state() -> dict[str, torch.Tensor]:
    """Weights in open_clip's names, the same in every run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return {name: tensor.clone() for name, tensor in reference().state_dict().items()}


def reference() -> torch.nn.Module:
    """open_clip's own model, as it makes it, freshly drawn."""
    made: torch.nn.Module = open_clip.create_model(MODEL.architecture, load_weights=False)
    return made.eval()
