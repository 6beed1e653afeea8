"""What several rooms' tests share: the labelled media, settings that touch nothing outside a temporary folder."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from quick_models import QUICK_SCHEMAS, QuickModels

from search.evaluation.statistics import Estimate
from search.model_descriptions.model_choice import ModelChoice
from search.photographers.space import CODES, LAYOUT, MANIFEST, VECTORS, JointReport, VectorErrors
from search.settings import Settings
from search.spaces import CollectionSchema

pytest_plugins = ("buckets", "postgres", "processes", "reuse", "sessions", "unit_vectors")  # in tests/plugins

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ledger", choices=("sqlite", "postgresql"), default="sqlite", help="database of tests/ingest")


@pytest.fixture(scope="session")
def tiny_clip() -> ModuleType:
    """The module of that name: a small open_clip model with seeded weights."""
    spec = importlib.util.spec_from_file_location("tiny_clip", Path(__file__).with_name("tiny_clip.py"))
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A shell without job control starts what is to run in the background with SIGINT ignored, and so the processes of
    every test."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the data directory, or obeys the settings, of whoever runs it."""
    for variable in [name for name in os.environ if name.startswith("LIKEWISE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with their data directory under ``tmp_path``, CPU only, sounds without a network, on a free port;
    keywords override."""

    def make(**overrides: object) -> Settings:
        defaults: dict[str, object] = {"home": tmp_path / "home", "device": "cpu", "port": 0, "decode_workers": 1}
        defaults["sound_model"] = "logmel_rows"
        return Settings.model_validate(defaults | overrides)

    return make


@pytest.fixture
def quick_models(monkeypatch: pytest.MonkeyPatch) -> QuickModels:
    """Every node of this process embeds with :class:`QuickModels`; all else, decoding too, is real."""
    models = QuickModels()
    choice = ModelChoice("quick", "frames_quick", "quick", notes=("Quick models are in use.",))
    monkeypatch.setattr("workers.engines.local.choose_models", lambda settings, existing: choice)
    monkeypatch.setattr("workers.embedders.choice.schemas_of", lambda choice: models.schemas)
    monkeypatch.setattr("workers.embedders.models.Models", lambda settings, choice: models)
    return models


@pytest.fixture
def quick_schemas() -> tuple[CollectionSchema, ...]:
    """What the collections of :class:`QuickModels` hold."""
    return QUICK_SCHEMAS


@pytest.fixture
def make_media(tmp_path: Path) -> Callable[..., Path]:
    """A folder of plain pictures in named colours, ``each`` of them, every one with bytes of its own."""

    def make(folder: str = "media", each: int = 3, colours: Sequence[str] = ("red", "green", "blue")) -> Path:
        root = tmp_path / folder
        for colour in colours:
            (root / colour).mkdir(parents=True, exist_ok=True)
            for number in range(each):
                picture = Image.new("RGB", (64, 48), colour)
                picture.putpixel((number % 64, number // 64), (255, 255, 255))
                picture.save(root / colour / f"{colour}-{number}.png")
        return root

    return make


@pytest.fixture
def write_space() -> Callable[..., Path]:
    """Writes a photographer space by hand, as its training would: two photos of each, vectors as given."""

    def write(folder: Path, vectors: dict[str, Sequence[float]]) -> Path:
        folder.mkdir()
        placed = np.array(list(vectors.values()), np.float32)
        photos, owners = np.full(len(vectors), 2), np.repeat(np.arange(len(vectors)), 2)
        steps = np.array([0, 400])
        np.savez(folder / VECTORS, vectors=placed, photos=photos, frames=np.stack([0 * placed, placed]), steps=steps)
        ids = np.array([f"photo-{row}" for row in range(len(owners))])
        codes = np.random.default_rng(0).standard_normal((len(owners), 16)).astype(np.float32)
        np.savez(folder / CODES, ids=ids, codes=codes, owners=owners, clusters=np.zeros(len(owners), np.int64))
        errors = VectorErrors(Estimate(0.2, 0.1, 0.3, 4), Estimate(0.8, 0.7, 0.9, 4), 4.0)
        held_out, dimensions = 2, placed.shape[1]
        report = JointReport(
            len(vectors), len(owners), held_out, dimensions, 0, 400, 1.5, "d", "f", errors, errors, None, None, {}, ()
        )
        manifest = {"layout": LAYOUT, "names": list(vectors), "report": asdict(report)}
        (folder / MANIFEST).write_text(json.dumps(manifest), "ascii")
        return folder

    return write
