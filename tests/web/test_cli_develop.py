"""`likewise photographers develop` and `development`: words and settings are shown, files are written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from search.photographers.develop.developing import Development, DevelopQuestion, SettingChange, SettingsCourse
from search.photographers.develop.settings import Preset
from search.photographers.develop.words import WORDS, in_words
from search.photographers.service import PhotographerService

LOOK = Preset(exposure=-0.5, saturation=0.6)


@pytest.fixture
def labelled(cli: Any, media: Path) -> Path:
    cli("ingest", media)
    assert cli("photographers", "label", "--from", "folder").exit_code == 0
    return media


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[DevelopQuestion]:
    """Everyone develops alike; what was asked."""
    asked: list[DevelopQuestion] = []

    def develop(self: PhotographerService, probe: object, question: DevelopQuestion) -> Development:
        asked.append(question)
        name = self.name_of(question.photographer)
        settings = tuple(
            SettingChange(name, words.label, words.unit, getattr(LOOK, name), 0.01, 0.0, getattr(LOOK, name))
            for name, words in WORDS.items()
        )
        return Development("id", name, None, "", "", 1.0, 3, settings, in_words(LOOK), ("A note.",), LOOK)

    settings = {name: getattr(LOOK, name) for name in WORDS}
    monkeypatch.setattr(PhotographerService, "develop", develop)
    monkeypatch.setattr(PhotographerService, "development", lambda self, who: (SettingsCourse(None, 3, settings, ()),))
    return asked


def test_without_styles_it_says_what_makes_them(cli: Any, labelled: Path) -> None:
    photo = next((labelled / "red").iterdir())
    refused = cli("photographers", "develop", photo, "--like", "red")
    assert refused.exit_code != 0
    assert "likewise reembed --space style" in refused.output


def test_a_photo_is_developed_and_its_files_are_written(
    cli: Any, labelled: Path, looks: list[DevelopQuestion], tmp_path: Path
) -> None:
    photo = next((labelled / "red").iterdir())
    files = {name: tmp_path / f"like.{name}" for name in ("cube", "xmp", "preview")}
    asked = ("--like", "Red", "--from", "1941", "--strength", "0.5", "--undeveloped")
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    done = cli("photographers", "develop", photo, *asked, *options)
    assert done.exit_code == 0, done.output
    assert "Like red (3 photos): half a stop darker, weaker colours" in done.output
    assert "A note." in done.output
    assert looks == [DevelopQuestion("Red", None, "1941", "", 0.5, developed=False)]
    assert files["cube"].read_text().startswith('TITLE "Like red')
    assert 'crs:Exposure2012="-0.50"' in files["xmp"].read_text()
    assert max(Image.open(io.BytesIO(files["preview"].read_bytes())).size) > 0


def test_settings_over_time_are_a_table(cli: Any, labelled: Path, looks: list[DevelopQuestion]) -> None:
    shown = cli("photographers", "development", "red")
    assert shown.exit_code == 0, shown.output
    assert "All photos" in shown.output
    assert "-0.5" in shown.output
