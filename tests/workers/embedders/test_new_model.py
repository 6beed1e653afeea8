"""A new model of pictures is one description and one builder: everything else follows from them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from torch import Tensor, nn

from ingest.jobs.progress import JobState
from ingest.node import Node
from search.errors import ModelError, SettingsError
from search.model_descriptions import registry
from search.model_descriptions.description import HubWeights, ModelDescription
from search.model_descriptions.registry import MODELS
from search.settings import Settings, load_settings
from search.similar.find import find_similar
from search.similar.questions import Question
from web.checks.result import Health
from web.checks.run import run_checks
from workers.embedders.choice import choose_models

COLOUR = ModelDescription(
    name="mean_colour",
    revision="1",
    dim=3,
    licence="Apache-2.0",
    source="this test",
    weights=None,
    preprocessing="centre crop 224, mean of each channel, L2",
    input="RGB picture, uint8 (224, 224, 3)",
    spaces=("visual",),
    builder="mean_colour:network",
    auto=0,
)
HALVES = replace(COLOUR, name="mean_halves", revision="2", dim=6, auto=None)


class MeanColour(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to unit vectors float32 ``(n, 3)``, or ``(n, 6)`` of the upper and lower half."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        parts = (pixels.float() + 1).chunk(self.parts, dim=1)
        return (nn.functional.normalize(torch.cat([part.mean(dim=(1, 2)) for part in parts], dim=1), dim=1),)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("mean_colour")
    module.network = lambda state, model: MeanColour(model.dim // 3)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mean_colour", module)
    monkeypatch.setattr(registry, "MODELS", (*MODELS, COLOUR, HALVES))


@pytest.mark.usefixtures("registered")
def test_settings_and_doctor_know_it(make_settings: Callable[..., Settings]) -> None:
    assert load_settings(environ={"LIKEWISE_IMAGE_MODEL": "mean_colour"}).image_model == "mean_colour"
    with pytest.raises(
        SettingsError, match=r"'auto', 'mean_colour', 'resnet18', 'efficientnet_lite0' or 'mean_halves'"
    ):
        load_settings(environ={"LIKEWISE_IMAGE_MODEL": "vgg"})
    with pytest.raises(SettingsError, match="'auto', 'r3d18', 'flow' or 'frames'"):
        load_settings(environ={"LIKEWISE_VIDEO_MODEL": "mean_colour"})
    checks = {check.name: check for check in run_checks(make_settings(image_model="mean_colour", video_model="frames"))}
    assert (checks["weights of mean_colour"].health, checks["weights of mean_colour"].detail) == (
        Health.OK,
        "it has none",
    )
    assert checks["weights of resnet18"].detail == "not needed, the settings choose mean_colour"


def test_its_weights_may_lie_on_the_hub(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = replace(COLOUR, weights=HubWeights("likewise-tests/colour", "a" * 40, 0.1, ("model.safetensors",)))
    monkeypatch.setattr(registry, "MODELS", (*MODELS, model))
    assert choose_models(make_settings(image_model="efficientnet_lite0"), {}).image == "efficientnet_lite0"
    with pytest.raises(ModelError, match=r"mean_colour could not be had.*hf download likewise-tests/colour"):
        choose_models(make_settings(image_model="mean_colour", video_model="frames"), {})
    monkeypatch.setattr(
        registry, "MODELS", (registry.EFFICIENTNET_LITE0, registry.OPEN_CLIP, registry.LOGMEL_ROWS, model)
    )
    [note] = choose_models(make_settings(video_model="frames"), {}).notes
    assert "mean_colour are not in the cache of the hub" in note
    found = {check.name: check for check in run_checks(make_settings(image_model="mean_colour", video_model="frames"))}
    assert found["weights of mean_colour"].health is Health.WARNING
    assert "hf download likewise-tests/colour model.safetensors" in found["weights of mean_colour"].hint


def test_help_and_api_name_it(repository: Path) -> None:
    program = (
        "from dataclasses import replace; from search.model_descriptions import registry;"
        "registry.MODELS += (replace(registry.RESNET18, name='mean_colour', auto=None),);"
        "from web.api.description.document import document;"
        "assert 'visual: resnet18, efficientnet_lite0, mean_colour; motion' in str(document());"
        "from web.cli import main; main(['reembed', '--help'])"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=repository, check=True, capture_output=True, text=True)
    models = "visual: resnet18, efficientnet_lite0, mean_colour; motion: r3d18, flow, frames"
    assert models in " ".join(said.stdout.split())


@pytest.mark.usefixtures("registered")
def test_it_takes_in_answers_and_is_embedded_anew(
    make_settings: Callable[..., Settings], make_media: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.node.make_provisional", lambda *_: [])  # which would take a minute
    media = make_media(each=3)

    def nearest(node: Node) -> list[str]:
        example = node.encoder.probe(str(media / "red" / "red-0.png"))
        answer = find_similar(node.store, Question((example,), collections=("images",), spaces=("visual",), limit=3))
        return [Path(hit.paths[0]).parent.name for hit in answer.hits]

    with Node.open(make_settings(video_model="frames")) as node:
        assert done(node, node.start_ingest([media]))
        images, videos = node.store.schema("images"), node.store.schema("videos")
        assert images.space("visual") == videos.space("visual") == COLOUR.space("visual")
        assert videos.space("motion") == registry.frames_of(COLOUR).space("motion")
        assert images.space("concepts") is None, "it has no classes"
        assert nearest(node) == ["red"] * 3

        assert done(node, node.start_task("reembed", {"space": "visual", "model": "mean_halves"}))
        assert node.store.schema("images").space("visual") == HALVES.space("visual")
        assert node.store.count("images") == 9
        assert nearest(node) == ["red"] * 3


def done(node: Node, job: str) -> bool:
    node.wait_until_idle()
    ended: Any = node.ingest.progress(job)
    return ended.state is JobState.DONE and ended.failed == 0
