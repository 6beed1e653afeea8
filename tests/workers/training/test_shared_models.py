"""Models in the shared place: whole or not there, the latest in use, a few kept, read by every process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.errors import DiskFullError, NotFoundError, SpaceMismatchError, StoreError
from search.photographers.model_registry import CurrentModel, ModelKind, ModelVersion, version_name
from search.settings import Settings
from workers.storage.shared_place import SharedFolder
from workers.training.shared_models import SharedModels

KIND = ModelKind.CLASSIFIER
NAMES = [f"2026013{day}T115900-0f1e2d3{day}" for day in range(6)]


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[[str], Path]:
    def make(content: str) -> Path:
        folder = tmp_path / "made" / content
        (folder / "plots").mkdir(parents=True)
        (folder / "manifest.json").write_text(content)
        (folder / "plots" / "map.html").write_text(f"<b>{content}</b>")
        return folder

    return make


@pytest.fixture(params=["folder", "bucket"])
def settings(request: pytest.FixtureRequest, make_settings: Callable[..., Settings]) -> Settings:
    if request.param == "folder":
        return make_settings()
    bucket = request.getfixturevalue("bucket")
    return make_settings(shared=f"{bucket.root}/shared")


def read(folder: Path) -> str:
    return (folder / "manifest.json").read_text() + (folder / "plots" / "map.html").read_text()


def test_what_is_published_is_in_use_everywhere(settings: Settings, make_model: Callable[[str], Path]) -> None:
    publisher, reader = SharedModels(settings), SharedModels(settings)
    assert reader.current(KIND) is None
    assert reader.current(ModelKind.JOINT) is None
    made = publisher.publish(KIND, NAMES[0], make_model("first"))
    assert made.files == ("manifest.json", "plots/map.html")
    assert SharedModels(settings).current(KIND) == made
    assert publisher.current(ModelKind.JOINT) is None
    assert read(SharedModels(settings).folder(KIND, made)) == "first<b>first</b>"
    assert read(SharedModels(settings).folder(KIND, made)) == "first<b>first</b>", "also once it was fetched"


def test_the_last_three_are_kept_and_the_one_before_is_still_read(
    settings: Settings, make_model: Callable[[str], Path]
) -> None:
    shelf = SharedModels(settings)
    versions = [shelf.publish(KIND, name, make_model(name)) for name in NAMES]
    reader = SharedModels(settings)
    current = reader.current(KIND)
    assert current == versions[-1]
    for kept in versions[-3:]:
        assert read(reader.folder(KIND, kept)).startswith(kept.name)
    with pytest.raises(NotFoundError, match="replaced"):
        reader.folder(KIND, versions[-4])
    assert read(reader.folder(KIND, versions[-1])).startswith(NAMES[-1])


def test_publishing_that_is_cut_off_leaves_the_model_of_before(
    make_settings: Callable[..., Settings], make_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = SharedModels(make_settings())
    first = shelf.publish(KIND, NAMES[0], make_model("first"))
    whole = SharedFolder.add

    def cut(self: SharedFolder, path: Path, name: str) -> str:
        if name.endswith("map.html"):
            raise DiskFullError("No space left.")
        return whole(self, path, name)

    second = make_model("second")
    with monkeypatch.context() as patched:
        patched.setattr(SharedFolder, "add", cut)
        with pytest.raises(DiskFullError):
            shelf.publish(KIND, NAMES[1], second)
    assert shelf.current(KIND) == first
    assert read(shelf.folder(KIND, shelf.publish(KIND, NAMES[1], second))) == "second<b>second</b>"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps({"name": "../../x", "made": "", "files": []}).encode(),
        json.dumps({"name": NAMES[0], "made": "", "files": ["../../../x"]}).encode(),
        json.dumps({"name": NAMES[0], "made": "", "files": ["/etc/passwd"]}).encode(),
    ],
)
def test_a_damaged_note_is_told_and_leads_nowhere(make_settings: Callable[..., Settings], content: bytes) -> None:
    settings = make_settings()
    SharedFolder(Path(settings.shared_place)).save({f"{KIND.folder}/current.json": content})
    with pytest.raises(StoreError, match=r"current\.json .* cannot be read"):
        SharedModels(settings).current(KIND)


def test_a_note_of_version_0_1_0_has_no_layout_and_that_of_a_newer_version_is_refused(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings()
    place, stored = SharedFolder(Path(settings.shared_place)), {"name": NAMES[0], "made": "", "files": ["a"]}
    place.save({f"{KIND.folder}/current.json": json.dumps(stored).encode()})
    assert SharedModels(settings).current(KIND) == ModelVersion(NAMES[0], "", ("a",))
    place.save({f"{KIND.folder}/current.json": json.dumps({"layout": 2, **stored}).encode()})
    with pytest.raises(StoreError, match="newer version of Likewise"):
        SharedModels(settings).current(KIND)


def test_names_of_versions_sort_by_time() -> None:
    name = version_name("0f1e2d3c4b5a6978")
    assert name.endswith("-0f1e2d3c")
    assert version_name("ffffffffffffffff") >= name[:15]


class Shelf:
    """Says what is in use as a test puts it."""

    def __init__(self) -> None:
        self.version: ModelVersion | None = None

    def current(self, kind: ModelKind) -> ModelVersion | None:
        return self.version

    def folder(self, kind: ModelKind, version: ModelVersion) -> Path:
        return Path(version.name)


def test_the_model_in_use_is_loaded_once_and_again_when_it_changes() -> None:
    shelf, loaded = Shelf(), []
    in_use: CurrentModel[str] = CurrentModel(shelf, KIND)

    def load(folder: Path) -> str:
        loaded.append(folder.name)
        return folder.name

    with pytest.raises(NotFoundError, match="likewise photographers train"):
        in_use.get(load)
    for name in (NAMES[0], NAMES[0], NAMES[1], NAMES[1]):
        shelf.version = ModelVersion(name, "", ())
        assert in_use.get(load) == name
    assert loaded == NAMES[:2]
    assert in_use.version == NAMES[1]


def test_the_model_in_use_is_checked_against_what_there_is_now() -> None:
    """Once the library's vectors are of another model, it is refused, however long it has been in memory."""
    shelf: Any = Shelf()
    shelf.version = ModelVersion(NAMES[0], "", ())
    in_use: CurrentModel[str] = CurrentModel(shelf, KIND)
    assert in_use.get(lambda _: "loaded", "resnet18") == "loaded"

    def refuse(_: Path) -> str:
        raise SpaceMismatchError("It was trained on other vectors.", "Train again.")

    with pytest.raises(SpaceMismatchError):
        in_use.get(refuse, "efficientnet")
    assert in_use.get(lambda _: "loaded anew", "resnet18") == "loaded anew"
