"""Choosing the device."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from search.errors import SettingsError
from search.settings import Settings
from workers.device import choose_device

MakeSettings = Callable[..., Settings]


def devices(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("wanted", "count", "chosen"),
    [("cpu", 2, "cpu"), ("auto", 0, "cpu"), ("auto", 1, "cuda"), ("cuda", 1, "cuda"), ("cuda:1", 2, "cuda:1")],
)
def test_the_device_asked_for(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, wanted: str, count: int, chosen: str
) -> None:
    devices(monkeypatch, count)
    assert choose_device(make_settings(device=wanted)) == torch.device(chosen)


@pytest.mark.parametrize(("wanted", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_device_that_is_not_there(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, wanted: str, count: int
) -> None:
    devices(monkeypatch, count)
    with pytest.raises(SettingsError, match=f"'{wanted}', but torch finds {count} CUDA devices"):
        choose_device(make_settings(device=wanted))
