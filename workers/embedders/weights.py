"""Get the weights of a model: torchvision's, of an installed package, or from the Hugging Face hub.

Everything is loaded with ``weights_only=True`` or as safetensors: a weight file is data, never code.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch.hub import load_state_dict_from_url

from search.errors import ModelError
from search.model_descriptions.description import HubWeights, ModelDescription, PackagedWeights, TorchvisionWeights
from search.model_descriptions.text import INSTALL, is_installed
from workers.embedders import hub
from workers.embedders.network_probe import reachable_urls
from workers.embedders.networks import StateDict

STALL_SECONDS = 30.0
"""How long a download may stand still before it is given up."""

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
    """Make sure that weights that are downloaded are in the cache.

    Raises:
        ModelError: they are not and could not be downloaded.
    """
    if isinstance(model.weights, HubWeights):
        hub.require(model)
    elif isinstance(model.weights, TorchvisionWeights) and cached_path(model) is None:
        weights_of(model)


def obtain(models: Iterable[ModelDescription]) -> Mapping[str, str]:
    """Make sure that weights are in the cache, as far as they can be had.

    Gives up within seconds where their servers cannot be reached.

    Returns:
        Of each model whose weights cannot be had, by name, why not, in words that follow "The weights of X".
    """
    wanted = [model for model in models if model.needs_download and cached_path(model) is None]
    answering = reachable(wanted)
    reasons: dict[str, str] = {}
    for model in wanted:
        if model.name not in answering:
            reasons[model.name] = f"are not in the {cache_name(model)} and their server cannot be reached"
            continue
        try:
            require(model)
        except ModelError as error:
            reasons[model.name] = f"could not be downloaded ({error.__cause__ or error.message})"
    return reasons


def cache_name(model: ModelDescription) -> str:
    """What the cache of the model's weights is called."""
    return "cache of the hub" if isinstance(model.weights, HubWeights) else "torch hub cache"


def cached_path(model: ModelDescription) -> Path | None:
    """The file of the model's weights on this machine; None where it is not there, or there is none."""
    match model.weights:
        case TorchvisionWeights():
            path = download_path(model)
        case PackagedWeights() as source:
            path = _package_path(source)
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


def _package_path(source: PackagedWeights) -> Path:
    return Path(str(files(source.module).joinpath(source.file)))


def _from_package(name: str, source: PackagedWeights) -> StateDict:
    try:
        state: StateDict = torch.load(_package_path(source), map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            f"The weights of {name} could not be read: {error}.", f"Install the package {source.package} again."
        ) from error
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
