"""Models that place pictures and words in one space, described without loading any; nothing here imports torch.

They fill the space ``meaning``: of an image one vector, of a video one a key frame. Words are embedded when they are
asked with, and compared by cosine with what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from search.model_descriptions.description import ModelDescription

INSTALL = "pip install 'likewise[text]'"
"""How to get the extra that the models here need."""

PACKAGES = ("open_clip", "huggingface_hub", "safetensors")
"""What the extra brings, by the names they are imported by."""


@dataclass(frozen=True, slots=True)
class TextModel(ModelDescription):
    """A model with a tower for pictures and one for words.

    Attributes:
        architecture: what open_clip calls it.
        repository: on the Hugging Face hub, where the weights lie.
        commit: of the repository, so that what lies there later is never mixed with what is stored.
        files: names that the weights may have there; the first that is there is taken.
        mean, std: of each channel of pictures in [0, 1], red, green, blue, as in training.
    """

    architecture: str = ""
    repository: str = ""
    commit: str = ""
    files: tuple[str, ...] = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)


OPEN_CLIP = TextModel(
    name="open_clip",
    revision="ViT-B-32/datacomp_xl_s13b_b90k",
    dim=512,
    licence="MIT",
    source=(
        "Gadre et al., DataComp: In search of the next generation of multimodal datasets, NeurIPS 2023; "
        "Ilharco et al., OpenCLIP, https://github.com/mlfoundations/open_clip"
    ),
    weights="laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K on the Hugging Face hub, 605 MB",
    preprocessing=(
        "resize short side to 256 (bilinear, antialiased), centre crop 224, "
        "mean .48145466 .4578275 .40821073, std .26862954 .26130258 .27577711, ViT-B/32, projection, L2"
    ),
    input="RGB picture, uint8 (224, 224, 3); text, at most 77 tokens",
    architecture="ViT-B-32",
    repository="laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
    commit="0ca136778fbefaaaeee727c11f0f42cbd7448b34",
)
"""Chosen among open_clip's for its licence, for towers that a CPU can run, and for what it was trained with: DataComp's
1.4 billion pairs, which its authors found to teach more than as many of LAION's.

open_clip itself resizes the short side to 224, bicubic. Here it sees the crops that the model of ``visual`` sees, so
that a picture is decoded and cropped once; these are the middle seven eighths of open_clip's.

Source: open_clip's registry (``open_clip.pretrained``: ViT-B-32, datacomp_xl_s13b_b90k) for repository, mean and
deviation; the repository's model card and history for licence and commit.
"""

TEXT_MODELS: Mapping[str, TextModel] = {OPEN_CLIP.name: OPEN_CLIP}
"""Every such model by the name that ``LIKEWISE_TEXT_MODEL`` gives it."""


def is_installed() -> bool:
    """Whether the extra is there; nothing of it is imported."""
    return all(find_spec(package) is not None for package in PACKAGES)
