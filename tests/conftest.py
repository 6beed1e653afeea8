"""What several rooms' tests share: the labelled media, settings that touch nothing outside a temporary folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from search.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout these tests belong to."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of labelled media beside the checkout; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the labelled media in ../shared/data, which this machine does not have")
    return folder


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the data directory, or obeys the settings, of whoever runs it."""
    for variable in [name for name in os.environ if name.startswith("LIKEWISE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with their data directory under ``tmp_path``, CPU only, on a free port; keywords override."""

    def make(**overrides: object) -> Settings:
        defaults: dict[str, object] = {"home": tmp_path / "home", "device": "cpu", "port": 0, "decode_workers": 1}
        return Settings.model_validate(defaults | overrides)

    return make
