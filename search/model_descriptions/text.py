"""Descriptions of models that embed pictures and words into one space, ``meaning``, without loading them.

An image has one vector of ``meaning``, a video one for each key frame. The words of a question are embedded when it is
asked and compared by cosine with the stored vectors. Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from search.model_descriptions.description import HubWeights, ModelDescription
from search.spaces import MEANING

INSTALL = "pip install 'likewise[text]'"
"""How to get the extra that the models here need."""

PACKAGES = ("open_clip", "huggingface_hub", "safetensors")
"""What the extra brings, by the names they are imported by."""


@dataclass(frozen=True, slots=True)
class TextModel(ModelDescription):
    """A model with a tower for pictures and one for words.

    Attributes:
        architecture: what open_clip calls it.
        text_builder: ``module:function`` that makes the embedder of words, see ``workers.embedders.builders``.
        mean, std: of each channel of pictures in [0, 1], red, green, blue, as in training.
    """

    architecture: str = ""
    text_builder: str = ""
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
    weights=HubWeights("laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", "0ca136778fbefaaaeee727c11f0f42cbd7448b34", 605),
    preprocessing=(
        "resize short side to 256 (bilinear, antialiased), centre crop 224, "
        "mean .48145466 .4578275 .40821073, std .26862954 .26130258 .27577711, ViT-B/32, projection, L2"
    ),
    input="RGB picture, uint8 (224, 224, 3); text, at most 77 tokens",
    spaces=(MEANING,),
    builder="workers.embedders.image.openclip:openclip_image_network",
    architecture="ViT-B-32",
    text_builder="workers.embedders.image.openclip:openclip_text_embedder",
)
"""Chosen among open_clip's for its licence, for towers that a CPU can run, and for what it was trained with: DataComp's
1.4 billion pairs, which its authors found to teach more than as many of LAION's.

open_clip itself resizes the short side to 224, bicubic. Here it sees the crops that the model of ``visual`` sees, so
that a picture is decoded and cropped once; these are the middle seven eighths of open_clip's.

Source: open_clip's registry (``open_clip.pretrained``: ViT-B-32, datacomp_xl_s13b_b90k) for repository, mean and
deviation; the repository's model card and history for licence and commit.
"""


def is_installed() -> bool:
    """Whether the extra is there; nothing of it is imported."""
    return all(find_spec(package) is not None for package in PACKAGES)
