"""What models there are, told without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import models_by_name
from search.model_descriptions.text import OPEN_CLIP
from search.settings import Settings
from workers.embedders.models import Models

MakeSettings = Callable[..., Settings]


def test_models_and_schemas_can_be_listed_without_importing_torch(repository: Path) -> None:
    program = (
        "import sys; from search.settings import Settings;"
        "from search.model_descriptions.model_choice import ModelChoice;"
        "from search.model_descriptions.registry import models_by_name;"
        "from workers.embedders.models import Models;"
        "Models(Settings(), ModelChoice('resnet18', 'r3d18')).schemas;"
        "sys.exit('torch' in sys.modules or len(models_by_name()) != 8)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=repository, check=False).returncode == 0


def test_no_two_models_share_a_fingerprint() -> None:
    assert models_by_name()["resnet18"].dim == models_by_name()["r3d18"].dim == 512
    assert len({model.space("same").fingerprint for model in models_by_name().values()}) == len(models_by_name())


def test_dimensions_are_those_of_the_published_models() -> None:
    dims = {name: model.dim for name, model in models_by_name().items()}
    assert dims == {
        "resnet18": 512,
        "efficientnet_lite0": 1280,
        "r3d18": 512,
        "frames_resnet18": 1024,
        "frames_efficientnet_lite0": 2560,
        "logmel": 256,
        "style": 256,
        "open_clip": 512,
    }


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
    assert set(images.by_name) == {"visual", "style", "concepts"}
    assert set(videos.by_name) == {"visual", "style", "concepts", "motion", "sound", "sound_raw"}
    assert set(audio.by_name) == {"sound", "sound_raw"}
    assert videos.by_name["visual"].multi
    assert videos.by_name["style"].multi
    assert not videos.by_name["sound_raw"].indexed
    assert images.space("visual") == videos.space("visual")
    assert images.space("style") == videos.space("style")
    assert images.by_name["concepts"] == videos.by_name["concepts"]
    assert images.by_name["concepts"].sparse
    assert images.space("concepts") == concepts_space(models_by_name()["efficientnet_lite0"])
    assert audio.space("sound") == videos.space("sound")
