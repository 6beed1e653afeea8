"""Which models are chosen, and whether their weights can be had."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.errors import ModelError, SpaceMismatchError
from search.media import Kind
from search.model_descriptions import registry
from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import MODELS, R3D18, RESNET18, STYLE, models_by_name
from search.model_descriptions.text import OPEN_CLIP
from search.settings import Settings
from search.spaces import CollectionSchema, VectorField
from workers.embedders import weights
from workers.embedders.choice import WITHOUT_SCENE, choose_models, outdated, require_text

MakeSettings = Callable[..., Settings]


def schemas(image: str, video: str) -> dict[str, CollectionSchema]:
    visual, motion = (
        VectorField(models_by_name()[image].space("visual")),
        VectorField(models_by_name()[video].space("motion")),
    )
    return {
        "images": CollectionSchema(Kind.IMAGE, (visual,)),
        "videos": CollectionSchema(Kind.VIDEO, (visual, motion)),
    }


def test_official_weights_are_preferred_when_they_can_be_had(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "obtain", lambda names: {})
    assert choose_models(make_settings(), {}) == ModelChoice("resnet18", "r3d18")


def test_the_fallback_is_said_aloud(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "obtain", lambda models: {model.name: "cannot be reached" for model in models})
    choice = choose_models(make_settings(), {})
    assert (choice.image, choice.video) == ("efficientnet_lite0", "flow")
    assert [note.split()[3] for note in choice.notes] == ["resnet18", "r3d18"]
    assert "efficientnet_lite0" in choice.notes[0]


def test_what_a_collection_was_made_with_wins_and_nothing_is_looked_for(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "obtain", lambda names: pytest.fail("looked for weights"))
    existing = schemas("efficientnet_lite0", "frames_efficientnet_lite0")
    choice = choose_models(make_settings(image_model="efficientnet_lite0", video_model="frames"), existing)
    assert choice == ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", scene=False)


def test_a_style_of_another_version_stays_and_is_said_aloud(make_settings: MakeSettings) -> None:
    existing = schemas("efficientnet_lite0", "frames_efficientnet_lite0")
    for name, schema in existing.items():
        older = replace(STYLE.space("style"), revision="before", dim=7)
        existing[name] = replace(schema, fields=(*schema.fields, VectorField(older)))

    choice = choose_models(make_settings(image_model="efficientnet_lite0", video_model="frames"), existing)

    assert choice.notes == (outdated("style"),)
    assert all(schema.space("style") is None for schema in schemas_of(choice))


@pytest.mark.parametrize("made_by", ["another table", "another model"])
def test_concepts_of_another_version_stay_and_are_said_aloud(make_settings: MakeSettings, made_by: str) -> None:
    existing = schemas("efficientnet_lite0", "frames_efficientnet_lite0")
    now = concepts_space(models_by_name()["efficientnet_lite0"])
    other = {
        "another table": replace(now, revision="before", dim=7),
        "another model": concepts_space(models_by_name()["resnet18"]),
    }
    images = existing["images"]
    existing["images"] = replace(images, fields=(*images.fields, VectorField(other[made_by], sparse=True)))

    choice = choose_models(make_settings(image_model="efficientnet_lite0", video_model="frames"), existing)

    assert choice.notes == (outdated("concepts"),)
    assert all(schema.space("concepts") is None for schema in schemas_of(choice)), "nothing is mixed"
    assert choice.style


FALLBACK: Any = {"image_model": "efficientnet_lite0", "video_model": "frames"}


def test_meaning_is_made_only_where_the_settings_want_it(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.embedders.hub.require", lambda model: pytest.fail("looked for weights"))
    existing = schemas("efficientnet_lite0", "frames_efficientnet_lite0")
    assert choose_models(make_settings(**FALLBACK), existing).text is None
    choice = choose_models(make_settings(text_model="open_clip", **FALLBACK), existing)
    assert (choice.text, choice.notes) == ("open_clip", ())
    made = {schema.collection: schema for schema in schemas_of(choice)}
    assert choose_models(make_settings(text_model="open_clip", **FALLBACK), made) == choice
    assert choose_models(make_settings(**FALLBACK), made) == replace(choice, text=None), "off is off"


def test_a_meaning_of_another_version_stays_and_is_said_aloud(make_settings: MakeSettings) -> None:
    existing = schemas("efficientnet_lite0", "frames_efficientnet_lite0")
    images = existing["images"]
    other = replace(OPEN_CLIP.space("meaning"), revision="before")
    existing["images"] = replace(images, fields=(*images.fields, VectorField(other)))

    choice = choose_models(make_settings(text_model="open_clip", **FALLBACK), existing)

    assert (choice.text, choice.notes) == (None, (outdated("meaning"),))
    assert choose_models(make_settings(**FALLBACK), existing).notes == ()


def test_a_model_of_words_that_is_wanted_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", text="open_clip")
    monkeypatch.setattr("search.model_descriptions.text.PACKAGES", ("no_such_package",))
    require_text(replace(choice, text=None))
    with pytest.raises(ModelError, match=r"not installed.*likewise\[text\]"):
        require_text(choice)


def test_concepts_of_this_version_go_on_being_made(make_settings: MakeSettings) -> None:
    choice = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", scene=False)
    existing = {schema.collection: schema for schema in schemas_of(choice)}
    assert choose_models(make_settings(image_model="efficientnet_lite0", video_model="frames"), existing) == choice


def test_the_fallback_is_said_aloud_at_every_later_start_too(make_settings: MakeSettings) -> None:
    existing = schemas("efficientnet_lite0", "frames_efficientnet_lite0")
    pictures, motion = choose_models(make_settings(), existing).notes
    assert "embedded with efficientnet_lite0, as when this library was made" in pictures
    assert motion == WITHOUT_SCENE
    assert choose_models(make_settings(), schemas("resnet18", "r3d18")).notes == (WITHOUT_SCENE,)
    chosen = ModelChoice("efficientnet_lite0", "flow")
    _, motion = choose_models(make_settings(), {schema.collection: schema for schema in schemas_of(chosen)}).notes
    assert "embedded with flow, as when this library was made, not with the preferred r3d18" in motion


def test_a_library_with_one_collection_settles_only_its_own_model(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(weights, "obtain", lambda models: asked.extend(model.name for model in models) or {})
    images = {"images": schemas("efficientnet_lite0", "r3d18")["images"]}
    choice = choose_models(make_settings(), images)
    assert (choice.image, choice.video) == ("efficientnet_lite0", "r3d18")
    assert asked == ["r3d18"]


def test_asking_for_another_model_than_the_collections_names_both(make_settings: MakeSettings) -> None:
    with pytest.raises(SpaceMismatchError, match=r"resnet18.*efficientnet_lite0"):
        choose_models(make_settings(image_model="resnet18"), schemas("efficientnet_lite0", "r3d18"))
    with pytest.raises(SpaceMismatchError, match=r"frames.*r3d18"):
        choose_models(make_settings(video_model="frames"), schemas("efficientnet_lite0", "r3d18"))


def test_collections_made_with_different_models_are_refused(make_settings: MakeSettings) -> None:
    mixed = {
        "images": schemas("resnet18", "r3d18")["images"],
        "videos": schemas("efficientnet_lite0", "r3d18")["videos"],
    }
    with pytest.raises(SpaceMismatchError, match=r"'images' with resnet18|'videos' with efficientnet_lite0"):
        choose_models(make_settings(), mixed)


def test_settings_can_choose_what_needs_no_download(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "obtain", lambda names: pytest.fail("looked for weights"))
    choice = choose_models(make_settings(image_model="efficientnet_lite0", video_model="frames"), {})
    assert choice == ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", scene=False)
    choice = choose_models(make_settings(image_model="efficientnet_lite0", video_model="flow"), {})
    assert choice == ModelChoice("efficientnet_lite0", "flow")


def test_insisting_on_official_weights_that_cannot_be_had_is_an_error(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_route(*_: object, **__: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(weights, "load_state_dict_from_url", no_route)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ModelError, match=r"resnet18 could not be had: no route.*resnet18-f37072fd\.pth"):
        choose_models(make_settings(image_model="resnet18", video_model="frames"), {})


def test_auto_takes_the_first_model_in_order_whose_weights_can_be_had(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = replace(RESNET18, name="between", auto=2)
    without = [model for model in MODELS if model.name != "efficientnet_lite0"]
    asked: list[list[str]] = []

    def obtain(models: list[ModelDescription]) -> dict[str, str]:
        asked.append([model.name for model in models])
        return {model.name: "are away" for model in models if model.name in lacking}

    monkeypatch.setattr(registry, "MODELS", (*without, between))
    monkeypatch.setattr(weights, "obtain", obtain)
    lacking = {"resnet18"}
    choice = choose_models(make_settings(), {})
    assert (choice.image, choice.video, asked) == ("between", "r3d18", [["resnet18", "r3d18"], ["between", "r3d18"]])
    assert choice.notes == ("The weights of resnet18 are away; pictures will be embedded with between instead.",)
    lacking = {"resnet18", "between"}
    with pytest.raises(ModelError, match="the weights of resnet18 are away; the weights of between are away"):
        choose_models(make_settings(), {})


def test_a_model_of_a_version_to_come_is_refused_by_name(make_settings: MakeSettings) -> None:
    settings = make_settings(video_model="frames").model_copy(update={"image_model": "vgg"})  # as a worker is asked
    with pytest.raises(ModelError, match="does not know the model 'vgg'"):
        choose_models(settings, {})


def test_weights_in_the_cache_are_used_without_asking_anyone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("asked the network"))
    cached = weights.download_path(R3D18)
    assert weights.cached_path(R3D18) is None
    assert tmp_path in cached.parents
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"")
    assert weights.obtain([R3D18]) == {}
    weights.require(R3D18)


def test_an_unreachable_server_is_given_up_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "reachable", lambda names: frozenset())
    assert "cannot be reached" in weights.obtain([RESNET18])["resnet18"]


def test_servers_are_asked_at_the_same_time_and_silent_ones_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(3, timeout=30)
    silence = threading.Event()

    class Answer:
        status = 200

        def __enter__(self) -> Answer:
            return self

        def __exit__(self, *_: object) -> None: ...

    def urlopen(request: urllib.request.Request, timeout: float) -> Answer:
        meeting.wait()
        if "resnet18" in request.full_url:
            silence.wait()
        return Answer()

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    everyone = threading.Thread(target=meeting.wait, daemon=True)
    everyone.start()
    assert weights.reachable([RESNET18, R3D18]) == {"r3d18"}
    silence.set()


def test_nobody_listening_is_not_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_url", lambda model: "http://127.0.0.1:9/resnet18.pth")
    assert not weights.is_reachable(RESNET18)


def test_categories_are_the_thousand_of_imagenet() -> None:
    names = weights.imagenet_categories()
    assert len(names) == 1000
    assert (names[0], names[999]) == ("tench", "toilet tissue")


def test_sounds_are_embedded_by_a_network_where_its_weights_are_installed(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(sound_model="auto", **FALLBACK)
    monkeypatch.setattr(weights, "missing_packages", lambda model: ())
    assert (choose_models(settings, {}).sound, choose_models(settings, {}).notes) == ("aisfx", ())

    monkeypatch.setattr(
        weights, "missing_packages", lambda model: ("aisfx==0.1.2", "other==1") * bool(model.companions)
    )
    choice = choose_models(settings, {})
    assert choice.sound == "logmel_rows"
    assert "pip install --no-deps aisfx==0.1.2 other==1" in choice.notes[0]
    with pytest.raises(ModelError, match="weights of aisfx are not installed") as refused:
        choose_models(make_settings(sound_model="aisfx", **FALLBACK), {})
    assert "pip install --no-deps" in str(refused.value)


def test_an_older_library_goes_on_with_its_sounds_and_says_so(make_settings: MakeSettings) -> None:
    _, _, audio = schemas_of(ModelChoice("efficientnet_lite0", "r3d18", "logmel"))
    choice = choose_models(make_settings(sound_model="auto", **FALLBACK), {"audio": audio})
    assert choice.sound == "logmel"
    (note,) = choice.notes
    assert "likewise reembed --space sound" in note
    assert choose_models(make_settings(sound_model="logmel", **FALLBACK), {"audio": audio}).notes == ()
    with pytest.raises(SpaceMismatchError, match="LIKEWISE_SOUND_MODEL asks for aisfx"):
        choose_models(make_settings(sound_model="aisfx", **FALLBACK), {"audio": audio})
