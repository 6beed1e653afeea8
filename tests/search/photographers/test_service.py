"""Answers where a trained photographer space and the library have grown apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.errors import NotFoundError
from search.media import Kind
from search.photographers.library_photos import LibraryState
from search.photographers.model_registry import ModelKind, ModelVersion
from search.photographers.photos.names import photographer_id
from search.photographers.service import PhotographerService

LEARNT = {"Ada": (0, 0), "Bo": (1, 0), "Called otherwise since": (0, 1)}

CALLED: dict[str, str] = {}


class OneSpace:
    """A shelf that holds a photographer space alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def current(self, kind: ModelKind) -> ModelVersion | None:
        return ModelVersion("one", "2026-01-01T00:00:00", ()) if kind is ModelKind.JOINT else None

    def folder(self, kind: ModelKind, version: ModelVersion) -> Path:
        return self._folder


@pytest.fixture
def service(library: Any, write_space: Callable[..., Path], tmp_path: Path) -> PhotographerService:
    for number, name in enumerate(("Ada", "Ada", "Bo", "Bo", "New name", "New name")):
        shown, developed = [1.0, 0.5 * number, 0, 0], [1.0, 0.1 * number, 0.2, 0]
        facts = {"photographer": name, "credit": "csv", "fingerprints": (f"{number:064x}",)}
        library.add(Kind.IMAGE, f"{number}.jpg", {"visual": [shown], "style": [developed]}, **facts)
    return PhotographerService(
        library.store, OneSpace(write_space(tmp_path / "space", LEARNT)), lambda: LibraryState(0, 0), CALLED.copy
    )


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLED, "Called otherwise since", "New name")


def test_who_has_another_name_since_is_not_told_of_by_the_old_one(service: PhotographerService) -> None:
    assert {alike.name for alike in service.alike("Ada") if alike.by == "joint"} == {"Bo"}
    (joint,) = [chart for chart in service.map().charts if chart.by == "joint"]
    assert {spot.name for spot in joint.spots} == {"Ada", "Bo"}
    assert not [alike for alike in service.alike("New name") if alike.by == "joint"]


def test_who_was_renamed_is_told_of_by_the_new_name(service: PhotographerService, renamed: None) -> None:
    assert {alike.name for alike in service.alike("Ada") if alike.by == "joint"} == {"Bo", "New name"}
    (joint,) = [chart for chart in service.map().charts if chart.by == "joint"]
    assert {spot.name for spot in joint.spots} == {"Ada", "Bo", "New name"}
    codes = service.codes()
    assert codes is not None
    assert {spot.photographer for spot in codes.spots} <= {"Ada", "Bo", "New name"}


def test_a_rename_is_seen_though_the_space_was_loaded_before(
    service: PhotographerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [alike for alike in service.alike("New name") if alike.by == "joint"]
    monkeypatch.setitem(CALLED, "Called otherwise since", "New name")
    assert {alike.name for alike in service.alike("New name") if alike.by == "joint"} == {"Ada", "Bo"}


@pytest.mark.usefixtures("renamed")
@pytest.mark.parametrize("who", ["Called otherwise since", photographer_id("Called otherwise since")])
def test_an_old_name_leads_to_whoever_bore_it(service: PhotographerService, who: str) -> None:
    assert service.show(who).name == "New name"
    with pytest.raises(NotFoundError, match="no photographer 'Nobody'"):
        service.show("Nobody")


def test_likeness_by_the_space_is_shown_by_photos(service: PhotographerService) -> None:
    (bo,) = [alike for alike in service.alike("Ada") if alike.by == "joint"]
    assert bo.pairs
    assert {mine.path for mine, _ in bo.pairs} <= {"/library/0.jpg", "/library/1.jpg"}
    assert {theirs.path for _, theirs in bo.pairs} <= {"/library/2.jpg", "/library/3.jpg"}
