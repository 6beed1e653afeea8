"""Choose the device of the models, check it and measure its memory."""

from __future__ import annotations

import logging

import torch

from search import metrics
from search.errors import SettingsError
from search.settings import Settings

log = logging.getLogger(__name__)


def use_threads(settings: Settings) -> None:
    """Set the size of torch's CPU thread pool to ``settings.threads``, or to the number of cores."""
    torch.set_num_threads(settings.threads or settings.cores)


def choose_device(settings: Settings) -> torch.device:
    """The device that ``settings.device`` asks for; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        SettingsError: a CUDA device is asked for that this machine does not have.
    """
    wanted = settings.device
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    device = torch.device("cuda" if wanted == "auto" else wanted)
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= found:
        raise SettingsError(
            f"LIKEWISE_DEVICE={wanted!r}, but torch finds {found} CUDA devices here.",
            "Use auto or cpu, or install a torch and a driver that see the device.",
        )
    return device


def device_works(settings: Settings) -> bool:
    """Whether the device still computes: after an error in a kernel, CUDA is unusable in the process."""
    try:
        return bool((torch.ones(1, device=choose_device(settings)) + 1).item() == 2)
    except RuntimeError as error:
        log.error("The device does not compute any more: %s", error)
        return False


def measure_memory(settings: Settings) -> None:
    """Report the reserved and the total memory of a CUDA device to the metrics."""
    device = choose_device(settings)
    if device.type == "cuda":
        _, total = torch.cuda.mem_get_info(device)
        metrics.device_memory(str(device), torch.cuda.memory_reserved(device), total)
