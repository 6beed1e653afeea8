"""The pages of deploy/ name commands, files, profiles and variables that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from search.settings import Settings
from web.cli import COMMANDS

from .conftest import Document

PAGES = ("README.md", "CAPACITY.md")


def code(page: Path) -> str:
    text = page.read_text("utf-8")
    return "\n".join(re.findall(r"```.*?\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(deploy: Path, page: str) -> None:
    assert set(re.findall(r"(?<![=\w-])likewise ([a-z]+)\b", code(deploy / page))) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES)
def test_files_exist(repository: Path, deploy: Path, page: str) -> None:
    for name in re.findall(r"\b(?:deploy|tests|kubernetes|overlays|monitoring|secrets)/[\w./-]+", code(deploy / page)):
        path = name.rstrip("./").replace("secrets/likewise", "secrets")  # where containers see that folder
        made = (deploy / "secrets" / "make.sh").read_text("utf-8")
        places = (repository / path, deploy / path, deploy / "kubernetes" / path)
        assert any(place.exists() for place in places) or f"write {Path(path).name} " in made, name


@pytest.mark.parametrize("page", PAGES)
def test_settings_exist(deploy: Path, page: str) -> None:
    for name in re.findall(r"\bLIKEWISE_([A-Z_]+)\b", (deploy / page).read_text("utf-8")):
        assert name.removesuffix("_FILE").lower() in Settings.model_fields, name


def test_every_variable_of_compose_is_listed_with_its_default(deploy: Path) -> None:
    text = (deploy / "compose.yaml").read_text("utf-8")
    variables = set(re.findall(r"\$\{([A-Z_]+):-", text)) - {"LIKEWISE_LOG_LEVEL", "LIKEWISE_BATCH_SIZE"}
    variables -= {"LIKEWISE_WEB_PROCESSES"}
    listed = set(re.findall(r"`([A-Z_]+)`", (deploy / "README.md").read_text("utf-8")))
    assert variables <= listed


def test_profiles_exist(deploy: Path, compose: Document) -> None:
    profiles = {profile for service in compose["services"].values() for profile in service.get("profiles", ())}
    assert set(re.findall(r"--profile ([a-z]+)", (deploy / "README.md").read_text("utf-8"))) <= profiles
