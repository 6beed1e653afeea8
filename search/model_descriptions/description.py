"""Type of a model's description: all that is known of a model without loading it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from search.spaces import Distance, Space


@dataclass(frozen=True, slots=True)
class TorchvisionWeights:
    """Weights that torchvision publishes; downloaded once into the torch hub cache.

    Attributes:
        enum: as ``torchvision.models.get_weight`` takes it, ``ResNet18_Weights.IMAGENET1K_V1``.
        url: the ``url`` of that enum; the end of the file's name is the beginning of its SHA-256, and is checked.
        megabytes: size of the download.
    """

    enum: str
    url: str
    megabytes: float

    def __str__(self) -> str:
        return f"torchvision {self.enum} through the torch hub cache, {self.megabytes:g} MB"


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """Weights that come with an installed Python package; nothing is downloaded.

    Attributes:
        package: as an installer takes it.
        module: as Python imports it.
        file: path of the file below the module's folder.
        megabytes: size of the file.
        within: key or index of the tensors in the file; None where it holds nothing else.
        is_extra: the package is no dependency of Likewise, for it insists on versions of others that cannot be had; it
            is installed without them (``requirements-weights.lock``).
    """

    package: str
    module: str
    file: str
    megabytes: float
    within: str | int | None = None
    is_extra: bool = False

    def __str__(self) -> str:
        return f"Python package {self.package}, {self.megabytes:g} MB"

    @property
    def path(self) -> Path:
        """Where the file lies, whether it is there or not; the package is not imported."""
        spec = find_spec(self.module)
        folders = list(spec.submodule_search_locations or ()) if spec is not None else []
        return Path(folders[0] if folders else self.module, self.file)


@dataclass(frozen=True, slots=True)
class HubWeights:
    """Weights in a repository of the Hugging Face hub; downloaded once into the hub's cache. Needs the extra ``text``.

    Attributes:
        repository: ``owner/name``.
        commit: of the repository, so that what lies there later is never mixed with what is stored.
        megabytes: size of the download.
        files: names that the weights may have there; the first that is there is taken.
    """

    repository: str
    commit: str
    megabytes: float
    files: tuple[str, ...] = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")

    def __str__(self) -> str:
        return f"{self.repository} on the Hugging Face hub, {self.megabytes:g} MB"


WeightsSource: TypeAlias = TorchvisionWeights | PackagedWeights | HubWeights


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Everything that is known of a model without loading it.

    ``name``, ``revision``, ``preprocessing`` and ``dim`` are part of the fingerprint of each space that the model
    fills: a change of any of them makes stored vectors incomparable.

    Attributes:
        name: what settings, spaces, ``likewise reembed --model`` and notes call it.
        revision: which weights, or which version of a formula.
        dim: number of components of its vectors.
        licence: of the weights; of the code where there are none.
        source: who made it.
        weights: where the weights come from; None where there are none.
        preprocessing: everything done to the decoded media before the model, in one line.
        input: what one row of input is.
        spaces: the spaces that it fills, ``("visual",)`` of a model of pictures.
        builder: ``module:function`` that makes it, see ``workers.embedders.builders``. Empty where it is computed from
            another model's vectors.
        auto: place in the order in which ``auto`` tries the models of a space, least first; None where it is used only
            when it is asked for by name.
        imagenet_classes: gives the probabilities of the 1,000 classes of ImageNet-1k too, from which tags and the
            space ``concepts`` are made.
        clips: sees clips of 16 frames, which the decoders then cut from videos.
        movement: takes how a film moves, which the decoders then measure.
        segments: of sounds, makes a row for each segment of a recording; else one for the whole.
        companions: names of models that it cannot be used without.
    """

    name: str
    revision: str
    dim: int
    licence: str
    source: str
    weights: WeightsSource | None
    preprocessing: str
    input: str
    spaces: tuple[str, ...]
    builder: str
    auto: int | None = None
    imagenet_classes: bool = False
    clips: bool = False
    movement: bool = False
    segments: bool = False
    companions: tuple[str, ...] = ()

    @property
    def may_be_missing(self) -> bool:
        """Whether an installation may lack the weights: they are fetched from a server, or of an extra package."""
        return self.needs_download or (isinstance(self.weights, PackagedWeights) and self.weights.is_extra)

    @property
    def needs_download(self) -> bool:
        """Whether the weights are fetched from a server at first use."""
        return isinstance(self.weights, TorchvisionWeights | HubWeights)

    def space(self, name: str, distance: Distance = Distance.COSINE) -> Space:
        """The vector space ``name`` as this model fills it."""
        return Space(name, self.name, self.revision, self.preprocessing, self.dim, distance)
