"""What models there are, told without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from search.settings import Settings
from workers.embedders.models import Models
from workers.embedders.registry import MODELS, ModelChoice

MakeSettings = Callable[..., Settings]


def test_models_and_schemas_can_be_listed_without_importing_torch(repository: Path) -> None:
    program = (
        "import sys; from search.settings import Settings; from workers.embedders.registry import MODELS, ModelChoice;"
        "from workers.embedders.models import Models;"
        "Models(Settings(), ModelChoice('resnet18', 'r3d18')).schemas;"
        "sys.exit('torch' in sys.modules or len(MODELS) != 7)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=repository, check=False).returncode == 0


def test_no_two_models_share_a_fingerprint() -> None:
    assert MODELS["resnet18"].dim == MODELS["r3d18"].dim == 512
    assert len({model.space("same").fingerprint for model in MODELS.values()}) == len(MODELS)


def test_dimensions_are_those_of_the_published_models() -> None:
    dims = {name: model.dim for name, model in MODELS.items()}
    assert dims == {
        "resnet18": 512,
        "efficientnet_lite0": 1280,
        "r3d18": 512,
        "frames_resnet18": 1024,
        "frames_efficientnet_lite0": 2560,
        "logmel": 256,
        "style": 256,
    }


def test_each_collection_has_its_spaces(make_settings: MakeSettings) -> None:
    images, videos, audio = Models(make_settings(), ModelChoice("efficientnet_lite0", "r3d18")).schemas
    assert set(images.by_name) == {"visual", "style"}
    assert set(videos.by_name) == {"visual", "style", "motion", "sound", "sound_raw"}
    assert set(audio.by_name) == {"sound", "sound_raw"}
    assert videos.by_name["visual"].multi
    assert videos.by_name["style"].multi
    assert not videos.by_name["sound_raw"].indexed
    assert images.space("visual") == videos.space("visual")
    assert images.space("style") == videos.space("style")
    assert audio.space("sound") == videos.space("sound")
