"""Weights from the Hugging Face hub, from its cache or downloaded into it. Needs the extra ``text``.

No code of a weight file is run: it is read as safetensors, or by torch with ``weights_only=True``.
"""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from search.errors import ModelError
from search.model_descriptions.description import HubWeights, ModelDescription
from search.model_descriptions.text import INSTALL, is_installed
from search.spaces import MEANING
from workers.embedders.network_probe import reachable_urls
from workers.embedders.networks import StateDict

ETAG_SECONDS = 5.0
"""Seconds that the hub may take to name the version of a file."""

_DELETE = "Delete it, so that it is downloaded again."
"""Of the file itself: the path in the hub's cache is a symbolic link, and without it the same file is linked again."""


def source_of(model: ModelDescription) -> HubWeights:
    """Where on the hub the model's weights lie.

    Raises:
        ValueError: they come from elsewhere.
    """
    if not isinstance(model.weights, HubWeights):
        raise ValueError(f"The weights of {model.name} are not on the Hugging Face hub.")
    return model.weights


def weights_of(model: ModelDescription) -> StateDict:
    """The model's weights, from the cache or downloaded with progress.

    Raises:
        ModelError: the extra is not installed; they are not in the cache and cannot be downloaded, which is known
            within seconds where the hub cannot be reached; or the file is damaged.
    """
    return read_weights(require(model))


def require(model: ModelDescription) -> Path:
    """Make sure that the weights are in the cache, and give their path.

    Raises:
        ModelError: as :func:`weights_of`.
    """
    require_extra(model)
    found = cached_path(model)
    if found is not None:
        return found
    if not is_reachable(model):
        raise _not_to_be_had(model, "they are not in the cache and the hub cannot be reached")
    return _download(model)


def require_extra(model: ModelDescription) -> None:
    """Check that the extra is installed.

    Raises:
        ModelError: it is not.
    """
    if not is_installed():
        raise ModelError(
            f"{model.name} needs packages that are not installed.",
            f"Install them ({INSTALL}), or {_otherwise(model)}.",
        )


def cached_path(model: ModelDescription) -> Path | None:
    """Path of the weights in the cache; None where they are not there. Needs the extra; asks no server."""
    from huggingface_hub import try_to_load_from_cache

    source = source_of(model)
    for name in source.files:
        found = try_to_load_from_cache(source.repository, name, revision=source.commit)
        if isinstance(found, str):
            return Path(found)
    return None


def cache_folder(model: ModelDescription) -> Path:
    """Folder of the cache for the model's repository, whether it exists or not. Needs the extra."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE, "--".join(("models", *source_of(model).repository.split("/"))))


def download_command(model: ModelDescription) -> str:
    """Command that fills the cache by hand, on a machine with the hub's command line."""
    source = source_of(model)
    return f"hf download {source.repository} {source.files[0]} --revision {source.commit}"


def is_reachable(model: ModelDescription) -> bool:
    """Whether the hub answers within seconds and has the weights; False where HF_HUB_OFFLINE is set. Needs the
    extra."""
    from huggingface_hub import constants, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        return False
    source = source_of(model)
    return bool(
        reachable_urls({name: hf_hub_url(source.repository, name, revision=source.commit) for name in source.files})
    )


def read_weights(path: Path) -> StateDict:
    """The tensors of a weight file by name, on the CPU.

    Raises:
        ModelError: it cannot be read as tensors, or holds something else.
    """
    try:
        state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    except UnpicklingError as error:  # its message says how to run the file nevertheless
        raise _no_weights(path) from error
    except Exception as error:  # zip, safetensors and the file system each have their own
        raise ModelError(f"{path.resolve()} cannot be read as weights: {error}.", _DELETE) from error
    if not state or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise _no_weights(path)
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def _no_weights(path: Path) -> ModelError:
    return ModelError(f"{path.resolve()} holds something else than weights, and is not looked into further.", _DELETE)


def _read_safetensors(path: Path) -> StateDict:
    from safetensors.torch import load_file

    state: StateDict = load_file(path)
    return state


def _read_torch(path: Path) -> StateDict:
    saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    state: StateDict = saved.get("state_dict", saved)
    return state


def _download(model: ModelDescription) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    source = source_of(model)
    for name in source.files:
        try:
            return Path(hf_hub_download(source.repository, name, revision=source.commit, etag_timeout=ETAG_SECONDS))
        except LocalEntryNotFoundError as error:  # the hub went away; an EntryNotFoundError too
            raise _not_to_be_had(model, f"{error}") from error
        except EntryNotFoundError:
            continue
        except Exception as error:  # the hub's, http's and the file system's; all mean "no weights"
            raise _not_to_be_had(model, f"{error}") from error
    raise _not_to_be_had(model, f"{source.repository} has none of {', '.join(source.files)}")


def _not_to_be_had(model: ModelDescription, why: str) -> ModelError:
    return ModelError(
        f"The weights of {model.name} could not be had: {why.rstrip('.')}.",
        f"Try again when the network is back, or run `{download_command(model)}` where it is and copy what that makes "
        f"to {cache_folder(model)}; or {_otherwise(model)}.",
    )


def _otherwise(model: ModelDescription) -> str:
    return "leave LIKEWISE_TEXT_MODEL at none" if MEANING in model.spaces else "choose another model"
