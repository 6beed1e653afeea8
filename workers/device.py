"""Which device the models run on."""

from __future__ import annotations

import torch

from search.errors import SettingsError
from search.settings import Settings


def use_threads(settings: Settings) -> None:
    """Let torch's one pool of CPU threads have ``settings.threads`` threads, or as many as there are cores."""
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
